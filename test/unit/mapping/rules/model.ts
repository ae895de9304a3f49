import { USER_INSTRUCTIONS } from '../mapping-case.js';
import { checks, field, JOB, maps, rejects, remove, runs, TITLE, to, type Chapter } from './rule.js';

const ALTERNATIVE = { qualifier: 'dc:qualifier:alternative' };
const EMAIL = 'std:attribute:email';
const LOCKER = 'test:locker';
const known = [
  to('value:person-name', 'known', 'last'),
  { action: 'field-structured', structured: 'value:person-name', destination: 'profile', name: TITLE, ...ALTERNATIVE },
];
const without = (name: string): object[] => USER_INSTRUCTIONS.filter((one) => one.name !== name);

export const MODEL: Chapter = {
  name: 'model',
  rules: [
    {
      id: 'model.user.1',
      rule: 'A user needs a username, both names and an e-mail address',
      cases: [
        maps([], {}, { user: { username: 'joe', nameFirst: 'Joe', nameLast: 'Bloggs', email: 'joe@example.org' } }),
        rejects([], { u: '' }, ['missing-username']),
        rejects([], { first: '' }, ['missing-value']),
        rejects([], { last: null }, ['missing-value']),
        rejects([], { email: '' }, ['missing-value']),
        rejects([], { u: '', first: '', last: '', email: '' }, [
          'missing-username',
          'missing-value',
          'missing-value',
          'missing-value',
        ]),
        rejects(without('email'), {}, ['missing-value'], { bare: true }),
      ],
    },
    {
      id: 'model.user.2',
      rule: 'A title and groups may be missing',
      cases: [
        maps([to('user', 't', 'title'), to('user', 'g', 'groups')], {}, { user: { title: null, groups: [] } }),
        maps([to('user', 't', 'title')], { t: 'Dr' }, { user: { title: 'Dr' } }),
      ],
    },
    {
      id: 'model.user.3',
      rule: 'The account has what the record says',
      cases: [
        runs(
          'and is changed with it',
          [to('user', 't', 'title')],
          [
            {
              batch: [{ u: 'Ada', t: 'Dr' }],
              users: {
                ada: { title: 'Dr', name_first: 'First', name_last: 'Last', email: 'Ada@example.org', is_active: true },
              },
            },
            {
              batch: [{ u: 'ada', t: 'Prof', mail: 'a@b', first: 'A', last: 'K' }],
              users: { ada: { title: 'Prof', name_first: 'A', name_last: 'K', email: 'a@b' } },
            },
          ],
        ),
      ],
    },
    {
      id: 'model.tags.1',
      rule: 'Tags are those of the model and may all be missing',
      cases: [
        maps(
          [to('user:tags', 'a', 'test:tag:door'), to('user:tags', 'b', 'example:tag:card-number')],
          { a: 'x' },
          { tags: { 'test:tag:door': 'x' } },
        ),
        maps([], {}, { tags: {} }),
        runs(
          'they are set, kept and removed',
          [
            remove('user:tags', 'test:tag:door'),
            to('user:tags', 'a', 'test:tag:door'),
            to('user:tags', 'b', 'example:tag:card-number'),
          ],
          [
            {
              batch: [{ u: 'ada', a: 1, b: 2 }],
              users: { ada: { tags: { 'test:tag:door': '1', 'example:tag:card-number': '2' } } },
            },
            { batch: [{ u: 'ada' }], users: { ada: { tags: { 'example:tag:card-number': '2' } } } },
          ],
        ),
      ],
    },
    {
      id: 'model.profile.1',
      rule: 'A profile has the attributes of a person, without those that the sync sets itself',
      cases: [
        maps([field('a')], { a: 'x' }, { profile: { [JOB]: ['x'] } }),
        checks([field('a', EMAIL)], ['unknown-name /instructions/4/name']),
        checks([field('a', 'dc:attribute:type')], ['unknown-name /instructions/4/name']),
        checks([remove('profile', EMAIL)], ['unknown-name /instructions/4/name']),
        checks([field('a', 'test:attribute:book-title')], ['unknown-name /instructions/4/name']),
      ],
    },
    {
      id: 'model.profile.2',
      rule: 'Its first name is that of the user, and its e-mail address the one of the user',
      cases: [
        maps(
          [to('user', 't', 'title')],
          { t: 'Dr' },
          {
            own: {
              [TITLE]: [{ value: { title: 'Dr', first: 'Joe', last: 'Bloggs' } }],
              [EMAIL]: [{ value: 'joe@example.org' }],
            },
          },
        ),
        maps([], {}, { own: { [TITLE]: [{ value: { first: 'Joe', last: 'Bloggs' } }] } }),
        runs(
          'they follow when the user changes',
          [],
          [
            {
              batch: [{ u: 'ada' }],
              users: { ada: { [TITLE]: [{ first: 'First', last: 'Last' }], [EMAIL]: ['ada@example.org'] } },
            },
            {
              batch: [{ u: 'ada', last: 'King', mail: 'k@b' }],
              users: { ada: { [TITLE]: [{ first: 'First', last: 'King' }], [EMAIL]: ['k@b'] } },
            },
          ],
        ),
      ],
    },
    {
      id: 'model.profile.3',
      rule: 'Other names, which have a qualifier, follow the first one',
      cases: [
        maps(
          known,
          { known: 'B' },
          {
            profile: { [TITLE]: [{ value: { last: 'B' }, ...ALTERNATIVE }] },
            own: { [TITLE]: [{ value: { first: 'Joe', last: 'Bloggs' } }, { value: { last: 'B' }, ...ALTERNATIVE }] },
          },
        ),
        runs('and are kept when the first one changes', known, [
          {
            batch: [{ u: 'ada', known: 'B' }],
            users: {
              ada: {
                [TITLE]: [
                  { first: 'First', last: 'Last' },
                  { value: { last: 'B' }, ...ALTERNATIVE },
                ],
              },
            },
          },
          {
            batch: [{ u: 'ada', last: 'King' }],
            users: {
              ada: {
                [TITLE]: [
                  { first: 'First', last: 'King' },
                  { value: { last: 'B' }, ...ALTERNATIVE },
                ],
              },
            },
          },
        ]),
        checks([{ ...known[1], qualifier: undefined }], ['name-set-by-sync /instructions/4']),
      ],
    },
    {
      id: 'model.dictionary.1',
      rule: 'A dictionary that depends on the user has names with data types',
      cases: [
        maps(
          [to(LOCKER, 'n', 'number'), to(LOCKER, 'c', 'colour')],
          { n: '7', c: 'red' },
          { dictionaries: { [LOCKER]: { number: 7, colour: 'red' } } },
        ),
        maps([to(LOCKER, 'n', 'number')], { n: 'x' }, { dictionaries: {}, errors: ['invalid-integer'] }),
        runs(
          'which applications see',
          [to(LOCKER, 'n', 'number'), to(LOCKER, 'c', 'colour')],
          [
            {
              batch: [{ u: 'ada', n: 7, c: 'red' }, { u: 'bob' }],
              users: { ada: { dictionaries: { [LOCKER]: { number: 7, colour: 'red' } } }, bob: { dictionaries: {} } },
            },
          ],
        ),
      ],
    },
    {
      id: 'model.dictionary.2',
      rule: 'A required name of an optional dictionary is needed as soon as another one is set',
      cases: [
        maps([to(LOCKER, 'c', 'colour')], {}, { dictionaries: {} }),
        rejects([to(LOCKER, 'n', 'number'), to(LOCKER, 'c', 'colour')], { c: 'red' }, ['missing-value']),
      ],
    },
    {
      id: 'model.pseudo.1',
      rule: 'What is collected and never used is no part of the user',
      cases: [
        maps(
          [to('value:person-name', 'a', 'last'), to('load:by-ref', 'a', 'ref')],
          { a: 'x' },
          { profile: {}, objects: [] },
        ),
      ],
    },
  ],
};
