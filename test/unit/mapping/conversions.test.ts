import { expect } from 'chai';
import type { JsonValue } from '../../../src/domain/record.js';
import { accepted, mapped } from './mapping-case.js';

const ORGANISATIONS = {
  mapping: {
    org: {
      types: ['std:type:organisation'],
      using: 'behaviour',
      values: { S: 'example:org:science', X: 'example:org:closed' },
    },
    'org-title': {
      types: ['std:type:organisation'],
      using: 'title',
      values: { A: 'Faculty of Arts', X: 'Faculty of Closed' },
    },
  },
};

type Row = readonly [
  rule: string,
  attribute: string,
  keys: object,
  input: JsonValue,
  value?: JsonValue | undefined,
  code?: string,
];

const ROWS: readonly Row[] = [
  ['text takes a string', 'test:attribute:text', {}, 'abc', 'abc'],
  ['text takes a number as text', 'test:attribute:text', {}, 42.5, '42.5'],
  ['text takes zero', 'test:attribute:text', {}, 0, '0'],
  ['text takes a boolean as text', 'test:attribute:text', {}, true, 'true'],
  ['text takes no list', 'test:attribute:text', {}, ['a']],
  ['text takes no object', 'test:attribute:text', {}, { ref: 'a' }],
  ['text keeps spaces', 'test:attribute:text', {}, ' a ', ' a '],
  ['text takes no number that may have been another', 'test:attribute:text', {}, 2 ** 53, undefined, 'invalid-number'],
  ['an empty string sets nothing', 'test:attribute:text', {}, ''],
  ['null sets nothing', 'test:attribute:text', {}, null],
  ['false sets nothing', 'test:attribute:text', {}, false],
  ['paragraphs keep their lines', 'std:attribute:notes', {}, 'a\nb', 'a\nb'],
  ['several lines are kept', 'test:attribute:text-multiline', {}, 'a\r\nb', 'a\r\nb'],
  ['a configuration name is text', 'std:attribute:configured-behaviour', {}, 'a:b', 'a:b'],
  ['an ISBN is text', 'test:attribute:isbn', {}, '978-0-00-000000-2', '978-0-00-000000-2'],

  ['an integer is a number', 'test:attribute:integer', {}, 42, 42],
  ['zero is set', 'test:attribute:integer', {}, 0, 0],
  ['an integer is exactly its decimal text', 'test:attribute:integer', {}, '-42', -42],
  ['an integer has no fraction, even of zero', 'test:attribute:integer', {}, '42.0', undefined, 'invalid-integer'],
  ['an integer has no leading zero', 'test:attribute:integer', {}, '042', undefined, 'invalid-integer'],
  ['an integer has no spaces', 'test:attribute:integer', {}, ' 42', undefined, 'invalid-integer'],
  ['an integer has no exponent', 'test:attribute:integer', {}, '4e2', undefined, 'invalid-integer'],
  ['an integer is no boolean', 'test:attribute:integer', {}, true, undefined, 'invalid-integer'],
  ['an integer is kept exactly', 'test:attribute:integer', {}, '9007199254740993', undefined, 'invalid-integer'],
  ['a number may have a fraction', 'test:attribute:number', {}, 42.5, 42.5],
  ['a number may be its decimal text', 'test:attribute:number', {}, '-0.50', -0.5],
  ['a number in text has digits only', 'test:attribute:number', {}, '1,5', undefined, 'invalid-number'],
  ['a number is kept exactly', 'test:attribute:number', {}, '0.12345678901234567891', undefined, 'invalid-number'],
  ['a number is finite', 'test:attribute:number', {}, '1'.repeat(400), undefined, 'invalid-number'],

  ['true is true', 'test:attribute:boolean', {}, true, true],
  ['the text true is true', 'test:attribute:boolean', {}, 'true', true],
  ['the text false is false', 'test:attribute:boolean', {}, 'false', false],
  ['trueValue replaces the text', 'test:attribute:boolean', { trueValue: 'Y', falseValue: 'N' }, 'Y', true],
  ['falseValue replaces the text', 'test:attribute:boolean', { trueValue: 'Y', falseValue: 'N' }, 'N', false],
  ['other texts are no boolean', 'test:attribute:boolean', { trueValue: 'Y' }, 'true', undefined, 'invalid-boolean'],
  ['a number is no boolean', 'test:attribute:boolean', {}, 1, undefined, 'invalid-boolean'],

  ['a date is in its format', 'std:attribute:date', { dateFormat: 'dd/MM/yyyy' }, '22/11/2026', '2026-11-22'],
  ['a date is strict', 'std:attribute:date', { dateFormat: 'dd/MM/yyyy' }, '31/11/2026', undefined, 'invalid-date'],
  ['a date is a string', 'std:attribute:date', { dateFormat: 'yyyy' }, 2026, undefined, 'invalid-date'],

  ['a URL has a scheme', 'std:attribute:url', {}, 'https://example.org/1', 'https://example.org/1'],
  ['a scheme may have signs', 'std:attribute:url', {}, 'a+b-c.d:x', 'a+b-c.d:x'],
  ['a URL without scheme is an error', 'std:attribute:url', {}, 'example.org', undefined, 'invalid-url'],
  ['a URL is a string', 'std:attribute:url', {}, 7, undefined, 'invalid-url'],

  ['a telephone number becomes international', 'std:attribute:telephone', {}, '+442012345678', '+44 20 1234 5678'],
  ['the United Kingdom is guessed', 'std:attribute:telephone', {}, '020 7946 0000', '+44 20 7946 0000'],
  ['the country is the guess', 'std:attribute:telephone', { country: 'US' }, '202-224-2315', '+1 202 224 2315'],
  ['an internal number is kept', 'std:attribute:telephone', {}, '1234', '1234'],
  ['a text without digits is no number', 'std:attribute:telephone', {}, 'n/a', undefined, 'invalid-telephone-number'],
  ['a telephone number is a string', 'std:attribute:telephone', {}, 2079460000, undefined, 'invalid-telephone-number'],

  ['an object type is one of the model', 'test:attribute:object-type', {}, 'std:type:book', 'std:type:book'],
  ['an unknown object type sets nothing', 'test:attribute:object-type', {}, 'std:type:film'],

  ['json takes objects as they are', 'test:attribute:json', {}, { a: [1, null] }, { a: [1, null] }],
  ['json takes lists as they are', 'test:attribute:json', {}, [{ b: 'c' }], [{ b: 'c' }]],
  ['json takes no text', 'test:attribute:json', {}, 'abc'],
  ['json keeps numbers exactly', 'test:attribute:json', {}, [2 ** 60], undefined, 'invalid-number'],

  [
    'a mapping by behaviour finds the object',
    'std:attribute:works-for',
    { refMapping: 'org' },
    'S',
    { ref: 'behaviour:example:org:science' },
  ],
  [
    'a value outside a mapping by behaviour is an error',
    'std:attribute:works-for',
    { refMapping: 'org' },
    'Q',
    undefined,
    'unmapped-value',
  ],
  [
    'a behaviour without object is an error',
    'std:attribute:works-for',
    { refMapping: 'org' },
    'X',
    undefined,
    'unknown-reference',
  ],
  [
    'a mapping by title finds the object',
    'std:attribute:works-for',
    { refMapping: 'org-title' },
    'A',
    { ref: 'behaviour:example:org:arts' },
  ],
  ['a value outside a mapping by title sets nothing', 'std:attribute:works-for', { refMapping: 'org-title' }, 'Q'],
  [
    'a title without object is an error',
    'std:attribute:works-for',
    { refMapping: 'org-title' },
    'X',
    undefined,
    'unknown-reference',
  ],
  ['a ref takes only what a filter made one', 'std:attribute:works-for', {}, 'example:org:arts'],
  ['a ref takes no look-alike of the input', 'std:attribute:works-for', {}, { ref: 'behaviour:example:org:arts' }],
  [
    'code-to-ref finds by behaviour',
    'std:attribute:works-for',
    { filters: ['haplo:code-to-ref'] },
    'example:org:arts',
    { ref: 'behaviour:example:org:arts' },
  ],
  [
    'code-to-ref of an unknown code sets nothing',
    'std:attribute:works-for',
    { filters: ['haplo:code-to-ref'] },
    'nothing',
  ],
  [
    'string-to-ref takes the text of a ref',
    'std:attribute:works-for',
    { filters: ['haplo:string-to-ref'] },
    'behaviour:example:org:arts',
    { ref: 'behaviour:example:org:arts' },
  ],
  [
    'username-to-ref waits for the accounts',
    'std:attribute:relationship-manager',
    { filters: ['haplo:username-to-ref'] },
    'Boss',
    { username: 'boss' },
  ],

  ['to-lower-case', 'test:attribute:text', { filters: ['haplo:to-lower-case'] }, 'ABC', 'abc'],
  ['to-upper-case', 'test:attribute:text', { filters: ['haplo:to-upper-case'] }, 'abc', 'ABC'],
  ['case filters let others pass', 'test:attribute:integer', { filters: ['haplo:to-lower-case'] }, 7, 7],
  ['to-string', 'std:attribute:telephone', { filters: ['haplo:to-string'] }, 447700900123, '+44 7700 900123'],
  ['to-string gives nothing for objects', 'test:attribute:json', { filters: ['haplo:to-string'] }, { a: 1 }],
  [
    'fix-up-url adds a scheme',
    'std:attribute:url',
    { filters: ['haplo:fix-up-url'] },
    'www.example.org/a-b',
    'https://www.example.org/a-b',
  ],
  [
    'fix-up-url leaves a scheme',
    'std:attribute:url',
    { filters: ['haplo:fix-up-url'] },
    'http://example.org',
    'http://example.org',
  ],
  [
    'fix-up-url leaves what has other signs',
    'std:attribute:url',
    { filters: ['haplo:fix-up-url'] },
    'a b',
    undefined,
    'invalid-url',
  ],
  [
    'fix-up-url wants a letter first',
    'std:attribute:url',
    { filters: ['haplo:fix-up-url'] },
    '/a',
    undefined,
    'invalid-url',
  ],
  ['fix-up-url gives nothing for numbers', 'std:attribute:url', { filters: ['haplo:fix-up-url'] }, 7],
  [
    'filters run in the order written',
    'std:attribute:url',
    { filters: ['haplo:fix-up-url', 'haplo:to-upper-case'] },
    'a.b',
    'HTTPS://A.B',
  ],

  ['mapInputValue maps', 'test:attribute:text', { mapInputValue: { a: 'b' } }, 'a', 'b'],
  ['a value not listed passes', 'test:attribute:text', { mapInputValue: { a: 'b' } }, 'c', 'c'],
  [
    'a value not listed takes the default',
    'test:attribute:text',
    { mapInputValue: { a: 'b' }, mapInputValueDefault: 'd' },
    'c',
    'd',
  ],
  [
    'a default of null sets nothing',
    'std:attribute:url',
    { mapInputValue: { a: 'b' }, mapInputValueDefault: null },
    'c',
  ],
  ['numbers are mapped by their text', 'test:attribute:text', { mapInputValue: { '1': 'one' } }, 1, 'one'],
  [
    'mapping comes before filters',
    'test:attribute:text',
    { mapInputValue: { a: 'b', A: 'c' }, filters: ['haplo:to-upper-case'] },
    'a',
    'B',
  ],
  [
    'names of prototypes are not listed',
    'test:attribute:text',
    { mapInputValue: { a: 'b' } },
    'constructor',
    'constructor',
  ],
];

describe('conversion of a value', () => {
  for (const [rule, name, keys, input, value, code] of ROWS) {
    it(rule, () => {
      const instruction = { source: 'in', destination: 'profile', name, ...keys };
      const outcome = accepted([instruction], { in: input }, 'refMapping' in keys ? ORGANISATIONS : {});
      const change = value === undefined ? undefined : { drop: 'all', values: [{ value }] };
      expect(outcome.profile[name]).to.deep.equal(change);
      expect(outcome.errors.map((error) => [error.code, error.source])).to.deep.equal(
        code === undefined ? [] : [[code, 'in']],
      );
    });
  }

  it('keeps the offending value for the error list, cut short and storable, and out of the message', () => {
    const instruction = { source: 'in', destination: 'profile', name: 'std:attribute:url' };
    const [error] = accepted([instruction], { in: `x\u0000${'y'.repeat(198)}😀z` }).errors;
    expect(error?.value).to.equal(`x\ufffd${'y'.repeat(198)}…`);
    expect(error?.message).not.to.include('yy');
  });

  for (const text of ['a\u0000b', '\ud800', 'a\udc00']) {
    it(`rejects the record for ${JSON.stringify(text)}, which Postgres cannot keep`, () => {
      for (const input of [text, { nested: [text] }, { [text]: 1 }]) {
        const name = typeof input === 'string' ? 'test:attribute:text' : 'test:attribute:json';
        const outcome = mapped([{ source: 'in', destination: 'profile', name }], { in: input });
        expect(outcome).to.include({ accepted: false, username: 'joe' });
        expect(outcome.errors).to.have.length(1);
        expect(outcome.errors[0]).to.include({ code: 'null-character', source: 'in' });
        expect(outcome.errors[0]?.value).not.to.match(/\0|\p{Surrogate}/u);
      }
    });
  }

  it('refuses json that is nested too deep, without running out of stack', () => {
    let deep: JsonValue = [];
    for (let depth = 0; depth < 50_000; depth++) deep = [deep];
    const outcome = accepted([{ source: 'in', destination: 'profile', name: 'test:attribute:json' }], { in: deep });
    expect(outcome.errors.map((error) => error.code)).to.deep.equal(['too-deep']);
  });
});
