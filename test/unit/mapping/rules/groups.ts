import { field, forEachValue, maps, put, rejects, remove, runs, to, type Chapter } from './rule.js';

const STAFF = 'example:group:staff';
const STUDENTS = 'example:group:students';
const REVIEWERS = 'example:group:reviewers';
const each = forEachValue('g', to('user', 'value', 'groups', { multivalue: true }));
const one = to('user', 'g', 'groups');
const type = (name: string): string => `std:type:person:${name}`;

export const GROUPS: Chapter = {
  name: 'groups',
  rules: [
    {
      id: 'groups.set.1',
      rule: 'A user has exactly the managed groups that the record gives, each once',
      cases: [
        maps([each], { g: [STAFF, STUDENTS, STAFF] }, { user: { groups: [STAFF, STUDENTS] } }),
        maps([each], { g: [STUDENTS, STAFF] }, { user: { groups: [STAFF, STUDENTS] } }),
        maps([each], { g: [] }, { user: { groups: [] } }),
        maps([one, to('user', 'h', 'groups')], { g: STAFF, h: STUDENTS }, { user: { groups: [STUDENTS] } }),
        maps([one, remove('user', 'groups')], { g: STAFF }, { user: { groups: [] } }),
        runs(
          'so that memberships begin and end with it',
          [each],
          [
            {
              batch: [
                { u: 'ada', g: [STAFF] },
                { u: 'bob', g: [STUDENTS] },
              ],
              users: { ada: { groups: [STAFF] }, bob: { groups: [STUDENTS] } },
            },
            {
              batch: [{ u: 'ada', g: [STUDENTS] }, { u: 'bob' }],
              users: { ada: { groups: [STUDENTS] }, bob: { groups: [] } },
            },
          ],
        ),
      ],
    },
    {
      id: 'groups.preserve.1',
      rule: 'Membership of groups that are not managed is kept',
      cases: [
        runs(
          'whatever the record says',
          [each],
          [
            { batch: [{ u: 'ada', g: [STAFF] }] },
            {
              sql: `insert into directory.membership (account_id, group_code) select id, '${REVIEWERS}' from directory.account`,
              batch: [{ u: 'ada', g: [] }],
              users: { ada: { groups: [REVIEWERS] } },
            },
            { batch: [{ u: 'ada', g: [STUDENTS] }], users: { ada: { groups: [REVIEWERS, STUDENTS] } } },
          ],
        ),
      ],
    },
    {
      id: 'groups.types.1',
      rule: 'A profile has the active types of the groups, and is a plain person without any',
      cases: [
        maps([each], { g: [STAFF] }, { types: [type('staff')] }),
        maps([each], { g: [STUDENTS, STAFF] }, { types: [type('staff'), type('student')] }),
        maps([each], {}, { types: ['std:type:person'] }),
        runs(
          'also in the directory',
          [each],
          [
            {
              batch: [{ u: 'ada', g: [STAFF] }, { u: 'bob' }],
              users: { ada: { profile_types: [type('staff')] }, bob: { profile_types: ['std:type:person'] } },
            },
            {
              batch: [
                { u: 'ada', g: [STUDENTS] },
                { u: 'bob', g: [STAFF, STUDENTS] },
              ],
              users: {
                ada: { profile_types: [type('student')] },
                bob: { profile_types: [type('staff'), type('student')] },
              },
            },
          ],
        ),
      ],
    },
    {
      id: 'groups.types.2',
      rule: 'The profile of a blocked user has the past type of the last of the groups, and the memberships stay',
      cases: [
        runs(
          'until the user comes back',
          [each],
          [
            { batch: [{ u: 'ada', g: [STAFF] }, { u: 'bob', g: [STAFF, STUDENTS] }, { u: 'cyd' }] },
            {
              batch: [{ u: 'cyd' }],
              counts: { blocked: 2 },
              users: {
                ada: { is_active: false, groups: [STAFF], profile_types: [type('staff-past')] },
                bob: { is_active: false, groups: [STAFF, STUDENTS], profile_types: [type('student-past')] },
                cyd: { is_active: true, profile_types: ['std:type:person'] },
              },
            },
            {
              batch: [{ u: 'cyd' }, { u: 'ada', g: [STAFF] }],
              users: {
                ada: { is_active: true, groups: [STAFF], profile_types: [type('staff')] },
                bob: { is_active: false },
              },
            },
          ],
        ),
      ],
    },
    {
      id: 'groups.codes.1',
      rule: 'A code that is unknown or not managed rejects the record',
      cases: [
        rejects([each], { g: [STAFF, 'example:group:none'] }, ['unknown-group']),
        rejects([each], { g: [REVIEWERS] }, ['unmanaged-group']),
        rejects([each], { g: ['Example:Group:Staff'] }, ['unknown-group']),
        rejects([one, to('user', 'h', 'groups')], { g: 'none', h: STAFF }, ['unknown-group']),
        rejects([one, remove('user', 'groups')], { g: 'none' }, ['unknown-group']),
        rejects([one], { g: 7 }, ['unknown-group']),
        runs(
          'and leaves the user as it is',
          [each, field('j')],
          [
            { batch: [{ u: 'ada', g: [STAFF], j: 'Dean' }] },
            {
              batch: [{ u: 'ada', g: ['none'], j: 'Reader' }],
              counts: { rejected: 1, blocked: 0 },
              errors: ['unknown-group ada'],
              users: { ada: { groups: [STAFF], 'std:attribute:job-title': ['Dean'], is_active: true } },
            },
          ],
        ),
      ],
    },
    {
      id: 'groups.codes.2',
      rule: 'A code may be mapped like any value',
      cases: [
        maps([to('user', 'g', 'groups', { mapInputValue: { S: STAFF } })], { g: 'S' }, { user: { groups: [STAFF] } }),
        maps([put(STAFF, 'groups', { destination: 'user' })], {}, { user: { groups: [STAFF] } }),
      ],
    },
  ],
};
