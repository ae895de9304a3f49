import {
  checks,
  field,
  MANAGER,
  maps,
  MULTI,
  q,
  remove,
  runs,
  to,
  WORKS_FOR,
  type Chapter,
  type Expected,
} from './rule.js';

const behaviours = {
  types: ['std:type:organisation'],
  using: 'behaviour',
  values: { S: 'example:org:science', '7': 'example:org:arts', X: 'example:org:gone' },
};
const titles = {
  types: ['std:type:organisation'],
  using: 'title',
  values: { A: 'Faculty of Arts', a: 'faculty of arts', B: 'A book' },
};
const tables = { mapping: { b: behaviours, t: titles } };
const by = (refMapping: string, more: object = {}): object => field('a', WORKS_FOR, { refMapping, ...more });
const org = (code: string): Expected => ({ profile: { [WORKS_FOR]: [{ ref: `behaviour:example:org:${code}` }] } });
const ORGANISATION = `insert into directory.object (ref, types, attributes) values
  (777, '{std:type:organisation}', '{"dc:attribute:title": [{"value": "Medicine"}], "std:attribute:configured-behaviour": [{"value": "org:medicine"}]}')`;

const boss = (filter: string, more: object = {}): object => field('boss', MANAGER, { filters: [filter], ...more });
const byUsername = boss('haplo:username-to-ref');

export const REFERENCES: Chapter = {
  name: 'references',
  rules: [
    {
      id: 'references.behaviour.1',
      rule: 'A table by behaviour finds the object with the code',
      cases: [
        maps([by('b')], { a: 'S' }, org('science'), tables),
        maps([by('b')], { a: 7 }, org('arts'), tables),
        maps([by('b', { mapInputValue: { x: 'S' } })], { a: 'x' }, org('science'), tables),
        maps([by('b', { filters: ['haplo:to-upper-case'] })], { a: 's' }, org('science'), tables),
        runs(
          'objects made by hand are found, too',
          [field('a', WORKS_FOR, { refMapping: 'm' })],
          [{ sql: ORGANISATION, batch: [{ u: 'ada', a: 'M' }], users: { ada: { [WORKS_FOR]: [{ ref: '777' }] } } }],
          { mapping: { m: { using: 'behaviour', values: { M: 'org:medicine' } } } },
        ),
      ],
    },
    {
      id: 'references.behaviour.2',
      rule: 'A value outside a table by behaviour is an error',
      cases: [
        maps([by('b')], { a: 'Q' }, { profile: {}, errors: ['unmapped-value'] }, tables),
        maps([by('b')], { a: 's' }, { profile: {}, errors: ['unmapped-value'] }, tables),
        maps([by('b')], { a: ['S'] }, { profile: {}, errors: ['unmapped-value'] }, tables),
      ],
    },
    {
      id: 'references.title.1',
      rule: 'A table by title finds an object of the types with exactly the title',
      cases: [
        maps([by('t')], { a: 'A' }, org('arts'), tables),
        runs(
          'objects made by hand are found when they have the type',
          [by('m')],
          [
            {
              sql: `${ORGANISATION}, (778, '{std:type:book}', '{"dc:attribute:title": [{"value": "Poems"}]}')`,
              batch: [
                { u: 'ada', a: 'M' },
                { u: 'bob', a: 'P' },
              ],
              errors: ['unknown-reference bob'],
              users: { ada: { [WORKS_FOR]: [{ ref: '777' }] }, bob: { [WORKS_FOR]: [] } },
            },
          ],
          {
            mapping: { m: { using: 'title', types: ['std:type:organisation'], values: { M: 'Medicine', P: 'Poems' } } },
          },
        ),
      ],
    },
    {
      id: 'references.title.2',
      rule: 'A value outside a table by title sets nothing',
      cases: [
        maps([by('t')], { a: 'Q' }, { profile: {} }, tables),
        maps([by('t')], { a: ['A'] }, { profile: {} }, tables),
      ],
    },
    {
      id: 'references.nobody.1',
      rule: 'A code or a title that no object has is an error',
      cases: [
        runs(
          'even a title that no object can have',
          [by('m')],
          [{ batch: [{ u: 'ada', a: 'A' }], counts: { added: 1 }, errors: ['unknown-reference ada'] }],
          { mapping: { m: { using: 'title', types: ['std:type:organisation'], values: { A: 'a\u0000b' } } } },
        ),
        maps([by('b')], { a: 'X' }, { profile: {}, errors: ['unknown-reference'] }, tables),
        maps([by('t')], { a: 'a' }, { profile: {}, errors: ['unknown-reference'] }, tables),
        maps([by('t')], { a: 'B' }, { profile: {}, errors: ['unknown-reference'] }, tables),
        checks([by('b')], ['unknown-behaviour /mapping/b/values/X'], { mapping: { b: behaviours } }),
      ],
    },
    {
      id: 'references.table.1',
      rule: 'A table says how it finds objects, of which types, and what each value stands for',
      cases: [
        checks([by('m')], ['wrong-type /mapping/m/using'], {
          mapping: { m: { using: 'name', types: [], values: {} } },
        }),
        checks([by('m')], ['missing-key /mapping/m/using'], { mapping: { m: { types: [], values: {} } } }),
        checks([by('m')], ['missing-key /mapping/m/types'], { mapping: { m: { using: 'title', values: {} } } }),
        checks([by('m')], ['missing-key /mapping/m/values'], { mapping: { m: { using: 'behaviour', types: [] } } }),
        checks([by('m')], ['unknown-type /mapping/m/types/0'], {
          mapping: { m: { using: 'title', types: ['x'], values: {} } },
        }),
        checks([by('m')], ['wrong-type /mapping/m/values/a'], {
          mapping: { m: { using: 'behaviour', values: { a: 1 } } },
        }),
      ],
    },
    {
      id: 'references.people.1',
      rule: 'A username stands for the profile of a person, whom the same run may add later',
      cases: [
        maps([byUsername], { boss: 'Zoe' }, { profile: { [MANAGER]: [{ username: 'zoe' }] } }),
        maps([byUsername], { boss: 7 }, { profile: { [MANAGER]: [{ username: '7' }] } }),
        runs(
          'somebody who is there, who comes later, and oneself',
          [byUsername],
          [
            { batch: [{ u: 'old' }] },
            {
              batch: [{ u: 'ada', boss: 'Zoe' }, { u: 'bob', boss: 'old' }, { u: 'zoe', boss: 'zoe' }, { u: 'old' }],
              errors: [],
              users: { ada: { [MANAGER]: ['@zoe'] }, bob: { [MANAGER]: ['@old'] }, zoe: { [MANAGER]: ['@zoe'] } },
            },
          ],
        ),
      ],
    },
    {
      id: 'references.people.2',
      rule: 'An e-mail address stands for the profile of a person',
      cases: [
        maps([boss('haplo:email-to-ref')], { boss: 'Zoe@b' }, { profile: { [MANAGER]: [{ email: 'zoe@b' }] } }),
        runs(
          'whoever has the address, in any case',
          [boss('haplo:email-to-ref')],
          [
            {
              batch: [{ u: 'ada', boss: 'ZOE@example.org' }, { u: 'zoe' }],
              users: { ada: { [MANAGER]: ['@zoe'] } },
              errors: [],
            },
          ],
        ),
      ],
    },
    {
      id: 'references.people.3',
      rule: 'A person who never comes is an error on the record, which is tried again',
      cases: [
        runs(
          'until that person comes',
          [byUsername],
          [
            {
              batch: [{ u: 'ada', boss: 'zoe' }],
              counts: { added: 1, rejected: 0 },
              errors: ['unknown-reference ada'],
              users: { ada: { [MANAGER]: [] } },
            },
            {
              batch: [{ u: 'ada', boss: 'zoe' }, { u: 'zoe' }],
              counts: { added: 1, updated: 1 },
              errors: [],
              users: { ada: { [MANAGER]: ['@zoe'] } },
            },
          ],
        ),
      ],
    },
    {
      id: 'references.people.4',
      rule: 'People are referred to with qualifiers, several times, and after a removal as by any value',
      cases: [
        maps(
          [remove('profile', MANAGER), byUsername],
          {},
          { profile: {} },
          { existing: { profile: { [MANAGER]: [{ value: { ref: '1' } }] } } },
        ),
        runs(
          'and each once',
          [
            boss('haplo:username-to-ref', MULTI),
            field('deputy', MANAGER, { filters: ['haplo:username-to-ref'], qualifier: 'std:qualifier:office' }),
          ],
          [
            {
              batch: [{ u: 'ada', boss: 'zoe', deputy: 'bob' }, { u: 'zoe' }, { u: 'bob' }],
              users: { ada: { [MANAGER]: ['@zoe', q('@bob', 'std:qualifier:office')] } },
            },
            {
              batch: [{ u: 'ada', boss: 'zoe', deputy: 'zoe' }, { u: 'zoe' }, { u: 'bob' }],
              users: { ada: { [MANAGER]: ['@zoe', q('@zoe', 'std:qualifier:office')] } },
            },
          ],
        ),
      ],
    },
    {
      id: 'references.load.1',
      rule: 'What names an object to load is a reference',
      cases: [
        maps(
          [to('load:by-ref', 'a', 'ref'), { action: 'load', destination: 'book', using: 'load:by-ref' }],
          { a: '7' },
          { rejected: ['load-failed'] },
        ),
      ],
    },
  ],
};
