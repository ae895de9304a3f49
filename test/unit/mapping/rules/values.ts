import {
  field,
  forEachValue,
  HOME,
  JOB,
  maps,
  MULTI,
  NOTES,
  OFFICE,
  put,
  q,
  remove,
  runs,
  to,
  type Chapter,
} from './rule.js';

const DOOR = 'test:tag:door';
const held = {
  existing: {
    profile: {
      [JOB]: [{ value: 'old' }, { value: 'at home', qualifier: HOME }, { value: 'at work', qualifier: OFFICE }],
    },
  },
};
const home = { qualifier: HOME };
const manyHome = { ...MULTI, ...home };

export const VALUES: Chapter = {
  name: 'values',
  rules: [
    {
      id: 'values.replace.1',
      rule: 'A value replaces what the name holds, whatever the qualifiers',
      cases: [
        maps([field('a')], { a: 'x' }, { profile: { [JOB]: ['x'] } }, held),
        maps([field('a'), field('b')], { a: 'x', b: 'y' }, { profile: { [JOB]: ['y'] } }),
        maps([field('a', JOB, home), field('b')], { a: 'x', b: 'y' }, { profile: { [JOB]: ['y'] } }),
        maps([field('a', JOB, { multivalue: false })], { a: 'x' }, { profile: { [JOB]: ['x'] } }, held),
      ],
    },
    {
      id: 'values.replace.2',
      rule: 'With a qualifier it replaces only the values with that one',
      cases: [
        maps(
          [field('a', JOB, home)],
          { a: 'x' },
          { profile: { [JOB]: ['old', q('at work', OFFICE), q('x', HOME)] } },
          held,
        ),
        maps(
          [field('a', JOB, home), field('b', JOB, home)],
          { a: 'x', b: 'y' },
          { profile: { [JOB]: [q('y', HOME)] } },
        ),
        maps([field('a'), field('b', JOB, home)], { a: 'x', b: 'y' }, { profile: { [JOB]: ['x', q('y', HOME)] } }),
        maps(
          [field('a', JOB, home), field('b', JOB, { qualifier: OFFICE })],
          { a: 'x', b: 'y' },
          {
            profile: { [JOB]: [q('x', HOME), q('y', OFFICE)] },
          },
        ),
      ],
    },
    {
      id: 'values.add.1',
      rule: 'With multivalue it is added after those that are there',
      cases: [
        maps([field('a', JOB, MULTI)], { a: 'x' }, { profile: { [JOB]: [...held.existing.profile[JOB], 'x'] } }, held),
        maps([field('a'), field('b', JOB, MULTI)], { a: 'x', b: 'y' }, { profile: { [JOB]: ['x', 'y'] } }, held),
        maps([field('a', JOB, MULTI), field('b', JOB, MULTI)], { a: 'x', b: 'y' }, { profile: { [JOB]: ['x', 'y'] } }),
        maps(
          [field('a', JOB, manyHome), field('b', JOB, manyHome)],
          { a: 'x', b: 'y' },
          {
            profile: { [JOB]: [q('x', HOME), q('y', HOME)] },
          },
        ),
        maps(
          [field('a', JOB, MULTI), field('b', JOB, home)],
          { a: 'x', b: 'y' },
          {
            profile: { [JOB]: ['old', q('at work', OFFICE), 'x', q('y', HOME)] },
          },
          held,
        ),
      ],
    },
    {
      id: 'values.add.2',
      rule: 'A value that is there already is not added twice',
      cases: [
        maps([field('a', JOB, MULTI)], { a: 'old' }, held.existing, held),
        maps([field('a', JOB, manyHome)], { a: 'at home' }, held.existing, held),
        maps(
          [forEachValue('l', field('value', JOB, MULTI))],
          { l: ['x', 'y', 'x'] },
          { profile: { [JOB]: ['x', 'y'] } },
        ),
        maps(
          [field('a', 'test:attribute:json', MULTI), field('b', 'test:attribute:json', MULTI)],
          { a: { p: 1, q: 2 }, b: { q: 2, p: 1 } },
          {
            profile: { 'test:attribute:json': [{ p: 1, q: 2 }] },
          },
        ),
      ],
    },
    {
      id: 'values.add.3',
      rule: 'The same value with another qualifier is another value',
      cases: [
        maps(
          [field('a', JOB, MULTI), field('a', JOB, manyHome)],
          { a: 'x' },
          { profile: { [JOB]: ['x', q('x', HOME)] } },
        ),
        maps(
          [field('a', JOB, manyHome)],
          { a: 'old' },
          { profile: { [JOB]: [...held.existing.profile[JOB], q('old', HOME)] } },
          held,
        ),
      ],
    },
    {
      id: 'values.dictionary.1',
      rule: 'A name that holds one value has the last one, with multivalue too',
      cases: [
        maps([to('user', 'a', 'title'), to('user', 'b', 'title')], { a: 'Dr', b: 'Prof' }, { user: { title: 'Prof' } }),
        maps(
          [to('user', 'a', 'title', MULTI), to('user', 'b', 'title', MULTI)],
          { a: 'Dr', b: 'Prof' },
          {
            user: { title: 'Prof' },
          },
        ),
        maps([to('user', 'a', 'title'), to('user', 'b', 'title')], { a: 'Dr' }, { user: { title: 'Dr' } }),
        maps(
          [to('user:tags', 'a', DOOR, MULTI), to('user:tags', 'b', DOOR, MULTI)],
          { a: 1, b: 2 },
          { tags: { [DOOR]: '2' } },
        ),
        maps([forEachValue('l', to('user:tags', 'value', DOOR, MULTI))], { l: ['1', '2'] }, { tags: { [DOOR]: '2' } }),
        maps(
          [to('test:locker', 'a', 'number'), to('test:locker', 'b', 'number', MULTI)],
          { a: 1, b: 2 },
          {
            dictionaries: { 'test:locker': { number: 2 } },
          },
        ),
      ],
    },
    {
      id: 'values.unmentioned.1',
      rule: 'What the control file never mentions keeps what the directory has',
      cases: [
        maps([field('a', NOTES)], { a: 'x' }, { profile: { ...held.existing.profile, [NOTES]: ['x'] } }, held),
        maps([], {}, { tags: { [DOOR]: '1' } }, { existing: { tags: { [DOOR]: '1' } } }),
        maps(
          [],
          {},
          { dictionaries: { 'test:locker': { number: 1 } } },
          {
            existing: { dictionaries: { 'test:locker': { number: 1 } } },
          },
        ),
        runs(
          'title, groups, tags and attributes that nobody mentions stay',
          [field('j')],
          [
            { batch: [{ u: 'ada', j: 'Dean' }] },
            {
              sql: `with account as (update directory.account set title = 'Dr', tags = '{"${DOOR}": "7"}' returning id, profile_ref),
              member as (insert into directory.membership (account_id, group_code) select id, 'example:group:staff' from account)
              update directory.object set attributes = attributes || '{"${NOTES}": [{"value": "by hand"}]}'
              where ref = (select profile_ref from account)`,
              batch: [{ u: 'ada', j: 'Reader' }],
              counts: { updated: 1 },
              users: {
                ada: {
                  title: 'Dr',
                  groups: ['example:group:staff'],
                  tags: { [DOOR]: '7' },
                  [NOTES]: ['by hand'],
                  [JOB]: ['Reader'],
                },
              },
            },
          ],
        ),
      ],
    },
    {
      id: 'values.directory.1',
      rule: 'The directory holds what setting, adding and removing make of it',
      cases: [
        runs(
          'values are replaced by qualifier, added once, and removed',
          [
            field('h', JOB, home),
            field('m', JOB, MULTI),
            remove('profile', NOTES),
            field('n', NOTES),
            put('x', NOTES, MULTI),
          ],
          [
            {
              batch: [{ u: 'ada', h: 'h1', m: 'm1', n: 'n1' }],
              users: { ada: { [JOB]: [q('h1', HOME), 'm1'], [NOTES]: ['n1', 'x'] } },
            },
            {
              batch: [{ u: 'ada', h: 'h2', m: 'm2' }],
              users: { ada: { [JOB]: ['m1', q('h2', HOME), 'm2'], [NOTES]: ['x'] } },
            },
            { batch: [{ u: 'ada', m: 'm1' }], users: { ada: { [JOB]: ['m1', q('h2', HOME), 'm2'], [NOTES]: ['x'] } } },
          ],
        ),
      ],
    },
  ],
};
