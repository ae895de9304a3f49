import { NOBODY } from '../mapping-case.js';
import {
  field,
  forEach,
  forEachValue,
  hasValue,
  HOME,
  JOB,
  log,
  maps,
  MULTI,
  NOTES,
  put,
  q,
  rejects,
  remove,
  runs,
  to,
  type Chapter,
  type Expected,
} from './rule.js';

const YES = [put('yes')];
const NO = [put('no')];
const job = (...values: string[]): Expected => ({ profile: { [JOB]: values } });
const NOTHING: Expected = { profile: {} };
const held = { existing: { profile: { [JOB]: [{ value: 'old' }, { value: 'home', qualifier: HOME }] } } };

const exists = (more: object = { then: YES, else: NO }): object => ({ action: 'if-exists', source: 'a', ...more });
const oneOf = (values: readonly unknown[], more: object = { then: YES, else: NO }): object => ({
  action: 'if-value-one-of',
  source: 'a',
  values,
  ...more,
});
const within = (...instructions: object[]): object => ({ action: 'within', source: 'a', instructions });
const many = field('b', JOB, MULTI);

export const INSTRUCTIONS: Chapter = {
  name: 'instructions',
  rules: [
    {
      id: 'instructions.action.1',
      rule: 'An instruction without action is a field',
      cases: [
        maps([field('a')], { a: 'x' }, job('x')),
        maps([field('a', JOB, { action: 'field' })], { a: 'x' }, job('x')),
      ],
    },
    {
      id: 'instructions.context.1',
      rule: 'Sources are looked up in the record, or in the nested object where the instruction stands',
      cases: [
        maps([field('a')], { a: 'x', n: { a: 'y' } }, job('x')),
        maps([within(field('b'))], { b: 'x', a: { b: 'y' } }, job('y')),
        maps([within(field('b'))], { b: 'x', a: {} }, NOTHING),
        maps([forEach('a', many)], { b: 'x', a: [{ b: 'y' }] }, job('y')),
        maps([field('constructor'), field('__proto__'), field('length')], {}, NOTHING),
      ],
    },
    {
      id: 'instructions.field.1',
      rule: 'A field sets what is truthy, and zero',
      cases: [
        maps([field('a')], { a: 'x' }, job('x')),
        maps([field('a')], { a: 0 }, job('0')),
        maps([field('a')], { a: -1.5 }, job('-1.5')),
        maps([field('a')], { a: true }, job('true')),
        maps([field('a')], { a: ' ' }, job(' ')),
        maps([field('a')], { a: 'false' }, job('false')),
      ],
    },
    {
      id: 'instructions.field.2',
      rule: 'Empty text, null, false and what is absent set nothing',
      cases: [
        ...['', null, false].map((a) => maps([field('a')], { a }, held.existing, held)),
        maps([field('a')], {}, held.existing, held),
        maps([field('a', 'test:attribute:boolean')], { a: false }, NOTHING),
      ],
    },
    {
      id: 'instructions.set-value.1',
      rule: 'A constant is set whatever the record holds, and converted like a field',
      cases: [
        maps([put('x')], {}, job('x')),
        maps([put(0)], {}, job('0')),
        maps([put('x', JOB, { filters: ['haplo:to-upper-case'] })], {}, job('X')),
        maps([put('x', JOB, { mapInputValue: { x: 'y' } })], {}, job('y')),
        maps([put(false, 'test:attribute:boolean')], {}, { profile: { 'test:attribute:boolean': [false] } }),
        maps([put('x', 'test:attribute:integer')], {}, { errors: ['invalid-integer'] }),
        maps([put(null)], {}, NOTHING),
        maps([put({ a: 1 }, 'test:attribute:json')], {}, { profile: { 'test:attribute:json': [{ a: 1 }] } }),
      ],
    },
    {
      id: 'instructions.remove-values.1',
      rule: 'Every value of the name goes: those of the directory and those set before',
      cases: [
        maps([remove('profile', JOB)], {}, { profile: {} }, held),
        maps([field('a'), remove('profile', JOB)], { a: 'x' }, NOTHING),
        maps([remove('profile', JOB), field('a')], { a: 'x' }, job('x'), held),
        maps([remove('profile', JOB), field('a', JOB, MULTI)], { a: 'x' }, job('x'), held),
        maps(
          [remove('user:tags', 'test:tag:door')],
          {},
          { tags: {} },
          { existing: { tags: { 'test:tag:door': '1' } } },
        ),
        maps([to('user', 't', 'title'), remove('user', 'title')], { t: 'Dr' }, { user: { title: null } }),
        maps([remove('user', 'nameLast')], {}, { rejected: ['missing-value'] }),
        maps(
          [remove('test:locker', 'colour')],
          {},
          { dictionaries: { 'test:locker': { number: 1 } } },
          { existing: { dictionaries: { 'test:locker': { number: 1, colour: 'red' } } } },
        ),
      ],
    },
    {
      id: 'instructions.if-exists.1',
      rule: 'A source exists when it is truthy or zero',
      cases: [
        ...['x', 0, 1, true, 'false', [], {}].map((a) => maps([exists()], { a }, job('yes'))),
        ...['', null, false].map((a) => maps([exists()], { a }, job('no'))),
        maps([exists()], {}, job('no')),
      ],
    },
    {
      id: 'instructions.if-exists.2',
      rule: 'Either branch may be left out',
      cases: [
        maps([exists({ then: YES })], { a: 1 }, job('yes')),
        maps([exists({ then: YES })], {}, NOTHING),
        maps([exists({ else: NO })], { a: 1 }, NOTHING),
        maps([exists({ else: NO })], {}, job('no')),
      ],
    },
    {
      id: 'instructions.if-value-one-of.1',
      rule: 'A source that is there and strictly equal to one of the values',
      cases: [
        maps([oneOf(['x', 'y'])], { a: 'y' }, job('yes')),
        maps([oneOf(['x', 'y'])], { a: 'z' }, job('no')),
        maps([oneOf(['1'])], { a: 1 }, job('no')),
        maps([oneOf([1])], { a: 1 }, job('yes')),
        maps([oneOf(['X'])], { a: 'x' }, job('no')),
        maps([oneOf([''])], { a: '' }, job('yes')),
        maps([oneOf([false])], { a: false }, job('yes')),
        maps([oneOf([null])], { a: null }, job('yes')),
        maps([oneOf([null, '', 0, false])], {}, job('no')),
        maps([oneOf([])], { a: 'x' }, job('no')),
        maps([oneOf([[1]])], { a: [1] }, job('no')),
        maps([oneOf([0], { then: YES })], { a: 0 }, job('yes')),
        maps([oneOf([0], { else: NO })], { a: 1 }, job('no')),
      ],
    },
    {
      id: 'instructions.if-has-value.1',
      rule: 'A name has a value that was set earlier for the record',
      cases: [
        maps([field('a'), hasValue('profile', JOB, YES, NO)], { a: 'x' }, job('yes')),
        maps([hasValue('profile', JOB, YES, NO), field('b', NOTES)], {}, job('no')),
        maps(
          [hasValue('profile', JOB, [log('yes')], [log('no')]), field('a')],
          { a: 'x' },
          {
            ...job('x'),
            errors: ['logged'],
          },
        ),
        maps([to('user', 't', 'title'), hasValue('user', 'title', YES, NO)], { t: 'Dr' }, job('yes')),
        maps([hasValue('user', 'title', YES, NO)], {}, job('no')),
        maps(
          [to('value:person-name', 't', 'last'), hasValue('value:person-name', 'last', YES, NO)],
          { t: 'B' },
          job('yes'),
        ),
        maps([hasValue('value:person-name', 'last', YES, NO)], {}, job('no')),
        maps(
          [to('user', 'g', 'groups'), hasValue('user', 'groups', YES, NO)],
          { g: 'example:group:staff' },
          {
            ...job('yes'),
            user: { groups: ['example:group:staff'] },
          },
        ),
      ],
    },
    {
      id: 'instructions.if-has-value.2',
      rule: 'A name has a value that the directory holds for the user, unless it was removed',
      cases: [
        maps(
          [hasValue('profile', JOB, [put('yes', NOTES)], [put('no', NOTES)])],
          {},
          {
            profile: { ...held.existing.profile, [NOTES]: ['yes'] },
          },
          held,
        ),
        maps([remove('profile', JOB), hasValue('profile', JOB, YES, NO)], {}, job('no'), held),
        maps([field('a'), remove('profile', JOB), hasValue('profile', JOB, YES, NO)], { a: 'x' }, job('no'), held),
        maps([hasValue('profile', JOB, YES, NO)], {}, job('no'), { existing: NOBODY }),
        maps(
          [hasValue('user:tags', 'test:tag:door', YES, NO)],
          {},
          { ...job('yes'), tags: { 'test:tag:door': '1' } },
          {
            existing: { tags: { 'test:tag:door': '1' } },
          },
        ),
        maps([hasValue('user', 'title', YES, NO)], {}, job('yes'), { existing: { user: { title: 'Dr' } } }),
        // Every record sets what the control file sets of the user: the directory's value is about to go.
        maps([hasValue('user', 'title', YES, NO), to('user', 't', 'title')], {}, job('no'), {
          existing: { user: { title: 'Dr' } },
        }),
        maps([hasValue('user', 'groups', YES, NO)], {}, job('yes'), {
          existing: { user: { groups: ['example:group:staff'] } },
        }),
        maps([hasValue('user', 'groups', YES, NO)], {}, job('no'), { existing: { user: { groups: [] } } }),
        maps(
          [hasValue('test:locker', 'colour', YES, NO)],
          {},
          { ...job('yes'), dictionaries: { 'test:locker': { colour: 'red' } } },
          { existing: { dictionaries: { 'test:locker': { colour: 'red' } } } },
        ),
        maps(
          [field('a', JOB, { qualifier: HOME }), hasValue('profile', JOB, [put('y', NOTES)])],
          { a: 'x' },
          {
            profile: { [JOB]: ['old', q('x', HOME)], [NOTES]: ['y'] },
          },
          held,
        ),
      ],
    },
    {
      id: 'instructions.within.1',
      rule: 'Runs on a nested object, and does nothing when there is none',
      cases: [
        maps([within(field('b'))], { a: { b: 'x' } }, job('x')),
        maps([within(within(field('b')))], { a: { a: { b: 'x' } } }, job('x')),
        maps([within(put('x'))], { a: {} }, job('x')),
        ...[null, 'text', 7, true, [{ b: 'x' }]].map((a) => maps([within(put('x'))], { a }, NOTHING)),
        maps([within(put('x'))], {}, NOTHING),
      ],
    },
    {
      id: 'instructions.for-each.1',
      rule: 'Runs for each element of a list, and for each value of an object',
      cases: [
        maps([forEach('a', many)], { a: [{ b: 'x' }, { b: 'y' }] }, job('x', 'y')),
        maps([forEach('a', many)], { a: { p: { b: 'x' }, q: { b: 'y' } } }, job('x', 'y')),
        maps(
          [forEach('a', forEach('a', many))],
          { a: [{ a: [{ b: 'x' }, { b: 'y' }] }, { a: [{ b: 'z' }] }] },
          job('x', 'y', 'z'),
        ),
        maps([forEach('a', put('x', JOB, MULTI))], { a: [] }, NOTHING),
        ...[null, 'text', 7, true].map((a) => maps([forEach('a', put('x', JOB, MULTI))], { a }, NOTHING)),
        maps([forEach('a', put('x', JOB, MULTI))], {}, NOTHING),
        maps([forEach('a', many)], { a: ['x', null, 7] }, NOTHING),
      ],
    },
    {
      id: 'instructions.for-each.2',
      rule: 'Elements can be wrapped, so that plain values have a name',
      cases: [
        maps([forEachValue('a', field('value', JOB, MULTI))], { a: ['x', 'y'] }, job('x', 'y')),
        maps([forEachValue('a', field('value', JOB, MULTI))], { a: { p: 'x', q: 'y' } }, job('x', 'y')),
        maps([forEachValue('a', field('value', JOB, MULTI))], { a: [0, '', null, false, 'x'] }, job('0', 'x')),
        maps(
          [forEachValue('a', { action: 'within', source: 'value', instructions: [many] })],
          { a: [{ b: 'x' }] },
          job('x'),
        ),
      ],
    },
    {
      id: 'instructions.abort-record.1',
      rule: 'The record is rejected with the message, and nothing of it is kept',
      cases: [
        rejects([put('x'), { action: 'abort-record', message: 'no' }, log('more')], {}, ['aborted']),
        rejects([forEach('a', within({ action: 'abort-record', message: 'no' }))], { a: [{ a: {} }, { a: {} }] }, [
          'aborted',
        ]),
        maps([exists({ then: [{ action: 'abort-record', message: 'no' }], else: YES })], {}, job('yes')),
      ],
    },
    {
      id: 'instructions.log-error.1',
      rule: 'The message is logged as an error, and the record goes on',
      cases: [
        runs(
          'whatever text it is',
          [log('a\u0000b'), log('a\ud800b')],
          [{ batch: [{ u: 'ada' }], counts: { added: 1 }, errors: ['logged ada', 'logged ada'] }],
        ),
        maps([log('look'), put('x')], {}, { ...job('x'), errors: ['logged'] }),
        maps([forEach('a', log('look'))], { a: [{}, {}] }, { errors: ['logged', 'logged'] }),
      ],
    },
  ],
};
