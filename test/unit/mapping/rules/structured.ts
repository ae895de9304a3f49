import {
  ADDRESS,
  DATE,
  field,
  forEach,
  HOME,
  JOB,
  maps,
  MULTI,
  put,
  q,
  remove,
  runs,
  TITLE,
  to,
  type Chapter,
} from './rule.js';

const POST = 'test:attribute:post';
const GROUP = `profile:attribute-group:${POST}`;
const TEXT = 'test:attribute:text';
const QUALIFIED = { qualifier: 'dc:qualifier:alternative' };

const address = (more: object = {}): object => ({
  action: 'field-structured',
  structured: 'value:postal-address',
  destination: 'profile',
  name: ADDRESS,
  ...more,
});
const name = (more: object = QUALIFIED): object => ({
  action: 'field-structured',
  structured: 'value:person-name',
  destination: 'profile',
  name: TITLE,
  ...more,
});
const part = (source: string, more: object = {}): object => to('value:postal-address', source, source, more);
const PARTS = ['street1', 'street2', 'city', 'county', 'postcode', 'country'].map((one) => part(one));
/** The record has `first` and `last` of the user already. */
const NAMES = ['title', 'first', 'middle', 'last', 'suffix'].map((one) => to('value:person-name', `own-${one}`, one));
const GB = { country: 'GB' };

const take = { action: 'set-attribute-group', source: GROUP, destination: 'profile', name: POST };
const text = (source: string, more: object = {}): object => to(GROUP, source, TEXT, more);
const group = (...values: string[]): { [TEXT]: { value: string }[] } => ({
  [TEXT]: values.map((value) => ({ value })),
});

export const STRUCTURED: Chapter = {
  name: 'structured',
  rules: [
    {
      id: 'structured.field-structured.1',
      rule: 'What was collected is set as one value',
      cases: [
        maps(
          [...PARTS, address()],
          { street1: '1 High St', city: 'Leeds', postcode: 'LS1', ...GB },
          {
            profile: { [ADDRESS]: [{ street1: '1 High St', city: 'Leeds', postcode: 'LS1', country: 'GB' }] },
          },
        ),
        maps(
          [...NAMES, name()],
          { 'own-title': 'Dr', 'own-first': 'Joe', 'own-middle': 'J', 'own-last': 'Bloggs', 'own-suffix': 'PhD' },
          {
            profile: {
              [TITLE]: [
                q({ title: 'Dr', first: 'Joe', middle: 'J', last: 'Bloggs', suffix: 'PhD' }, QUALIFIED.qualifier),
              ],
            },
          },
        ),
        maps(
          [...PARTS, remove('value:postal-address', 'city'), address()],
          { city: 'Leeds', ...GB },
          {
            profile: { [ADDRESS]: [{ country: 'GB' }] },
          },
        ),
        maps(
          [part('city'), put('York', 'city', { destination: 'value:postal-address' }), ...PARTS.slice(5), address()],
          { city: 'Leeds', ...GB },
          {
            profile: { [ADDRESS]: [{ city: 'York', country: 'GB' }] },
          },
        ),
      ],
    },
    {
      id: 'structured.field-structured.2',
      rule: 'It replaces or is added, with or without a qualifier, as any value is',
      cases: [
        maps(
          [...PARTS, address({ qualifier: HOME })],
          GB,
          {
            profile: { [ADDRESS]: [{ country: 'FR' }, q({ country: 'GB' }, HOME)] },
          },
          { existing: { profile: { [ADDRESS]: [{ value: { country: 'FR' } }] } } },
        ),
        maps(
          [...PARTS, address(MULTI)],
          GB,
          { profile: { [ADDRESS]: [{ country: 'FR' }, { country: 'GB' }] } },
          {
            existing: { profile: { [ADDRESS]: [{ value: { country: 'FR' } }] } },
          },
        ),
        maps(
          [...PARTS, address()],
          GB,
          { profile: { [ADDRESS]: [{ country: 'GB' }] } },
          {
            existing: { profile: { [ADDRESS]: [{ value: { country: 'FR' } }] } },
          },
        ),
      ],
    },
    {
      id: 'structured.field-structured.3',
      rule: 'Afterwards the collection is empty',
      cases: [
        maps(
          [...PARTS, address(), address({ qualifier: HOME })],
          { city: 'Leeds', ...GB },
          {
            profile: { [ADDRESS]: [{ city: 'Leeds', country: 'GB' }] },
          },
        ),
        maps(
          [forEach('a', ...PARTS, address(MULTI))],
          { a: [{ city: 'Leeds', ...GB }, GB] },
          {
            profile: { [ADDRESS]: [{ city: 'Leeds', country: 'GB' }, { country: 'GB' }] },
          },
        ),
      ],
    },
    {
      id: 'structured.field-structured.4',
      rule: 'The collection is empty afterwards also when nothing could be set',
      cases: [
        maps(
          [...PARTS, address(), to('value:postal-address', 'later', 'country'), address()],
          { city: 'Leeds', later: 'GB' },
          {
            profile: { [ADDRESS]: [{ country: 'GB' }] },
            errors: ['invalid-address'],
          },
        ),
        maps(
          [...NAMES, name(), to('value:person-name', 'later', 'last'), name()],
          { 'own-first': 'Joe', later: 'Bloggs' },
          {
            profile: { [TITLE]: [q({ last: 'Bloggs' }, QUALIFIED.qualifier)] },
            errors: ['invalid-name'],
          },
        ),
      ],
    },
    {
      id: 'structured.field-structured.5',
      rule: 'With nothing collected nothing is set, and that is no error',
      cases: [maps([...PARTS, address(), ...NAMES, name()], {}, { profile: {} })],
    },
    {
      id: 'structured.attribute-group.1',
      rule: 'What was collected is appended as one group',
      cases: [
        maps(
          [text('a'), to(GROUP, 'd', DATE, { dateFormat: 'yyyy' }), take],
          { a: 'x', d: '2026' },
          {
            profile: { [POST]: [{ ...group('x'), [DATE]: [{ value: '2026-01-01' }] }] },
          },
        ),
        maps(
          [text('a'), take],
          { a: 'x' },
          { profile: { [POST]: [group('w'), group('x')] } },
          {
            existing: { profile: { [POST]: [{ value: group('w') }] } },
          },
        ),
        maps([text('a'), text('b', MULTI), take], { a: 'x', b: 'y' }, { profile: { [POST]: [group('x', 'y')] } }),
        maps([text('a'), text('b'), take], { a: 'x', b: 'y' }, { profile: { [POST]: [group('y')] } }),
        maps(
          [text('a'), text('b', { qualifier: HOME }), take],
          { a: 'x', b: 'y' },
          {
            profile: { [POST]: [{ [TEXT]: [{ value: 'x' }, { value: 'y', qualifier: HOME }] }] },
          },
        ),
        maps(
          [text('a'), remove(GROUP, TEXT), text('b', MULTI), take],
          { a: 'x', b: 'y' },
          {
            profile: { [POST]: [group('y')] },
          },
        ),
      ],
    },
    {
      id: 'structured.attribute-group.2',
      rule: 'Afterwards the collection is empty, and an empty one appends nothing',
      cases: [
        maps([text('a'), take, take], { a: 'x' }, { profile: { [POST]: [group('x')] } }),
        maps([take], {}, { profile: {} }),
        maps(
          [forEach('l', text('a'), take)],
          { l: [{ a: 'x' }, {}, { a: 'y' }] },
          {
            profile: { [POST]: [group('x'), group('y')] },
          },
        ),
        maps([text('a')], { a: 'x' }, { profile: {} }),
      ],
    },
    {
      id: 'structured.attribute-group.3',
      rule: 'A group that is there already is not added twice',
      cases: [
        maps(
          [text('a'), take],
          { a: 'x' },
          { profile: { [POST]: [group('x')] } },
          {
            existing: { profile: { [POST]: [{ value: group('x') }] } },
          },
        ),
        runs(
          'groups are appended to those of the directory, each once',
          [forEach('l', text('a'), take), field('j')],
          [
            { batch: [{ u: 'ada', l: [{ a: 'x' }] }], users: { ada: { [POST]: [group('x')] } } },
            {
              batch: [{ u: 'ada', l: [{ a: 'y' }, { a: 'x' }], j: 'Dean' }],
              users: { ada: { [POST]: [group('x'), group('y')], [JOB]: ['Dean'] } },
            },
          ],
        ),
      ],
    },
  ],
};
