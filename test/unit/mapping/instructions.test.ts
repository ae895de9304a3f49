import { expect } from 'chai';
import type { InputRecord } from '../../../src/domain/record.js';
import type { AttributeChange } from '../../../src/mapping/mapped.js';
import { accepted, codesOf, mapped, mappingOf, NOBODY, USER_FIELDS } from './mapping-case.js';

const JOB = 'std:attribute:job-title';
const HOME = 'std:qualifier:home';
const OFFICE = 'std:qualifier:office';

const set = (source: string, more: object = {}): object => ({ source, destination: 'profile', name: JOB, ...more });
const put = (value: unknown, more: object = {}): object => ({
  action: 'set-value',
  value,
  destination: 'profile',
  name: JOB,
  ...more,
});
const remove = { action: 'remove-values', destination: 'profile', name: JOB };

type Row = readonly [rule: string, instructions: readonly object[], record: InputRecord, job?: AttributeChange];

const all = (...values: string[]): AttributeChange => ({ drop: 'all', values: values.map((value) => ({ value })) });
const added = (...values: string[]): AttributeChange => ({ drop: [], values: values.map((value) => ({ value })) });

const ROWS: readonly Row[] = [
  ['field is the action by default', [set('a')], { a: 'x' }, all('x')],
  ['an absent source sets nothing', [set('a')], {}],
  ['zero is set', [set('a')], { a: 0 }, all('0')],
  ['a name of the prototype is no source', [set('constructor'), set('__proto__'), set('toString')], {}],
  ['an own name like that of a prototype is a source', [set('constructor')], { constructor: 'x' }, all('x')],
  ['set-value sets a constant', [put('x')], {}, all('x')],
  ['set-value converts like field', [put('x', { filters: ['haplo:to-upper-case'] })], {}, all('X')],
  ['a value replaces the one before', [set('a'), set('b')], { a: 'x', b: 'y' }, all('y')],
  ['a value that is not there replaces nothing', [set('a'), set('b')], { a: 'x' }, all('x')],

  ['multivalue adds after the existing', [set('a', { multivalue: true })], { a: 'x' }, added('x')],
  ['multivalue adds after what was set', [set('a'), set('b', { multivalue: true })], { a: 'x', b: 'y' }, all('x', 'y')],
  [
    'multivalue does not add a value twice',
    [set('a', { multivalue: true }), set('b', { multivalue: true })],
    { a: 'x', b: 'x' },
    added('x'),
  ],
  [
    'the same value with another qualifier is another value',
    [set('a', { multivalue: true }), set('a', { multivalue: true, qualifier: HOME })],
    { a: 'x' },
    { drop: [], values: [{ value: 'x' }, { value: 'x', qualifier: HOME }] },
  ],
  [
    'a qualified value replaces only those of its qualifier',
    [set('a', { qualifier: HOME })],
    { a: 'x' },
    { drop: [HOME], values: [{ value: 'x', qualifier: HOME }] },
  ],
  [
    'a qualified value replaces an earlier one of this record',
    [set('a', { qualifier: HOME }), set('b', { qualifier: HOME })],
    { a: 'x', b: 'y' },
    { drop: [HOME], values: [{ value: 'y', qualifier: HOME }] },
  ],
  [
    'a qualified value keeps those of other qualifiers',
    [set('a', { qualifier: HOME }), set('b', { qualifier: OFFICE })],
    { a: 'x', b: 'y' },
    {
      drop: [HOME, OFFICE],
      values: [
        { value: 'x', qualifier: HOME },
        { value: 'y', qualifier: OFFICE },
      ],
    },
  ],
  [
    'a plain value replaces qualified ones too',
    [set('a', { qualifier: HOME }), set('b')],
    { a: 'x', b: 'y' },
    all('y'),
  ],
  [
    'a qualified value after a plain one stands beside it',
    [set('a'), set('b', { qualifier: HOME })],
    { a: 'x', b: 'y' },
    { drop: 'all', values: [{ value: 'x' }, { value: 'y', qualifier: HOME }] },
  ],
  ['remove-values removes everything', [remove], {}, all()],
  ['remove-values removes what was set', [set('a', { multivalue: true }), remove], { a: 'x' }, all()],
  ['values after remove-values are the only ones', [remove, set('a', { multivalue: true })], { a: 'x' }, all('x')],

  [
    'if-exists runs then',
    [{ action: 'if-exists', source: 'a', then: [put('yes')], else: [put('no')] }],
    { a: 'x' },
    all('yes'),
  ],
  ['if-exists takes zero for there', [{ action: 'if-exists', source: 'a', then: [put('yes')] }], { a: 0 }, all('yes')],
  [
    'if-exists runs else for empty text',
    [{ action: 'if-exists', source: 'a', then: [put('yes')], else: [put('no')] }],
    { a: '' },
    all('no'),
  ],
  ['if-exists runs else for null', [{ action: 'if-exists', source: 'a', else: [put('no')] }], { a: null }, all('no')],
  ['if-exists without else does nothing', [{ action: 'if-exists', source: 'a', then: [put('yes')] }], {}],
  [
    'if-value-one-of runs then',
    [{ action: 'if-value-one-of', source: 'a', values: ['x', 1], then: [put('yes')] }],
    { a: 1 },
    all('yes'),
  ],
  [
    'if-value-one-of is strict',
    [{ action: 'if-value-one-of', source: 'a', values: ['1'], then: [put('yes')], else: [put('no')] }],
    { a: 1 },
    all('no'),
  ],
  [
    'if-value-one-of can ask for false',
    [{ action: 'if-value-one-of', source: 'a', values: [false], then: [put('yes')] }],
    { a: false },
    all('yes'),
  ],
  [
    'if-value-one-of runs else when absent',
    [{ action: 'if-value-one-of', source: 'a', values: ['x'], then: [], else: [put('no')] }],
    {},
    all('no'),
  ],

  [
    'within looks at a nested object',
    [{ action: 'within', source: 'a', instructions: [set('b')] }],
    { a: { b: 'x' } },
    all('x'),
  ],
  ['within an absent object does nothing', [{ action: 'within', source: 'a', instructions: [put('x')] }], {}],
  [
    'within a text does nothing',
    [{ action: 'within', source: 'a', instructions: [set('length'), put('x')] }],
    { a: 'abc' },
  ],
  ['within a list does nothing', [{ action: 'within', source: 'a', instructions: [set('length')] }], { a: ['abc'] }],
  [
    'within sees nothing of the record',
    [{ action: 'within', source: 'a', instructions: [set('b')] }],
    { a: {}, b: 'x' },
  ],

  [
    'for-each runs for each element',
    [{ action: 'for-each', source: 'a', instructions: [set('b', { multivalue: true })] }],
    { a: [{ b: 'x' }, { b: 'y' }] },
    added('x', 'y'),
  ],
  [
    'for-each runs for each value of an object',
    [{ action: 'for-each', source: 'a', instructions: [set('b', { multivalue: true })] }],
    { a: { one: { b: 'x' }, two: { b: 'y' } } },
    added('x', 'y'),
  ],
  [
    'for-each wraps elements',
    [{ action: 'for-each', source: 'a', wrapValues: true, instructions: [set('value', { multivalue: true })] }],
    { a: ['x', 'y', 'x'] },
    added('x', 'y'),
  ],
  [
    'for-each takes elements that are no objects for empty ones',
    [
      {
        action: 'for-each',
        source: 'a',
        instructions: [set('length', { multivalue: true }), put('z', { multivalue: true })],
      },
    ],
    { a: ['x', null, ['y']] },
    added('z'),
  ],
  [
    'for-each over a text does nothing',
    [{ action: 'for-each', source: 'a', wrapValues: true, instructions: [set('value', { multivalue: true })] }],
    { a: 'xyz' },
  ],
  [
    'for-each over nothing does nothing',
    [{ action: 'for-each', source: 'a', instructions: [put('x', { multivalue: true })] }],
    {},
  ],
];

describe('instructions', () => {
  for (const [rule, instructions, record, job] of ROWS) {
    it(rule, () => {
      const outcome = accepted(instructions, record);
      expect(outcome.profile[JOB]).to.deep.equal(job);
      expect(outcome.errors).to.deep.equal([]);
    });
  }

  it('adds a long list in no time, and no value twice', () => {
    const loop = {
      action: 'for-each',
      source: 'a',
      wrapValues: true,
      instructions: [set('value', { multivalue: true })],
    };
    const outcome = accepted([loop], { a: Array.from({ length: 60_000 }, (_, index) => `v${index % 30_000}`) });
    expect(outcome.profile[JOB]?.values).to.have.length(30_000);
  });

  it('lists at most a hundred errors of one record', () => {
    const url = { source: 'value', destination: 'profile', name: 'std:attribute:url', multivalue: true };
    const loop = { action: 'for-each', source: 'a', wrapValues: true, instructions: [url] };
    const { errors } = accepted([loop], { a: Array.from({ length: 300 }, () => 'x') });
    expect(errors).to.have.length(100);
    expect(errors.at(-1)?.message).to.include('200 more errors');
  });

  it('abort-record rejects the record and runs nothing more', () => {
    const outcome = mapped(
      [
        { action: 'if-exists', source: 'bad', then: [{ action: 'abort-record', message: 'Is bad.' }] },
        put('x', { name: 'std:attribute:url' }),
      ],
      { bad: 1 },
    );
    expect(outcome).to.deep.equal({
      accepted: false,
      username: 'joe',
      errors: [{ code: 'aborted', message: 'Is bad.' }],
    });
  });

  it('abort-record inside loops and nested objects ends everything', () => {
    const abort = { action: 'abort-record', message: 'no' };
    const within = { action: 'within', source: 'o', instructions: [abort] };
    const loop = { action: 'for-each', source: 'a', instructions: [within] };
    expect(codesOf(mapped([loop], { a: [{ o: {} }, { o: {} }] }))).to.deep.equal(['aborted']);
  });

  it('a record that is aborted before its username is set still has one', () => {
    const mapping = mappingOf([]);
    expect(mapping.readUsername(USER_FIELDS)).to.equal('joe');
    const early = mapped([{ action: 'abort-record', message: 'no' }], {});
    expect(early.username).to.equal('joe');
  });

  it('log-error logs, and the record goes on', () => {
    const outcome = accepted([{ action: 'log-error', message: 'Look.' }, put('x')], {});
    expect(outcome.errors).to.deep.equal([{ code: 'logged', message: 'Look.' }]);
    expect(outcome.profile[JOB]).to.deep.equal(all('x'));
  });

  describe('field-structured', () => {
    const part = (source: string, type: string, name = source): object => ({
      source,
      destination: `value:${type}`,
      name,
    });
    const take = (type: string, name: string, more: object = {}): object => ({
      action: 'field-structured',
      structured: `value:${type}`,
      destination: 'profile',
      name,
      ...more,
    });
    const address = [
      part('street1', 'postal-address'),
      part('city', 'postal-address'),
      part('country', 'postal-address'),
      take('postal-address', 'std:attribute:address', { multivalue: true }),
    ];
    const name = [part('given', 'person-name', 'first'), part('family', 'person-name', 'last')];

    it('sets what was collected as one value, in the order of the fields', () => {
      const outcome = accepted(address, { country: 'GB', street1: '1 High Street' });
      const value = { street1: '1 High Street', country: 'GB' };
      expect(outcome.profile['std:attribute:address']).to.deep.equal({ drop: [], values: [{ value }] });
    });

    it('starts empty again afterwards', () => {
      const outcome = accepted([...address, part('s2', 'postal-address', 'street1'), ...address.slice(-1)], {
        street1: 'a',
        country: 'GB',
        s2: 'b',
      });
      expect(codesOf(outcome)).to.deep.equal(['invalid-address']);
      expect(outcome.profile['std:attribute:address']?.values).to.have.length(1);
    });

    it('sets nothing, and is no error, when nothing was collected', () => {
      const outcome = accepted(address, {});
      expect(outcome.profile).to.deep.equal({});
      expect(outcome.errors).to.deep.equal([]);
    });

    for (const country of [undefined, 'England', 'XX', 'gb', 'UK']) {
      it(`an address in ${country ?? 'no country'} is an error`, () => {
        const outcome = accepted(address, { city: 'London', ...(country === undefined ? {} : { country }) });
        expect(outcome.errors).to.have.length(1);
        expect(outcome.errors[0]).to.include({ code: 'invalid-address', source: 'country' });
        expect(outcome.profile).to.deep.equal({});
      });
    }

    it('clears what could not be set', () => {
      const outcome = accepted([...address, part('c2', 'postal-address', 'country'), ...address.slice(-1)], {
        city: 'London',
        c2: 'GB',
      });
      expect(outcome.profile['std:attribute:address']?.values).to.deep.equal([{ value: { country: 'GB' } }]);
    });

    it("a person's name needs a last name", () => {
      const title = take('person-name', 'dc:attribute:title', { qualifier: 'dc:qualifier:alternative' });
      expect(codesOf(accepted([...name, title], { given: 'Joe' }))).to.deep.equal(['invalid-name']);
      expect(accepted([...name, title], { given: 'Joe', family: 'B' }).profile['dc:attribute:title']).to.deep.equal({
        drop: ['dc:qualifier:alternative'],
        values: [{ value: { first: 'Joe', last: 'B' }, qualifier: 'dc:qualifier:alternative' }],
      });
    });
  });

  it('set-attribute-group appends what was collected as one group, then starts empty again', () => {
    const group = 'profile:attribute-group:test:attribute:post';
    const collect = [
      { source: 't', destination: group, name: 'test:attribute:text', multivalue: true },
      { source: 'd', destination: group, name: 'std:attribute:date', dateFormat: 'yyyy', qualifier: HOME },
      { action: 'set-attribute-group', source: group, destination: 'profile', name: 'test:attribute:post' },
    ];
    const loop = { action: 'for-each', source: 'posts', instructions: collect };
    const outcome = accepted([loop], { posts: [{ t: 'a', d: '2026' }, {}, { t: 'b' }] });
    expect(outcome.profile).to.deep.equal({
      'test:attribute:post': {
        drop: [],
        values: [
          {
            value: {
              'test:attribute:text': [{ value: 'a' }],
              'std:attribute:date': [{ value: '2026-01-01', qualifier: HOME }],
            },
          },
          { value: { 'test:attribute:text': [{ value: 'b' }] } },
        ],
      },
    });
  });

  describe('if-has-value', () => {
    const ask = (destination: string, name: string): object => ({
      action: 'if-has-value',
      destination,
      name,
      then: [{ action: 'log-error', message: 'yes' }],
      else: [{ action: 'log-error', message: 'no' }],
    });
    const answers = (
      instructions: readonly object[],
      record: InputRecord,
      existing?: Parameters<ReturnType<typeof mappingOf>['map']>[1],
    ): string[] =>
      mappingOf(instructions)
        .map({ ...USER_FIELDS, ...record }, existing)
        .errors.map((error) => error.message);
    const existing = {
      ...NOBODY,
      user: { title: 'Dr' },
      tags: { 'test:tag:door': '1' },
      profile: { [JOB]: [{ value: 'old', qualifier: HOME }] },
    };

    it('sees what was set earlier for this record', () => {
      expect(answers([ask('user', 'title')], {})).to.deep.equal(['no']);
      expect(
        answers([{ source: 't', destination: 'user', name: 'title' }, ask('user', 'title')], { t: 'Dr' }),
      ).to.deep.equal(['yes']);
      expect(answers([set('a'), ask('profile', JOB)], { a: 'x' })).to.deep.equal(['yes']);
      expect(answers([set('a'), remove, ask('profile', JOB)], { a: 'x' })).to.deep.equal(['no']);
    });

    it('sees what the directory holds', () => {
      expect(answers([ask('profile', JOB)], {}, existing)).to.deep.equal(['yes']);
      expect(answers([ask('profile', JOB)], {})).to.deep.equal(['no']);
      expect(answers([ask('user', 'title')], {}, existing)).to.deep.equal(['yes']);
      expect(answers([remove, ask('profile', JOB)], {}, existing)).to.deep.equal(['no']);
      expect(answers([ask('user:tags', 'test:tag:door')], {}, existing)).to.deep.equal(['yes']);
      expect(
        answers(
          [
            { action: 'remove-values', destination: 'user:tags', name: 'test:tag:door' },
            ask('user:tags', 'test:tag:door'),
          ],
          {},
          existing,
        ),
      ).to.deep.equal(['no']);
    });

    it('tells that it needs the directory', () => {
      expect(mappingOf([ask('profile', JOB)]).needs.users).to.equal(true);
      expect(mappingOf([ask('user', 'title')]).needs.users).to.equal(true);
      expect(mappingOf([ask('value:person-name', 'last')]).needs.users).to.equal(false);
      expect(mappingOf([set('a')]).needs).to.deep.equal({
        users: false,
        objects: false,
        behaviours: false,
        titles: [],
      });
    });
  });
});
