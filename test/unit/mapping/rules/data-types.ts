import type { JsonValue } from '../../../../src/domain/record.js';
import {
  ADDRESS,
  checks,
  field,
  maps,
  NOTES,
  PHONE,
  TITLE,
  to,
  URL_NAME,
  WORKS_FOR,
  type Chapter,
  type MappingCase,
} from './rule.js';

/** Inputs that a data type takes as they are or as the second of a pair. */
function takes(name: string, inputs: readonly (JsonValue | Pair)[], keys: object = {}): MappingCase[] {
  return inputs.map((one) => {
    const [input, value] = one instanceof Pair ? [one.input, one.value] : [one, one];
    return maps([field('a', name, keys)], { a: input }, { profile: { [name]: [value] } });
  });
}

/** Inputs that set nothing, with an error or without. */
function refuses(name: string, inputs: readonly JsonValue[], code?: string, keys: object = {}): MappingCase[] {
  const errors = code === undefined ? [] : [code];
  return inputs.map((input) => maps([field('a', name, keys)], { a: input }, { profile: {}, errors }));
}

class Pair {
  constructor(
    readonly input: JsonValue,
    readonly value: JsonValue,
  ) {}
}

const as = (input: JsonValue, value: JsonValue): Pair => new Pair(input, value);
const YES_NO = { trueValue: 'Y', falseValue: 'N' };
const COUNTRIES = ['GB', 'FR', 'US', 'DE', 'AX', 'ZW', 'SS', 'XK', 'UK', 'gb', 'GBR', 'ZZ', ''];
const REAL = ['GB', 'FR', 'US', 'DE', 'AX', 'ZW', 'SS'];

const address = [
  to('value:postal-address', 'country'),
  { action: 'field-structured', structured: 'value:postal-address', destination: 'profile', name: ADDRESS },
];
const name = [
  ...['title', 'first', 'middle', 'last', 'suffix'].map((part) => to('value:person-name', `own-${part}`, part)),
  {
    action: 'field-structured',
    structured: 'value:person-name',
    destination: 'profile',
    name: TITLE,
    qualifier: 'dc:qualifier:alternative',
  },
];
const named = (value: JsonValue): Record<string, JsonValue[]> => ({
  [TITLE]: [{ value, qualifier: 'dc:qualifier:alternative' }],
});

export const DATA_TYPES: Chapter = {
  name: 'data-types',
  rules: [
    {
      id: 'data-types.text.1',
      rule: 'Text takes texts, and numbers and booleans as text',
      cases: takes('test:attribute:text', ['abc', ' a ', as(42, '42'), as(-0.5, '-0.5'), as(0, '0'), as(true, 'true')]),
    },
    {
      id: 'data-types.text.2',
      rule: 'Anything else sets no text, and is no error',
      cases: refuses('test:attribute:text', [['a'], [], { a: 1 }, {}]),
    },
    {
      id: 'data-types.lines.1',
      rule: 'The other kinds of text keep their lines',
      cases: [
        NOTES,
        'test:attribute:text-multiline',
        'std:attribute:configured-behaviour',
        'test:attribute:isbn',
      ].flatMap((attribute) => [...takes(attribute, ['a\nb', 'a\r\nb', as(7, '7')]), ...refuses(attribute, [['a']])]),
    },
    {
      id: 'data-types.integer.1',
      rule: 'A whole number, or exactly its decimal text',
      cases: [
        ...takes('test:attribute:integer', [42, 0, -7, as('42', 42), as('-7', -7), as('0', 0)]),
        ...refuses(
          'test:attribute:integer',
          ['42.0', '042', ' 42', '+42', '4e2', '0x10', 'x', 4.2, true, [4]],
          'invalid-integer',
        ),
      ],
    },
    {
      id: 'data-types.number.1',
      rule: 'A number, or exactly its decimal text',
      cases: [
        ...takes('test:attribute:number', [42, 0, -0.5, as('42', 42), as('-0.5', -0.5), as('0', 0)]),
        ...refuses(
          'test:attribute:number',
          ['1,5', '1e3', ' 1', '.5', '5.', '+1', 'NaN', 'Infinity', 'x', true, {}],
          'invalid-number',
        ),
      ],
    },
    {
      id: 'data-types.boolean.1',
      rule: 'True and false, or the two texts for them',
      cases: [
        ...takes('test:attribute:boolean', [true, as('true', true), as('false', false)]),
        ...takes('test:attribute:boolean', [true, as('Y', true), as('N', false)], YES_NO),
        ...takes('test:attribute:boolean', [as('Y', true), as('false', false)], { trueValue: 'Y' }),
        ...takes('test:attribute:boolean', [as('true', true), as('N', false)], { falseValue: 'N' }),
        ...refuses('test:attribute:boolean', ['TRUE', 'yes', 1, 0, '1', ['true']], 'invalid-boolean'),
        ...refuses('test:attribute:boolean', ['true', 'false', 'y'], 'invalid-boolean', YES_NO),
        checks(
          [field('a', 'test:attribute:boolean', { trueValue: 'x', falseValue: 'x' })],
          ['same-true-and-false /instructions/4'],
        ),
      ],
    },
    {
      id: 'data-types.email.1',
      rule: 'An address has an at-sign that is not first',
      cases: [
        ...['a@b', 'a@', 'a@b@c', "o'brien+x@example.org"].map((email) => maps([], { email }, { user: { email } })),
        ...['@b', '@', 'ab'].map((email) => maps([], { email }, { rejected: ['invalid-email', 'missing-value'] })),
        maps([], { email: 7 }, { rejected: ['invalid-email', 'missing-value'] }),
      ],
    },
    {
      id: 'data-types.url.1',
      rule: 'A URL starts with a scheme',
      cases: [
        ...takes(URL_NAME, ['https://example.org', 'mailto:a@b', 'a+b-c.d:x', 'HTTP://X']),
        ...refuses(URL_NAME, ['example.org', '//example.org', ':x', 'h2:x', 'a b:c', '/a:b', 7, true], 'invalid-url'),
      ],
    },
    {
      id: 'data-types.telephone.1',
      rule: 'Any reasonable number gets its international form',
      cases: [
        ...takes(PHONE, [
          as('+442012345678', '+44 20 1234 5678'),
          as('02012345678', '+44 20 1234 5678'),
          as('(020) 1234 5678', '+44 20 1234 5678'),
          as('+12022242315', '+1 202 224 2315'),
          as('07700 900123', '+44 7700 900123'),
        ]),
        ...takes(PHONE, [as('202-224-2315', '+1 202 224 2315'), as('+442012345678', '+44 20 1234 5678')], {
          country: 'US',
        }),
        ...takes(PHONE, [as('030 12345678', '+49 30 12345678')], { country: 'DE' }),
        ...takes(PHONE, ['1234', 'ext. 12']),
        checks([field('a', PHONE, { country: 'UK' })], ['unknown-country /instructions/4/country']),
        checks([field('a', PHONE, { country: 'GB' })], []),
      ],
    },
    {
      id: 'data-types.telephone.2',
      rule: 'What is nothing like a number is an error',
      cases: refuses(PHONE, ['n/a', 'none', 442012345678, true, ['1']], 'invalid-telephone-number'),
    },
    {
      id: 'data-types.person-name.1',
      rule: 'The name of a person has parts and needs the last one',
      cases: [
        maps(name, { 'own-last': 'Bloggs' }, { profile: named({ last: 'Bloggs' }) }),
        maps(
          name,
          { 'own-last': 'B', 'own-suffix': 'S', 'own-title': 'T', 'own-middle': 'M', 'own-first': 'F' },
          {
            profile: named({ title: 'T', first: 'F', middle: 'M', last: 'B', suffix: 'S' }),
          },
        ),
        maps(name, { 'own-first': 'Joe' }, { profile: {}, errors: ['invalid-name'] }),
        maps(name, { 'own-title': 'Dr', 'own-last': '' }, { profile: {}, errors: ['invalid-name'] }),
      ],
    },
    {
      id: 'data-types.postal-address.1',
      rule: 'The country of an address is a real code of two letters',
      cases: COUNTRIES.map((country) =>
        REAL.includes(country)
          ? maps(address, { country }, { profile: { [ADDRESS]: [{ country }] } })
          : maps(
              [to('value:postal-address', 'city'), ...address],
              { country, city: 'X' },
              { profile: {}, errors: ['invalid-address'] },
            ),
      ),
    },
    {
      id: 'data-types.object-type.1',
      rule: 'A type is one of the model; others set nothing',
      cases: [
        ...takes('test:attribute:object-type', ['std:type:book', 'std:type:person:staff']),
        ...refuses('test:attribute:object-type', ['std:type:none', 'toString', 7, ['std:type:book']]),
      ],
    },
    {
      id: 'data-types.ref.1',
      rule: 'A reference is only what a filter or a table made one',
      cases: [
        ...takes(WORKS_FOR, [as('example:org:arts', { ref: 'behaviour:example:org:arts' })], {
          filters: ['haplo:code-to-ref'],
        }),
        ...refuses(WORKS_FOR, ['example:org:arts', '7', 7, { ref: '7' }, [{ ref: '7' }], true]),
      ],
    },
    {
      id: 'data-types.json.1',
      rule: 'Objects and lists are kept as they are; others set nothing',
      cases: [
        ...takes('test:attribute:json', [{ a: [1, null, { b: '' }] }, [], [[false]], ['x', 'x']]),
        ...refuses('test:attribute:json', ['x', 7, true, '{}']),
      ],
    },
    {
      id: 'data-types.tags.1',
      rule: 'Tags are text',
      cases: [
        maps([to('user:tags', 'a', 'test:tag:door')], { a: 7 }, { tags: { 'test:tag:door': '7' } }),
        maps([to('user:tags', 'a', 'test:tag:door')], { a: ['x'] }, { tags: {} }),
      ],
    },
  ],
};
