import { controlText, USER_INSTRUCTIONS } from '../mapping-case.js';
import {
  ADDRESS,
  checks,
  DATE,
  field,
  forEach,
  forEachValue,
  hasValue,
  JOB,
  log,
  MULTI,
  put,
  remove,
  TITLE,
  to,
  WORKS_FOR,
  type Chapter,
  type ControlCase,
} from './rule.js';

const AT = '/instructions/4';

/** Every key that the action needs, missing one after the other. */
function needs(whole: Record<string, unknown>, ...keys: string[]): ControlCase[] {
  return keys.map((key) => checks([{ ...whole, [key]: undefined }], [`missing-key ${AT}/${key}`]));
}

const NAMED = { destination: 'profile', name: JOB };
const structured = {
  action: 'field-structured',
  structured: 'value:postal-address',
  destination: 'profile',
  name: ADDRESS,
};
const group = {
  action: 'set-attribute-group',
  source: 'profile:attribute-group:test:attribute:post',
  destination: 'profile',
  name: 'test:attribute:post',
};
const load = { action: 'load', destination: 'book', using: 'load:by-ref' };
const newBook = { action: 'new', destination: 'book' };
const book = to('book', 'value', 'test:attribute:book-title');
const page = to('book:page', 'value', 'test:attribute:book-title');
const ref = to('load:by-ref', 'value', 'ref', { filters: ['haplo:string-to-ref'] });
const overwrites = (index: number): string => `overwrites-in-loop ${AT}/instructions/${index}`;
const username = (more: object = {}): object => to('user', 'u', 'username', more);
const alone = (...instructions: object[]): string => controlText([...instructions, ...USER_INSTRUCTIONS.slice(1)]);

export const VALIDATION: Chapter = {
  name: 'validation',
  rules: [
    {
      id: 'validation.action.1',
      rule: 'An action is one of those that there are',
      cases: [
        checks([{ action: 'fields' }], [`unknown-action ${AT}/action`]),
        checks([{ action: 'toString' }], [`unknown-action ${AT}/action`]),
        checks([{ action: 7 }], [`wrong-type ${AT}/action`]),
        checks(['field'] as unknown as object[], [`wrong-type ${AT}`]),
      ],
    },
    {
      id: 'validation.keys.1',
      rule: 'Each action has the keys that it needs',
      cases: [
        ...needs({ source: 'a', ...NAMED }, 'source', 'destination', 'name'),
        ...needs({ action: 'set-value', value: 1, ...NAMED }, 'value', 'destination', 'name'),
        ...needs(structured, 'structured', 'destination', 'name'),
        ...needs(group, 'source', 'destination', 'name'),
        ...needs({ action: 'remove-values', ...NAMED }, 'destination', 'name'),
        ...needs({ action: 'if-exists', source: 'a', then: [] }, 'source'),
        ...needs({ action: 'if-value-one-of', source: 'a', values: [], then: [] }, 'source', 'values'),
        ...needs({ action: 'if-has-value', ...NAMED, then: [] }, 'destination', 'name'),
        ...needs({ action: 'within', source: 'a', instructions: [] }, 'source', 'instructions'),
        ...needs({ action: 'for-each', source: 'a', instructions: [] }, 'source', 'instructions'),
        ...needs(newBook, 'destination'),
        ...needs(load, 'destination', 'using'),
        ...needs({ action: 'assert-destination', destination: 'book', exists: true }, 'destination', 'exists'),
        ...needs({ action: 'abort-record', message: 'no' }, 'message'),
        ...needs({ action: 'log-error', message: 'no' }, 'message'),
      ],
    },
    {
      id: 'validation.kinds.1',
      rule: 'Keys have values of their kind',
      cases: [
        checks([field(7 as unknown as string)], [`wrong-type ${AT}/source`]),
        checks([field('a', JOB, { multivalue: 'yes' })], [`wrong-type ${AT}/multivalue`]),
        checks([field('a', JOB, { qualifier: 7 })], [`wrong-type ${AT}/qualifier`]),
        checks([{ action: 'if-exists', source: 'a', then: {} }], [`wrong-type ${AT}/then`]),
        checks([{ action: 'if-exists', source: 'a', else: 'x' }], [`wrong-type ${AT}/else`]),
        checks([{ action: 'if-value-one-of', source: 'a', values: 'x', then: [] }], [`wrong-type ${AT}/values`]),
        checks([{ action: 'within', source: 'a', instructions: {} }], [`wrong-type ${AT}/instructions`]),
        checks(
          [{ action: 'for-each', source: 'a', wrapValues: 'yes', instructions: [] }],
          [`wrong-type ${AT}/wrapValues`],
        ),
        checks([{ action: 'assert-destination', destination: 'book', exists: 'yes' }], [`wrong-type ${AT}/exists`]),
        checks([{ ...load, otherwise: {} }], [`wrong-type ${AT}/otherwise`]),
        checks([{ action: 'log-error', message: 7 }], [`wrong-type ${AT}/message`]),
      ],
    },
    {
      id: 'validation.branches.1',
      rule: 'A condition has something to do',
      cases: [
        checks([{ action: 'if-exists', source: 'a' }], [`missing-key ${AT}`]),
        checks([{ action: 'if-value-one-of', source: 'a', values: [] }], [`missing-key ${AT}`]),
        checks([{ action: 'if-has-value', ...NAMED }], [`missing-key ${AT}`]),
        checks([{ action: 'if-exists', source: 'a', else: [] }], []),
      ],
    },
    {
      id: 'validation.destination.1',
      rule: 'A destination and its names are those of the model, wherever the instruction stands',
      cases: [
        checks([to('people', 'a', 'x')], [`unknown-destination ${AT}/destination`]),
        checks([to('profile', 'a', 'std:attribute:shoe')], [`unknown-name ${AT}/name`]),
        checks([to('user', 'a', 'shoe')], [`unknown-name ${AT}/name`]),
        checks([to('user:tags', 'a', 'shoe')], [`unknown-name ${AT}/name`]),
        checks([to('test:locker', 'a', 'shoe')], [`unknown-name ${AT}/name`]),
        checks([to('value:person-name', 'a', 'shoe')], [`unknown-name ${AT}/name`]),
        checks([to('load:by-ref', 'a', 'shoe')], [`unknown-name ${AT}/name`]),
        checks([to('book', 'a', JOB)], [`unknown-name ${AT}/name`]),
        checks([remove('profile', 'shoe')], [`unknown-name ${AT}/name`]),
        checks([hasValue('profile', 'shoe', [])], [`unknown-name ${AT}/name`]),
        checks([put(1, 'shoe')], [`unknown-name ${AT}/name`]),
        checks(
          [{ action: 'within', source: 'a', instructions: [forEach('b', to('x', 'a'))] }],
          [`unknown-destination ${AT}/instructions/0/instructions/0/destination`],
        ),
        checks([{ ...load, otherwise: [to('x', 'a')] }], [`unknown-destination ${AT}/otherwise/0/destination`]),
      ],
    },
    {
      id: 'validation.filters.1',
      rule: 'Filters are a list of those that there are',
      cases: [
        checks([field('a', JOB, { filters: 'haplo:to-string' })], [`wrong-type ${AT}/filters`]),
        checks([field('a', JOB, { filters: { a: 1 } })], [`wrong-type ${AT}/filters`]),
        checks([field('a', JOB, { filters: ['haplo:to-string', 'none'] })], [`unknown-filter ${AT}/filters/1`]),
        checks([put('a', JOB, { filters: ['none'] })], [`unknown-filter ${AT}/filters/0`]),
        checks([field('a', JOB, { filters: [] })], []),
      ],
    },
    {
      id: 'validation.qualifier.1',
      rule: 'A qualifier is one of the model',
      cases: [
        checks([field('a', JOB, { qualifier: 'std:qualifier:none' })], [`unknown-qualifier ${AT}/qualifier`]),
        checks([{ ...structured, qualifier: 'x' }], [`unknown-qualifier ${AT}/qualifier`]),
      ],
    },
    {
      id: 'validation.mapping.1',
      rule: 'A reference is looked up in a table that there is',
      cases: [
        checks([field('a', WORKS_FOR, { refMapping: 'none' })], [`unknown-mapping ${AT}/refMapping`]),
        checks([field('a', WORKS_FOR, { refMapping: 'toString' })], [`unknown-mapping ${AT}/refMapping`]),
      ],
    },
    {
      id: 'validation.structured.1',
      rule: 'A structured type is one that is collected, and fits the name',
      cases: [
        checks([{ ...structured, structured: 'value:shoe' }], [`unknown-structured-type ${AT}/structured`]),
        checks([{ ...structured, structured: 'profile' }], [`unknown-structured-type ${AT}/structured`]),
        checks([{ ...structured, structured: 'value:person-name' }], [`structured-mismatch ${AT}/structured`]),
        checks([{ ...group, source: 'value:person-name' }], [`unknown-attribute-group ${AT}/source`]),
        checks([{ ...group, name: JOB }], [`structured-mismatch ${AT}/source`]),
        checks([field('a', ADDRESS)], [`needs-structured-value ${AT}/name`]),
        checks([put('x', TITLE)], [`needs-structured-value ${AT}/name`]),
        checks([field('a', 'test:attribute:post')], [`needs-structured-value ${AT}/name`]),
      ],
    },
    {
      id: 'validation.loop.1',
      rule: 'Inside a loop what is neither added nor starts afresh would be overwritten',
      cases: [
        checks([forEachValue('a', field('value'))], [overwrites(0)]),
        checks([forEachValue('a', put('x'))], [overwrites(0)]),
        checks([forEachValue('a', to('user', 'value', 'groups'))], [overwrites(0)]),
        checks([forEachValue('a', to('user', 'value', 'title'))], [overwrites(0)]),
        checks([forEachValue('a', to('user:tags', 'value', 'test:tag:door'))], [overwrites(0)]),
        checks([forEachValue('a', structured)], [overwrites(0)]),
        checks([forEachValue('a', book)], [overwrites(0)]),
        checks(
          [forEach('a', { action: 'within', source: 'b', instructions: [field('c')] })],
          [`${overwrites(0)}/instructions/0`],
        ),
        checks(
          [forEach('a', { action: 'if-exists', source: 'b', then: [field('c')], else: [field('d')] })],
          [`${overwrites(0)}/then/0`, `${overwrites(0)}/else/0`],
        ),
        checks([forEachValue('a', field('value', JOB, { multivalue: false }))], [overwrites(0)]),
        checks([forEach('a', forEachValue('b', field('value')))], [`${overwrites(0)}/instructions/0`]),
      ],
    },
    {
      id: 'validation.loop.2',
      rule: 'Inside a loop what is added is right, and so is what assigns nothing',
      cases: [
        checks([forEachValue('a', field('value', JOB, MULTI), log('x'), remove('profile', JOB), group)], []),
        checks([forEachValue('a', { ...structured, ...MULTI })], []),
        checks([field('a'), forEachValue('a', field('value', 'std:attribute:notes', MULTI)), field('a')], []),
      ],
    },
    {
      id: 'validation.loop.3',
      rule: 'Inside a loop an assignment may follow what starts its destination afresh in that loop',
      cases: [
        checks([forEachValue('a', newBook, book)], []),
        checks([forEachValue('a', ref, load, book)], []),
        checks([forEachValue('a', ref, { ...load, otherwise: [newBook] }, book)], []),
        checks([forEachValue('a', ref, { ...load, otherwise: [log('x')] }, book)], [overwrites(2)]),
        checks([forEachValue('a', book, newBook)], [overwrites(0)]),
        checks([newBook, forEachValue('a', book)], ['overwrites-in-loop /instructions/5/instructions/0']),
        checks([forEachValue('a', newBook, page)], [overwrites(1)]),
        checks([forEachValue('a', newBook, field('value'))], [overwrites(1)]),
        checks([forEach('a', newBook, forEachValue('b', book))], [`${overwrites(1)}/instructions/0`]),
        checks([forEach('a', newBook, forEachValue('b', { action: 'new', destination: 'book:page' }, page), book)], []),
        checks([forEachValue('a', { action: 'if-exists', source: 'value', then: [newBook] }, book)], [overwrites(1)]),
        checks(
          [forEachValue('a', { action: 'if-exists', source: 'value', then: [newBook], else: [newBook] }, book)],
          [],
        ),
        checks([forEachValue('a', { action: 'within', source: 'value', instructions: [newBook, book] })], []),
      ],
    },
    {
      id: 'validation.loop.4',
      rule: 'Inside a loop what is collected in pseudo-destinations is exempt',
      cases: [
        checks(
          [forEachValue('a', to('value:postal-address', 'value', 'city'), to('value:person-name', 'value', 'last'))],
          [],
        ),
        checks([forEachValue('a', ref)], []),
        checks([forEachValue('a', to(group.source, 'value', 'test:attribute:text'), group)], []),
        checks([forEachValue('a', to(group.source, 'value', 'test:attribute:text'))], [overwrites(0)]),
      ],
    },
    {
      id: 'validation.username.1',
      rule: 'The username comes from a field at the top level that always runs',
      cases: [
        checks(alone(username()), []),
        checks(alone(username({ action: 'field', filters: ['haplo:to-lower-case'] })), []),
        checks(alone(), ['no-username /instructions']),
        checks(alone({ action: 'set-value', value: 'x', destination: 'user', name: 'username' }), [
          'no-username /instructions',
        ]),
        checks(alone({ action: 'if-exists', source: 'a', then: [username()], else: [username()] }), [
          'no-username /instructions',
        ]),
        checks(alone({ action: 'within', source: 'a', instructions: [username()] }), ['no-username /instructions']),
        checks(alone({ action: 'if-exists', source: 'a', then: [username()] }, username()), [
          'username-set-twice /instructions',
        ]),
      ],
    },
    {
      id: 'validation.user-sync.1',
      rule: 'Users and profiles are neither made nor loaded by a control file',
      cases: [
        checks([{ action: 'new', destination: 'user' }], [`not-in-user-sync ${AT}/destination`]),
        checks([{ action: 'new', destination: 'profile' }], [`not-in-user-sync ${AT}/destination`]),
        checks([{ ...load, destination: 'user' }], [`not-in-user-sync ${AT}/destination`]),
        checks([{ ...load, destination: 'profile' }], [`not-in-user-sync ${AT}/destination`]),
        checks(
          [{ action: 'if-exists', source: 'a', then: [{ action: 'new', destination: 'user' }] }],
          [`not-in-user-sync ${AT}/then/0/destination`],
        ),
      ],
    },
    {
      id: 'validation.dependent.1',
      rule: 'Only destinations whose objects belong to a user are made, loaded and asserted',
      cases: [
        checks([newBook, ref, load, { action: 'assert-destination', destination: 'book', exists: true }], []),
        ...['user:tags', 'test:locker', 'value:person-name', 'load:by-ref'].flatMap((destination) => [
          checks([{ action: 'new', destination }], [`wrong-destination ${AT}/destination`]),
          checks([{ ...load, destination }], [`wrong-destination ${AT}/destination`]),
        ]),
        ...['user', 'profile', 'user:tags', 'test:locker'].map((destination) =>
          checks(
            [{ action: 'assert-destination', destination, exists: true }],
            [`wrong-destination ${AT}/destination`],
          ),
        ),
        checks([{ action: 'new', destination: 'shoe' }], [`unknown-destination ${AT}/destination`]),
        checks([{ ...load, using: 'load:by-shoe' }], [`unknown-destination ${AT}/using`]),
        checks([{ ...load, using: 'value:person-name' }], [`unknown-destination ${AT}/using`]),
      ],
    },
    {
      id: 'validation.date-format.1',
      rule: 'A date says how it is written',
      cases: [
        checks([field('a', DATE)], [`missing-date-format ${AT}`]),
        checks([field('a', DATE, { dateFormat: 7 })], [`wrong-type ${AT}/dateFormat`]),
        checks([put('2026', DATE)], [`missing-date-format ${AT}`]),
        checks([field('a', DATE, { dateFormat: 'dd.MM.yyyy' })], []),
      ],
    },
  ],
};
