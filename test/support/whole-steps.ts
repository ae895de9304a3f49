import { randomOf } from './campaign.js';
import type { ManualEdit } from './directory-model.js';
import type { ModelRecord } from './model-user.js';

/** What may happen to a whole system: what people and source systems do, and the faults meanwhile; all of it by a seed. */

export type BatchKind = 'ordinary' | 'same' | 'reordered' | 'small' | 'empty' | 'cut-off';

export interface Batch {
  readonly kind: BatchKind;
  readonly text: string;
  /** Undefined: the file cannot be read to its end. */
  readonly records: readonly ModelRecord[] | undefined;
}

/** By a command of its own, or as the interfaces do it: put on record for the daemon. */
type Way = 'command' | 'request';

export type Action =
  | { readonly kind: 'drop'; readonly batches: readonly Batch[]; readonly gapMs: number }
  /** `pick`, from 0 to 1, says which of those that there are then. */
  | { readonly kind: 'approve'; readonly pick: number; readonly way: Way; readonly withoutBlocks: boolean }
  | { readonly kind: 'drop-held'; readonly pick: number; readonly way: Way }
  | { readonly kind: 'take-back'; readonly pick: number; readonly way: Way }
  | { readonly kind: 'apply-again'; readonly pick: number; readonly way: Way }
  | { readonly kind: 'edit'; readonly edits: readonly ManualEdit[] };

export type Fault = { readonly afterMs: number; readonly pick: number } & (
  | { readonly kind: 'kill' | 'term' | 'end-connections' | 'second' | 'cancel' }
  | { readonly kind: 'freeze'; readonly forMs: number }
  | { readonly kind: 'edit'; readonly edit: ManualEdit }
);

export interface Step {
  readonly action: Action;
  readonly faults: readonly Fault[];
}

const USERNAMES = Array.from({ length: 45 }, (_, index) => (index % 9 === 0 ? `Bob${index}` : `u${index}`));

/** The last one makes an ordinary batch that nothing disturbs. */
export function stepsOf(seed: number, count: number, leaseMs: number): Step[] {
  const random = randomOf(seed);
  const source = new Source(random);
  const steps: Step[] = [{ action: dropOf(source.batch('ordinary')), faults: faultsOf(random, leaseMs) }];
  while (steps.length < count) steps.push({ action: actionOf(random, source), faults: faultsOf(random, leaseMs) });
  return [...steps, { action: dropOf(source.batch('ordinary')), faults: [] }];
}

/** For whoever looks into a failure. */
export function describeStep({ action, faults }: Step, index: number): string {
  const what =
    action.kind === 'drop'
      ? action.batches.map(({ kind, records }) => `drop ${kind} (${records?.length ?? 'broken'})`).join(', then ')
      : JSON.stringify(action);
  const more = faults.map((fault) => JSON.stringify(fault));
  return `  ${index + 1}. ${[what, ...more].join('; ')}`;
}

function dropOf(...batches: Batch[]): Action {
  return { kind: 'drop', batches, gapMs: 0 };
}

function actionOf(random: () => number, source: Source): Action {
  const kind = oneOf<Action['kind']>(random, [
    ['drop', 9],
    ['approve', 4],
    ['drop-held', 1],
    ['take-back', 3],
    ['apply-again', 1],
    ['edit', 3],
  ]);
  const pick = random();
  const way: Way = random() < 0.4 ? 'command' : 'request';
  if (kind === 'approve') return { kind, pick, way, withoutBlocks: random() < 0.3 };
  if (kind === 'drop-held' || kind === 'take-back' || kind === 'apply-again') return { kind, pick, way };
  if (kind === 'edit') return { kind, edits: Array.from({ length: 1 + random() * 4 }, () => settledEdit(random)) };
  const batches = [source.batch()];
  if (random() < 0.2) batches.push(source.batch());
  return { kind, batches, gapMs: random() * 400 };
}

function faultsOf(random: () => number, leaseMs: number): Fault[] {
  return Array.from({ length: random() * 4 }, () => {
    const [afterMs, pick] = [Math.round(random() * 450), random()];
    const kind = oneOf<Fault['kind']>(random, [
      ['kill', 4],
      ['term', 2],
      ['end-connections', 4],
      ['second', 3],
      ['cancel', 2],
      ['freeze', 3],
      ['edit', 2],
    ]);
    if (kind === 'edit') return { afterMs, pick, kind, edit: editAtAnyTime(random) };
    if (kind !== 'freeze') return { afterMs, pick, kind };
    const isLong = random() < 0.3;
    return { afterMs, pick, kind, forMs: Math.round(isLong ? leaseMs * (1.1 + random() / 2) : random() * 500) };
  });
}

/** What the sync neither sees nor touches may be done while it works. */
function editAtAnyTime(random: () => number): ManualEdit {
  const username = anyOf(random, USERNAMES);
  if (random() < 0.5) return { kind: 'join-unmanaged', username };
  return { kind: 'make-by-hand', username, email: `stranger-${username.toLowerCase()}@example.com` };
}

function settledEdit(random: () => number): ManualEdit {
  const username = anyOf(random, USERNAMES);
  const kind = oneOf<ManualEdit['kind']>(random, [
    ['join-unmanaged', 1],
    ['join-managed', 2],
    ['leave-managed', 2],
    ['note', 2],
    ['rename', 2],
    ['deactivate', 2],
    ['make-by-hand', 2],
  ]);
  const isNamesake = kind === 'make-by-hand' && random() < 0.5;
  return { kind, username, ...(isNamesake ? { email: `${username.toLowerCase()}@example.org` } : {}) };
}

/** The system that sends batches: it changes from one to the next. */
class Source {
  readonly #random: () => number;
  readonly #people = new Map<string, ModelRecord>();
  #last: Batch | undefined;

  constructor(random: () => number) {
    this.#random = random;
  }

  batch(asked?: BatchKind): Batch {
    const random = this.#random;
    const kind =
      asked ??
      oneOf<BatchKind>(random, [
        ['ordinary', 10],
        ['same', 2],
        ['reordered', 1],
        ['small', 4],
        ['empty', 1],
        ['cut-off', 2],
      ]);
    if (kind === 'same' && this.#last !== undefined) return this.#last;
    if (kind === 'empty') return { kind, text: '[]', records: [] };
    if (kind !== 'reordered') this.#live();
    let records = this.#records();
    if (kind === 'reordered') records = records.toReversed();
    if (kind === 'small') records = records.filter(() => random() < 0.5);
    const text = JSON.stringify(records);
    if (kind === 'cut-off') {
      return { kind, text: text.slice(0, 1 + Math.floor(random() * (text.length - 1))), records: undefined };
    }
    this.#last = { kind, text, records };
    return this.#last;
  }

  /** People come, change and go. */
  #live(): void {
    const random = this.#random;
    const joining = this.#people.size === 0 ? 0.8 : 0.15;
    for (const username of USERNAMES) {
      if (!this.#people.has(username)) {
        if (random() < joining) this.#people.set(username, recordOf(random, username));
      } else if (random() < 0.07) this.#people.delete(username);
      else if (random() < 0.25) this.#people.set(username, recordOf(random, username));
    }
  }

  /** Some of them twice, or broken this time. */
  #records(): ModelRecord[] {
    const random = this.#random;
    return [...this.#people.values()].flatMap((record) => {
      const chance = random();
      if (chance < 0.02) return [record, { ...record, FIRST: 'Twice' }];
      if (chance < 0.05) return [{ ...record, EMAIL: 'not an address' }];
      return [record];
    });
  }
}

function recordOf(random: () => number, USERNAME: string): ModelRecord {
  const some = (...values: string[]): string[] => values.filter(() => random() < 0.5);
  return {
    USERNAME,
    TITLE: anyOf(random, ['', 'Dr', 'Prof']),
    FIRST: anyOf(random, ['A', 'B']),
    LAST: anyOf(random, ['X', 'Y', 'Z\\t\n"']),
    EMAIL: oneOf(random, [
      [`${USERNAME}@example.org`, 20],
      [`${USERNAME}.2@example.org`, 3],
      ['hand@example.org', 1],
    ]),
    GROUPS: random() < 0.03 ? ['example:group:reviewers'] : some('example:group:staff', 'example:group:students'),
    JOB: anyOf(random, ['', 'Reader', 'Dean']),
    URL: anyOf(random, ['', 'https://a.example', 'https://b.example', 'no scheme']),
    NOTES: some('one', 'two', 'three'),
    ALSO: anyOf(random, ['', 'Nickname']),
    CARD: anyOf(random, ['', '1', '2']),
  };
}

function anyOf<T>(random: () => number, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)]!;
}

function oneOf<T>(random: () => number, weighted: readonly (readonly [T, number])[]): T {
  let left = random() * weighted.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [value, weight] of weighted) {
    left -= weight;
    if (left < 0) return value;
  }
  return weighted[0]![0];
}
