import { field, JOB, maps, rejects, runs, to, type Chapter, type MappingCase } from './rule.js';

const username = (u: string | number, is: string): MappingCase => maps([], { u }, { user: { username: is } });

export const USERNAMES: Chapter = {
  name: 'usernames',
  rules: [
    {
      id: 'usernames.opaque.1',
      rule: 'A username is opaque: only its case is changed',
      cases: [
        username('JBloggs', 'jbloggs'),
        username(' a b ', ' a b '),
        username('ÀÉ', 'àé'),
        username('李', '李'),
        username(12345, '12345'),
        username('__proto__', '__proto__'),
        username("'; drop table x; --", "'; drop table x; --"),
      ],
    },
    {
      id: 'usernames.required.1',
      rule: 'A record without one is rejected',
      cases: [
        rejects([], { u: '' }, ['missing-username']),
        rejects([], { u: null }, ['missing-username']),
        rejects([], { u: ['joe'] }, ['missing-username']),
        runs('and the others go on', [], [{ batch: [{ u: '' }, { u: 'ada' }], counts: { added: 1, rejected: 1 } }]),
      ],
    },
    {
      id: 'usernames.compare.1',
      rule: 'Usernames are compared in lower case, so another spelling is the same user',
      cases: [
        runs(
          'whose username does not change',
          [field('j')],
          [
            { batch: [{ u: 'Ada', j: 'Dean' }], users: { ada: { [JOB]: ['Dean'] } } },
            {
              batch: [{ u: 'ADA', j: 'Reader' }],
              counts: { updated: 1, added: 0, blocked: 0 },
              users: { ada: { [JOB]: ['Reader'] } },
            },
          ],
        ),
        runs(
          'and another username is another user',
          [],
          [
            { batch: [{ u: 'ada' }], counts: { added: 1 } },
            {
              batch: [{ u: 'ada2' }],
              counts: { added: 1, blocked: 1 },
              users: { ada: { is_active: false }, ada2: { is_active: true } },
            },
          ],
        ),
      ],
    },
    {
      id: 'usernames.unique.1',
      rule: 'The second record of a username in a batch is rejected, and the message tells where both stand',
      cases: [
        runs(
          'also in another spelling',
          [field('j')],
          [
            {
              batch: [{ u: 'ada', j: 'Dean' }, { u: 'bob' }, { u: 'ADA', j: 'Reader' }],
              counts: { added: 2, rejected: 1 },
              errors: ['duplicate-username ada'],
              messages: [/users record 1 \(line 1\).*users record 3 \(line 1\)/],
              users: { ada: { [JOB]: ['Dean'] } },
            },
          ],
        ),
      ],
    },
    {
      id: 'usernames.unchanged.1',
      rule: 'A user whose record has not changed is left alone',
      cases: [
        runs(
          'with force or without',
          [field('j')],
          [
            { batch: [{ u: 'ada', j: 'Dean' }], counts: { added: 1 } },
            { batch: [{ u: 'ada', j: 'Dean' }], counts: { unchanged: 1, updated: 0 } },
            { batch: [{ u: 'ada', j: 'Dean' }], force: true, counts: { unchanged: 1, updated: 0 } },
          ],
        ),
      ],
    },
    {
      id: 'usernames.conversion.1',
      rule: 'A username is converted like any value',
      cases: [
        maps(
          [to('user', 'id', 'username', { mapInputValue: { '7': 'SEVEN' } })],
          { id: 7 },
          { user: { username: 'seven' } },
        ),
        maps(
          [to('user', 'id', 'username', { filters: ['haplo:to-upper-case'] })],
          { id: 'x' },
          { user: { username: 'x' } },
        ),
      ],
    },
  ],
};
