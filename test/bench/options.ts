import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { ORDERS, type Order } from './feed.js';
import { FORMATS, type Format } from './feed-file.js';

export const CONTESTANTS = ['floor', 'product', 'rows', 'careful'] as const;
export type Contestant = (typeof CONTESTANTS)[number];

export interface Options {
  readonly users: number;
  readonly rounds: number;
  readonly formats: readonly Format[];
  readonly changed: number;
  readonly joined: number;
  readonly left: number;
  readonly order: Order;
  readonly seed: number;
  readonly contestants: readonly Contestant[];
  /** Sizes to measure the product's growth at, instead of the contest. */
  readonly growth: readonly number[] | undefined;
  /** Where temporary folders are made. */
  readonly folder: string;
  /** Where the results are written. */
  readonly json: string | undefined;
}

export const USAGE = `npm run bench -- [flags]

Measures the product against hand-written SQL and against a script that goes row by row, on one embedded Postgres.

  --users N            users of the first batch (1000000)
  --rounds N           how often everything is measured; medians are printed (3)
  --formats LIST       json, and xml and tsv in comparison with it (json,xml,tsv)
  --changed SHARE      share of users who differ in the third batch (0.01)
  --joined SHARE       share of users who come in addition in the third batch (0)
  --left SHARE         share of users who are missing in the third batch (0)
  --order ORDER        order of the second and third batch: as-is or shuffled (as-is)
  --seed N             other people for another seed (1)
  --contestants LIST   floor, product, and two scripts that go row by row: rows writes each user, careful those who
                       differ; both need floor (all)
  --growth LIST        instead: the product alone, once, at each of these numbers of users
  --folder FOLDER      where temporary folders are made (the system's)
  --json FILE          writes every single measurement
`;

/** @throws Error with what is wrong with the arguments; undefined when help was asked for. */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      users: { type: 'string', default: '1000000' },
      rounds: { type: 'string', default: '3' },
      formats: { type: 'string', default: FORMATS.join() },
      changed: { type: 'string', default: '0.01' },
      joined: { type: 'string', default: '0' },
      left: { type: 'string', default: '0' },
      order: { type: 'string', default: 'as-is' },
      seed: { type: 'string', default: '1' },
      contestants: { type: 'string', default: CONTESTANTS.join() },
      growth: { type: 'string' },
      folder: { type: 'string', default: tmpdir() },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const contestants = listOf('contestants', values.contestants, CONTESTANTS);
  if (!contestants.includes('floor') && contestants.some((one) => one === 'rows' || one === 'careful')) {
    throw new Error('--contestants: rows and careful work on a copy of the database of floor: name floor as well');
  }
  const [order] = listOf('order', values.order, ORDERS);
  return {
    users: wholeNumber('users', values.users),
    rounds: wholeNumber('rounds', values.rounds),
    formats: listOf('formats', values.formats, FORMATS),
    changed: share('changed', values.changed),
    joined: share('joined', values.joined),
    left: share('left', values.left),
    order: order ?? 'as-is',
    seed: wholeNumber('seed', values.seed),
    contestants,
    growth: values.growth?.split(',').map((size) => wholeNumber('growth', size)),
    folder: values.folder,
    json: values.json,
  };
}

function wholeNumber(flag: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new Error(`--${flag}: a whole number above 0, not '${text}'`);
  return number;
}

function share(flag: string, text: string): number {
  const number = Number(text);
  if (text === '' || !(number >= 0 && number <= 1)) throw new Error(`--${flag}: a number from 0 to 1, not '${text}'`);
  return number;
}

function listOf<T extends string>(flag: string, text: string, known: readonly T[]): T[] {
  const names = text.split(',');
  const unknown = names.filter((name) => !(known as readonly string[]).includes(name));
  if (unknown.length > 0) throw new Error(`--${flag}: ${known.join(', ')}; not '${unknown.join()}'`);
  return known.filter((name) => names.includes(name));
}
