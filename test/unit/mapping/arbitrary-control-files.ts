import fc from 'fast-check';
import type { JsonValue } from '../../../src/domain/record.js';
import type { ExistingObject, ExistingUser } from '../../../src/mapping/existing.js';
import { NOBODY } from './mapping-case.js';
import type { NaiveInstruction } from './naive-interpreter.js';

/** Instructions, records and directories at random, of names so few that they often meet. */

const MANAGER = 'std:attribute:relationship-manager';
const REVIEWER = 'test:attribute:reviewer';
const BOOK_TITLE = 'test:attribute:book-title';
const POST = 'profile:attribute-group:test:attribute:post';
const LOAN = 'book:attribute-group:test:attribute:loan';

/** The first is the most frequent, so that instructions often meet at the same name. */
const ATTRIBUTES = [
  'std:attribute:job-title',
  'std:attribute:job-title',
  'std:attribute:job-title',
  'test:attribute:integer',
  'test:attribute:boolean',
  'test:attribute:json',
  MANAGER,
];
const BOOK_ATTRIBUTES = [BOOK_TITLE, BOOK_TITLE, REVIEWER];
const QUALIFIERS = ['std:qualifier:home', 'std:qualifier:office'];
const SOURCES = ['a', 'a', 'a', 'b', 'c', 'value', '__proto__', 'constructor', 'length'];
const USER_NAMES = ['title', 'nameFirst', 'nameLast', 'email'];
const DEPENDENTS = ['book', 'book', 'book:page'];

const texts = fc.constantFrom(
  '',
  'x',
  'X',
  '7',
  '-7',
  '7.0',
  'true',
  'false',
  'a@b',
  '@',
  'GB',
  'example:group:staff',
  'example:group:students',
  'example:group:reviewers',
);

const scalars: fc.Arbitrary<JsonValue> = fc.oneof(texts, fc.constantFrom(null, true, false, 0, 7, -7, 0.5));

const values: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    scalars,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...SOURCES), tie('value'), { maxKeys: 4, noNullPrototype: false }),
  ),
})).value;

export const records = fc
  .dictionary(fc.constantFrom(...SOURCES, 'u'), values, { minKeys: 1, maxKeys: 8, noNullPrototype: false })
  .map((record) => ({ u: 'Joe', ...record }));

const filters = fc.array(
  fc.constantFrom('haplo:to-lower-case', 'haplo:to-upper-case', 'haplo:to-string', 'haplo:username-to-ref'),
  { maxLength: 2 },
);

const conversions = fc.record(
  {
    mapInputValue: fc.dictionary(fc.constantFrom('x', '7', 'true', '0', 'constructor'), scalars, { maxKeys: 2 }),
    mapInputValueDefault: scalars,
    filters,
  },
  { requiredKeys: [] },
);

interface Target {
  readonly destination: string;
  readonly name: string;
}

const named = (destination: string, names: readonly string[]): fc.Arbitrary<Target> =>
  fc.constantFrom(...names).map((name) => ({ destination, name }));

const parts = fc.oneof(
  named('value:person-name', ['first', 'last', 'last']),
  named('value:postal-address', ['city', 'country', 'country']),
);

/** Names that hold one value. */
const single = fc.oneof(
  named('user', USER_NAMES),
  named('user:tags', ['test:tag:door']),
  named('test:locker', ['number', 'number', 'colour']),
);

/** Names that hold several values, with qualifiers. */
const several = fc.oneof(
  { weight: 4, arbitrary: named('profile', ATTRIBUTES) },
  { weight: 3, arbitrary: named('book', BOOK_ATTRIBUTES) },
  { weight: 2, arbitrary: named('book:page', [BOOK_TITLE]) },
  { weight: 1, arbitrary: named(POST, ['test:attribute:text']) },
  { weight: 1, arbitrary: named(LOAN, ['test:attribute:text', REVIEWER]) },
);

const anyName = fc.oneof(
  { weight: 4, arbitrary: several },
  { weight: 3, arbitrary: single },
  { weight: 1, arbitrary: fc.constant({ destination: 'user', name: 'groups' }) },
  { weight: 1, arbitrary: parts },
);

const together = <T extends object>(...all: fc.Arbitrary<object>[]): fc.Arbitrary<T> =>
  fc.tuple(...all).map((each) => Object.assign({}, ...each) as T);

function targets(inLoop: boolean): fc.Arbitrary<object> {
  const multivalue = fc.record({ multivalue: inLoop ? fc.constant(true) : fc.boolean() });
  const qualifier = fc.record({ qualifier: fc.constantFrom(...QUALIFIERS) }, { requiredKeys: [] });
  return fc.oneof(
    { weight: 8, arbitrary: together(several, multivalue, qualifier) },
    { weight: 1, arbitrary: together(fc.constant({ destination: 'user', name: 'groups' }), multivalue) },
    { weight: 2, arbitrary: together(single, multivalue) },
    { weight: 2, arbitrary: parts },
  );
}

const sources = fc.constantFrom(...SOURCES);

/** What takes something out of a pseudo-destination. */
function taking(inLoop: boolean): fc.Arbitrary<NaiveInstruction> {
  const multivalue = fc.record({ multivalue: inLoop ? fc.constant(true) : fc.boolean() });
  const structured = fc.constantFrom(
    {
      action: 'field-structured',
      structured: 'value:person-name',
      destination: 'profile',
      name: 'dc:attribute:title',
      qualifier: 'dc:qualifier:alternative',
    },
    {
      action: 'field-structured',
      structured: 'value:postal-address',
      destination: 'profile',
      name: 'std:attribute:address',
    },
  );
  const group = fc.constantFrom<NaiveInstruction>(
    { action: 'set-attribute-group', source: POST, destination: 'profile', name: 'test:attribute:post' },
    { action: 'set-attribute-group', source: LOAN, destination: 'book', name: 'test:attribute:loan' },
  );
  return fc.oneof(together<NaiveInstruction>(structured, multivalue), group);
}

/** What names an object, most often one that the destination can have, and a change of it when it was found. */
const loads = fc
  .oneof(
    fc.tuple(fc.constant('book'), fc.constantFrom('17', '17', '20', '20', '22', '21', '404')),
    fc.tuple(fc.constant('book:page'), fc.constantFrom('18', '18', '21', '21', '23', '23', '20')),
  )
  .map(([destination, value]): [NaiveInstruction, NaiveInstruction, NaiveInstruction] => [
    { action: 'set-value', value, destination: 'load:by-ref', name: 'ref', filters: ['haplo:string-to-ref'] },
    { action: 'load', destination, using: 'load:by-ref' },
    { action: 'set-value', value, destination, name: BOOK_TITLE, multivalue: true },
  ]);

/** A list of instructions that may stand in a control file. */
export function arbitraryInstructions(depth: number, inLoop: boolean): fc.Arbitrary<NaiveInstruction[]> {
  const assigned = (head: fc.Arbitrary<object>): fc.Arbitrary<NaiveInstruction[]> =>
    together<NaiveInstruction>(head, targets(inLoop), conversions).map((one) => [one]);
  const constants = fc.oneof({ weight: 3, arbitrary: scalars }, { weight: 1, arbitrary: values });
  const dependents = fc.constantFrom(...DEPENDENTS);
  const one = (arbitrary: fc.Arbitrary<NaiveInstruction>): fc.Arbitrary<NaiveInstruction[]> =>
    arbitrary.map((instruction) => [instruction]);
  const plain = fc.oneof(
    { weight: 4, arbitrary: assigned(fc.record({ source: sources })) },
    { weight: 6, arbitrary: assigned(fc.record({ action: fc.constant('set-value'), value: constants })) },
    { weight: 1, arbitrary: one(anyName.map((target) => ({ action: 'remove-values', ...target }))) },
    { weight: 1, arbitrary: fc.constant<NaiveInstruction[]>([{ action: 'log-error', message: 'm' }]) },
    { weight: 2, arbitrary: one(taking(inLoop)) },
    { weight: 2, arbitrary: one(dependents.map((destination) => ({ action: 'new', destination }))) },
  );
  const flat = (lists: NaiveInstruction[][]): NaiveInstruction[] => lists.flat();
  if (depth === 0) return fc.array(plain, { maxLength: 4 }).map(flat);
  const list = arbitraryInstructions(depth - 1, inLoop);
  const branches = fc.record({ then: list, else: list });
  const condition = (head: fc.Arbitrary<object>): fc.Arbitrary<NaiveInstruction[]> =>
    one(together<NaiveInstruction>(head, branches));
  const assertion = fc.record({
    action: fc.constant('assert-destination'),
    destination: dependents,
    exists: fc.boolean(),
  });
  const loading = fc
    .tuple(loads, list, fc.constantFrom(true, true, true, true, false))
    .map(([[name, load, change], otherwise, isForgiving]): NaiveInstruction[] => [
      name,
      isForgiving ? { ...load, otherwise } : load,
      change,
    ]);
  const nested: fc.Arbitrary<NaiveInstruction[]>[] = [
    condition(fc.record({ action: fc.constant('if-exists'), source: sources })),
    condition(
      fc.record({
        action: fc.constant('if-value-one-of'),
        source: sources,
        values: fc.array(scalars, { maxLength: 3 }),
      }),
    ),
    condition(anyName.map((target) => ({ action: 'if-has-value', ...target }))),
    one(fc.record({ action: fc.constant('within'), source: sources, instructions: list })),
    one(
      fc.record({
        action: fc.constant('for-each'),
        source: sources,
        wrapValues: fc.boolean(),
        instructions: arbitraryInstructions(depth - 1, true),
      }),
    ),
    one(
      fc.record({
        action: fc.constant('if-exists'),
        source: sources,
        then: fc.constantFrom([{ action: 'abort-record', message: 'm' }], []),
      }),
    ),
    one(fc.record({ action: fc.constant('if-exists'), source: sources, then: fc.tuple(assertion) })),
  ];
  return fc
    .array(
      fc.oneof(
        { weight: 8, arbitrary: plain },
        { weight: 4, arbitrary: fc.oneof(...nested) },
        { weight: 2, arbitrary: loading },
      ),
      { maxLength: 8, size: 'medium' },
    )
    .map(flat);
}

function attributesOf(names: readonly string[]): fc.Arbitrary<ExistingObject['attributes']> {
  const value = fc.record(
    { value: fc.constantFrom('x', 'X', 7), qualifier: fc.constantFrom(...QUALIFIERS) },
    { requiredKeys: ['value'] },
  );
  const list = fc.uniqueArray(value, { maxLength: 3, selector: (one) => JSON.stringify(one) });
  return fc.dictionary(fc.constantFrom(...names), list, { maxKeys: 3, noNullPrototype: true });
}

function object(ref: string, type: string, owner: string | null, origin: string | null): fc.Arbitrary<ExistingObject> {
  return attributesOf([BOOK_TITLE]).map((attributes) => ({ ref, types: [type], owner, origin, attributes }));
}

/** Some of what can be there; a page only with its book. Only objects that are nobody's first are ever loaded. */
const belonging = fc
  .tuple(
    object('10', 'std:type:book', '1', null),
    object('11', 'std:type:book', '1', 'book/0'),
    object('12', 'std:type:book', '1', 'book/1'),
    object('13', 'test:type:page', '10', null),
    object('14', 'test:type:page', '10', 'book:page/1'),
    object('15', 'test:type:page', '11', 'book:page/0'),
    object('16', 'std:type:organisation', '1', null),
    object('17', 'std:type:book', '1', 'book/9'),
    object('18', 'test:type:page', '10', 'book:page/9'),
  )
  .chain((all) => fc.subarray(all))
  .map((some) => some.filter(({ owner }) => owner === '1' || some.some(({ ref }) => ref === owner)));

export const existingUsers: fc.Arbitrary<ExistingUser> = fc.record({
  user: fc.record(
    { title: fc.constant('Dr'), groups: fc.constantFrom([], ['example:group:staff']) },
    { requiredKeys: [] },
  ),
  tags: fc.dictionary(fc.constant('test:tag:door'), fc.constant('1'), { noNullPrototype: true }),
  dictionaries: fc.constantFrom({}, { 'test:locker': { number: 7, colour: 'red' } }),
  profile: attributesOf(ATTRIBUTES),
  profileRef: fc.constant(NOBODY.profileRef),
  objects: belonging,
});

/** Objects of nobody and of somebody else, of which `load` knows. */
export const loadableObjects: fc.Arbitrary<ExistingObject[]> = fc
  .tuple(
    object('20', 'std:type:book', null, null),
    object('21', 'test:type:page', null, null),
    object('22', 'std:type:book', '99', null),
    object('23', 'test:type:page', '20', 'book:page/9'),
  )
  .chain((all) => fc.subarray(all))
  .map((some) => some.filter(({ owner }) => owner !== '20' || some.some(({ ref }) => ref === '20')));
