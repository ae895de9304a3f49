import type { ExistingObject } from '../../../../src/mapping/existing.js';
import {
  forEach,
  forEachValue,
  hasValue,
  maps,
  MULTI,
  put,
  JOB,
  rejects,
  remove,
  runs,
  to,
  type Chapter,
  type ExpectedObject,
} from './rule.js';

const NAME = 'test:attribute:book-title';
const TEXT = 'test:attribute:text';
const book = (source = 'book', more: object = {}): object => to('book', source, NAME, more);
const page = (source = 'page', more: object = {}): object => to('book:page', source, NAME, more);
const start = (destination: string): object => ({ action: 'new', destination });
const newBook = start('book');
const newPage = start('book:page');
const ref = (source = 'ref'): object => to('load:by-ref', source, 'ref', { filters: ['haplo:string-to-ref'] });
const load = (otherwise?: object[]): object => ({
  action: 'load',
  destination: 'book',
  using: 'load:by-ref',
  ...(otherwise === undefined ? {} : { otherwise }),
});
const assert = (exists: boolean, destination = 'book'): object => ({
  action: 'assert-destination',
  destination,
  exists,
});
const eachBook = forEachValue('books', newBook, book('value'));

const made = (...names: string[]): ExpectedObject[] => names.map((name) => ({ is: 'book', has: { [NAME]: [name] } }));
const objects = (...names: string[]): { objects: ExpectedObject[] } => ({ objects: made(...names) });

function object(more: Partial<ExistingObject> & { ref: string }, name = 'old'): ExistingObject {
  return { types: ['std:type:book'], owner: '1', origin: null, attributes: { [NAME]: [{ value: name }] }, ...more };
}
const held = (...all: ExistingObject[]): { existing: { profileRef: string; objects: ExistingObject[] } } => ({
  existing: { profileRef: '1', objects: all },
});
const OLD = held(object({ ref: '7' }));
const free = { objects: [object({ ref: '9', owner: null }, 'free')] };

export const DEPENDENTS: Chapter = {
  name: 'dependents',
  rules: [
    {
      id: 'dependents.available.1',
      rule: 'The oldest object of the type that the owner has is there by itself, or else a new one',
      cases: [
        maps([book()], { book: 'A' }, objects('A')),
        maps([book()], { book: 'A' }, objects('A'), OLD),
        maps([book()], { book: 'A' }, objects('A', 'newer'), held(object({ ref: '7' }), object({ ref: '8' }, 'newer'))),
        maps([book('book', MULTI)], { book: 'A' }, { objects: [{ is: 'book', has: { [NAME]: ['old', 'A'] } }] }, OLD),
        runs(
          'one that somebody made is taken, one of another type or of nobody is not',
          [book()],
          [
            { batch: [{ u: 'ada' }], objects: [] },
            {
              sql: `insert into directory.object (types, attributes) values
              ('{std:type:organisation}', '{"test:attribute:owner": [{"value": {"ref": ":ada"}}]}'),
              ('{std:type:book}', '{"${NAME}": [{"value": "of nobody"}]}'),
              ('{std:type:book}', '{"${NAME}": [{"value": "first"}], "test:attribute:owner": [{"value": {"ref": ":ada"}}]}'),
              ('{std:type:book}', '{"${NAME}": [{"value": "second"}], "test:attribute:owner": [{"value": {"ref": ":ada"}}]}')`,
              batch: [{ u: 'ada', book: 'A' }],
              objects: ['-: of nobody', 'ada: A', 'ada: second'],
            },
          ],
        ),
      ],
    },
    {
      id: 'dependents.available.2',
      rule: 'None is made for a record that sets nothing of it',
      cases: [
        maps([book()], {}, { objects: [] }),
        maps([remove('book', NAME)], {}, { objects: [] }),
        maps([newBook], {}, { objects: [] }),
        maps([book(), remove('book', NAME)], { book: 'A' }, { objects: [] }),
        maps([book()], {}, objects('old'), OLD),
        maps([remove('book', NAME)], {}, { objects: [{ is: 'book', has: {} }] }, OLD),
      ],
    },
    {
      id: 'dependents.new.1',
      rule: 'A fresh one is started: what was set before stays with the one before',
      cases: [
        maps([book(), newBook, book('b')], { book: 'A', b: 'B' }, objects('A', 'B')),
        maps([eachBook], { books: ['A', 'B', 'C'] }, objects('A', 'B', 'C')),
        maps([newBook, newBook, book()], { book: 'A' }, objects('A')),
        maps(
          [newBook, book(), book('b', MULTI)],
          { book: 'A', b: 'B' },
          { objects: [{ is: 'book', has: { [NAME]: ['A', 'B'] } }] },
        ),
        maps([book(), newBook, remove('book', NAME)], { book: 'A' }, objects('A')),
      ],
    },
    {
      id: 'dependents.new.2',
      rule: 'The same list makes the same objects, run after run',
      cases: [
        runs(
          'and a longer one makes more',
          [eachBook],
          [
            { batch: [{ u: 'ada', books: ['A', 'B'] }], objects: ['ada: A', 'ada: B'] },
            {
              batch: [{ u: 'ada', books: ['A', 'B'] }],
              force: true,
              counts: { unchanged: 1 },
              objects: ['ada: A', 'ada: B'],
            },
            { batch: [{ u: 'ada', books: ['A', 'C', 'D'] }], objects: ['ada: A', 'ada: C', 'ada: D'] },
          ],
        ),
        runs(
          'beside the one that is there by itself',
          [book(), eachBook],
          [
            { batch: [{ u: 'ada', book: 'A', books: ['B'] }], objects: ['ada: A', 'ada: B'] },
            {
              batch: [{ u: 'ada', book: 'A', books: ['B'] }],
              force: true,
              counts: { unchanged: 1 },
              objects: ['ada: A', 'ada: B'],
            },
          ],
        ),
      ],
    },
    {
      id: 'dependents.owner.1',
      rule: 'Objects of objects belong to the one that is current, which is made for them',
      cases: [
        maps(
          [page()],
          { page: '1' },
          { objects: [{ is: 'book', has: {}, owns: [{ is: 'book:page', has: { [NAME]: ['1'] } }] }] },
        ),
        maps(
          [forEach('books', newBook, book('name'), forEachValue('pages', newPage, page('value')))],
          {
            books: [{ name: 'A', pages: ['1', '2'] }, { pages: ['3'] }, { name: 'C' }],
          },
          {
            objects: [
              {
                is: 'book',
                has: { [NAME]: ['A'] },
                owns: [
                  { is: 'book:page', has: { [NAME]: ['1'] } },
                  { is: 'book:page', has: { [NAME]: ['2'] } },
                ],
              },
              { is: 'book', has: {}, owns: [{ is: 'book:page', has: { [NAME]: ['3'] } }] },
              { is: 'book', has: { [NAME]: ['C'] } },
            ],
          },
        ),
        maps(
          [page(), newBook, book()],
          { page: '1', book: 'A' },
          {
            objects: [
              { is: 'book', has: {}, owns: [{ is: 'book:page', has: { [NAME]: ['1'] } }] },
              { is: 'book', has: { [NAME]: ['A'] } },
            ],
          },
        ),
        maps(
          [newPage, page(), newBook, book()],
          { page: '1', book: 'A' },
          {
            objects: [
              { is: 'book', has: {}, owns: [{ is: 'book:page', has: { [NAME]: ['1'] } }] },
              { is: 'book', has: { [NAME]: ['A'] } },
            ],
          },
        ),
        maps(
          [newPage, page('p1'), newBook, book(), page('p2'), newPage, page('p3')],
          { p1: '1', p2: '2', p3: '3', book: 'A' },
          {
            objects: [
              { is: 'book', has: {}, owns: [{ is: 'book:page', has: { [NAME]: ['1'] } }] },
              {
                is: 'book',
                has: { [NAME]: ['A'] },
                owns: [
                  { is: 'book:page', has: { [NAME]: ['2'] } },
                  { is: 'book:page', has: { [NAME]: ['3'] } },
                ],
              },
            ],
          },
        ),
        runs(
          'pages of books, and of the book that is there by itself',
          [page('first'), forEach('books', newBook, book('name'), forEachValue('pages', newPage, page('value')))],
          [
            {
              batch: [{ u: 'ada', first: '0', books: [{ name: 'A', pages: ['1', '2'] }, { name: 'B' }] }],
              objects: ['A: 1', 'A: 2', 'ada: -', 'ada: A', 'ada: B', '-: 0'],
            },
            {
              batch: [{ u: 'ada', first: '0', books: [{ name: 'A', pages: ['1', '2'] }, { name: 'B' }] }],
              force: true,
              counts: { unchanged: 1 },
            },
          ],
        ),
      ],
    },
    {
      id: 'dependents.assert.1',
      rule: 'A record is rejected when the object is there and should not be, or the other way round',
      cases: [
        maps([assert(true)], {}, objects('old'), OLD),
        rejects([assert(false)], {}, ['assert-failed'], OLD),
        rejects([assert(true)], {}, ['assert-failed'], held()),
        maps([assert(false), book()], { book: 'A' }, objects('A'), held()),
        maps([book(), assert(true)], { book: 'A' }, objects('A'), held()),
        rejects([book(), assert(false)], { book: 'A' }, ['assert-failed'], held()),
        rejects([assert(true, 'book:page')], {}, ['assert-failed'], OLD),
        rejects([newBook, assert(true)], {}, ['assert-failed'], OLD),
        maps([ref(), load(), assert(true)], { ref: '7' }, objects('old'), OLD),
      ],
    },
    {
      id: 'dependents.has-value.1',
      rule: 'A name of an object has a value that was set for it, or that the directory holds for it',
      cases: [
        maps(
          [hasValue('book', NAME, [put('yes')], [put('no')])],
          {},
          { ...objects('old'), profile: { [JOB]: ['yes'] } },
          OLD,
        ),
        maps([hasValue('book', NAME, [put('yes')], [put('no')])], {}, { profile: { [JOB]: ['no'] } }, held()),
        maps(
          [book(), hasValue('book', NAME, [put('yes')], [put('no')])],
          { book: 'A' },
          { ...objects('A'), profile: { [JOB]: ['yes'] } },
        ),
        maps(
          [remove('book', NAME), hasValue('book', NAME, [put('yes')], [put('no')])],
          {},
          { objects: [{ is: 'book', has: {} }], profile: { [JOB]: ['no'] } },
          OLD,
        ),
        maps(
          [newBook, hasValue('book', NAME, [put('yes')], [put('no')])],
          {},
          { ...objects('old'), profile: { [JOB]: ['no'] } },
          held(object({ ref: '7', origin: 'book/3' })),
        ),
        maps(
          [ref(), load(), hasValue('book', NAME, [put('yes')], [put('no')])],
          { ref: '7' },
          { ...objects('old'), profile: { [JOB]: ['yes'] } },
          OLD,
        ),
        maps(
          [ref(), load(), hasValue('book', NAME, [put('yes')], [put('no')])],
          { ref: '9' },
          { objects: [], profile: { [JOB]: ['yes'] } },
          { ...held(), ...free },
        ),
        maps(
          [hasValue('book:page', NAME, [put('yes')], [put('no')])],
          {},
          {
            objects: [{ is: 'book', has: { [NAME]: ['old'] }, owns: [{ is: 'book:page', has: { [NAME]: ['p'] } }] }],
            profile: { [JOB]: ['yes'] },
          },
          held(object({ ref: '7' }), object({ ref: '8', owner: '7', types: ['test:type:page'] }, 'p')),
        ),
      ],
    },
    {
      id: 'dependents.groups.1',
      rule: 'Objects have attribute groups as profiles have',
      cases: [
        maps(
          [
            to('book:attribute-group:test:attribute:loan', 'l', TEXT),
            {
              action: 'set-attribute-group',
              source: 'book:attribute-group:test:attribute:loan',
              destination: 'book',
              name: 'test:attribute:loan',
            },
          ],
          { l: 'x' },
          { objects: [{ is: 'book', has: { 'test:attribute:loan': [{ [TEXT]: [{ value: 'x' }] }] } }] },
        ),
      ],
    },
    {
      id: 'dependents.together.1',
      rule: 'Everything of one record is applied or nothing',
      cases: [
        maps([book(), { action: 'abort-record', message: 'no' }], { book: 'A' }, { rejected: ['aborted'] }),
        runs(
          'also when the database refuses one object',
          [book(), to('user:tags', 'tag', 'test:tag:door')],
          [
            {
              sql: `alter table directory.object add constraint refused check (attributes::text not like '%forbidden%')`,
              batch: [
                { u: 'ada', book: 'forbidden', tag: 1 },
                { u: 'bob', book: 'B' },
              ],
              counts: { added: 1, rejected: 1 },
              errors: ['database ada'],
              objects: ['bob: B'],
            },
          ],
        ),
      ],
    },
  ],
};
