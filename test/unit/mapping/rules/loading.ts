import type { ExistingObject } from '../../../../src/mapping/existing.js';
import { hasValue, log, maps, MULTI, rejects, runs, to, type Chapter, type ExpectedObject } from './rule.js';

const NAME = 'test:attribute:book-title';
const book = (source = 'book', more: object = {}): object => to('book', source, NAME, more);
const newBook = { action: 'new', destination: 'book' };
const ref = (source = 'ref'): object => to('load:by-ref', source, 'ref', { filters: ['haplo:string-to-ref'] });
const load = (otherwise?: object[]): object => ({
  action: 'load',
  destination: 'book',
  using: 'load:by-ref',
  ...(otherwise === undefined ? {} : { otherwise }),
});

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

export const LOADING: Chapter = {
  name: 'loading',
  rules: [
    {
      id: 'loading.load.1',
      rule: 'An object that is named is loaded, and then changed',
      cases: [
        maps([ref(), load(), book()], { ref: '7', book: 'A' }, objects('A'), OLD),
        maps([ref(), load(), book()], { ref: '9', book: 'A' }, objects('A'), { ...held(), ...free }),
        maps(
          [ref(), load(), book('book', MULTI)],
          { ref: '9', book: 'A' },
          { objects: [{ is: 'book', has: { [NAME]: ['free', 'A'] } }] },
          { ...held(), ...free },
        ),
        maps([ref(), load(), newBook, book()], { ref: '7', book: 'A' }, objects('old', 'A'), OLD),
        runs(
          'one of nobody belongs to the user from then on',
          [ref(), load(), book()],
          [
            { batch: [{ u: 'bob', ref: '1' }] },
            {
              sql: `insert into directory.object (ref, types, attributes) values (777, '{std:type:book}', '{}')`,
              batch: [{ u: 'ada', ref: '777', book: 'A' }],
              objects: ['ada: A'],
            },
          ],
        ),
      ],
    },
    {
      id: 'loading.owner.1',
      rule: 'A loaded object of nobody belongs to the owner that is current, which is made for it',
      cases: [
        ...[to('book:page', 'page', NAME), { action: 'remove-values', destination: 'book:page', name: NAME }].map(
          (change) =>
            maps(
              [ref(), { ...load(), destination: 'book:page' }, change, to('book:page', 'page', NAME, MULTI)],
              { ref: '9', page: '1' },
              { objects: [{ is: 'book', has: {}, owns: [{ is: 'book:page', has: { [NAME]: ['1'] } }] }] },
              { ...held(), objects: [object({ ref: '9', owner: null, types: ['test:type:page'] })] },
            ),
        ),
        maps(
          [
            ref(),
            { ...load(), destination: 'book:page' },
            { action: 'remove-values', destination: 'book:page', name: NAME },
          ],
          { ref: '9' },
          { objects: [{ is: 'book', has: {}, owns: [{ is: 'book:page', has: {} }] }] },
          { ...held(), objects: [object({ ref: '9', owner: null, types: ['test:type:page'] })] },
        ),
        rejects(
          [ref(), { ...load(), destination: 'book:page' }, newBook, ref(), { ...load(), destination: 'book:page' }],
          { ref: '9' },
          ['load-failed'],
          { ...held(), objects: [object({ ref: '9', owner: null, types: ['test:type:page'] })] },
        ),
      ],
    },
    {
      id: 'loading.new.1',
      rule: 'An object that is loaded is not also the one that `new` starts',
      cases: [
        runs(
          'though it was made by one',
          [
            { action: 'if-exists', source: 'ref', then: [ref(), load(), book('a')] },
            { action: 'if-exists', source: 'b', then: [newBook, book('b')] },
          ],
          [
            { batch: [{ u: 'ada', b: 'B' }], objects: ['ada: B'] },
            {
              sql: `update directory.object set ref = 777 where types = '{std:type:book}'`,
              batch: [{ u: 'ada', ref: '777', a: 'A', b: 'B' }],
              objects: ['ada: A', 'ada: B'],
            },
            { batch: [{ u: 'ada', ref: '777', a: 'A', b: 'B' }], force: true, counts: { unchanged: 1 } },
          ],
        ),
      ],
    },
    {
      id: 'loading.load.2',
      rule: 'What named the object is empty afterwards',
      cases: [
        rejects([ref(), load(), load()], { ref: '7' }, ['load-failed'], OLD),
        maps(
          [ref(), load(), hasValue('load:by-ref', 'ref', [log('still')]), book()],
          { ref: '7', book: 'A' },
          objects('A'),
          OLD,
        ),
        maps(
          [ref(), load([]), hasValue('load:by-ref', 'ref', [log('still')])],
          { ref: 'none' },
          { objects: [] },
          { ...held(), ...free },
        ),
      ],
    },
    {
      id: 'loading.load.3',
      rule: 'An object that is not found rejects the record, unless the control file says what to do',
      cases: [
        rejects([ref(), load()], { ref: '8' }, ['load-failed'], { ...OLD, ...free }),
        rejects([ref(), load()], {}, ['load-failed'], { ...OLD, ...free }),
        rejects([ref(), load()], { ref: '8' }, ['load-failed'], {
          ...held(),
          objects: [object({ ref: '8', types: ['test:type:page'] })],
        }),
        rejects([ref(), load()], { ref: '8' }, ['load-failed'], {
          ...held(),
          objects: [object({ ref: '8', owner: '2' })],
        }),
        maps([ref(), load([newBook]), book()], { ref: '8', book: 'A' }, objects('A'), { ...held(), ...free }),
        maps(
          [ref(), load([log('none')]), book()],
          { ref: '8', book: 'A' },
          { ...objects('A'), errors: ['logged'] },
          { ...held(), ...free },
        ),
        maps([ref(), load([log('none')]), book()], { ref: '7', book: 'A' }, objects('A'), OLD),
      ],
    },
    {
      id: 'loading.load.4',
      rule: 'An object that is not found leaves the current one as it is',
      cases: [[], [object({ ref: '8', types: ['test:type:page'], owner: null })]].map((found) =>
        maps(
          [book('a'), newBook, book('b'), ref(), load([]), book('c', MULTI)],
          { a: 'A', b: 'B', c: 'C', ref: '8' },
          { objects: [...made('A'), { is: 'book', has: { [NAME]: ['B', 'C'] } }] },
          { ...held(), objects: found },
        ),
      ),
    },
    {
      id: 'loading.load.5',
      rule: 'An object that is loaded again is the same one',
      cases: [
        maps(
          [ref(), load(), book('a'), ref(), load(), book('b', MULTI)],
          { ref: '7', a: 'A', b: 'B' },
          { objects: [{ is: 'book', has: { [NAME]: ['A', 'B'] } }] },
          OLD,
        ),
        maps(
          [ref(), load(), book('a'), newBook, book('n'), ref(), load(), hasValue('book', NAME, [book('b')])],
          { ref: '7', a: 'A', b: 'B', n: 'N' },
          objects('B', 'N'),
          OLD,
        ),
        runs(
          'in the directory, too',
          [{ action: 'if-exists', source: 'ref', then: [ref(), load(), book('a'), ref(), load(), book('b', MULTI)] }],
          [
            { batch: [{ u: 'ada' }] },
            {
              sql: `insert into directory.object (ref, types, attributes) values (777, '{std:type:book}', '{}')`,
              batch: [{ u: 'ada', ref: '777', a: 'A', b: 'B' }],
              objects: ['ada: A'],
            },
            {
              batch: [{ u: 'ada', ref: '777', a: 'A', b: 'B' }],
              force: true,
              counts: { unchanged: 1 },
              objects: ['ada: A'],
            },
          ],
        ),
      ],
    },
  ],
};
