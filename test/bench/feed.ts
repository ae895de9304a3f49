import { demoPerson, scramble, type DemoRecord } from '../../src/cli/demo/people.js';

/**
 * The people of the benchmark, batch by batch: always the same for a seed, and each made from its number alone, so that a
 * feed of any length is written without holding it.
 */
export const BATCHES = ['first', 'unchanged', 'changed'] as const;
export type Batch = (typeof BATCHES)[number];

export const ORDERS = ['as-is', 'shuffled'] as const;
export type Order = (typeof ORDERS)[number];

export interface People {
  readonly seed: number;
  /** How many the first batch has. */
  readonly users: number;
  /** Share of them who differ in the batch `changed`. */
  readonly changed: number;
  /** Share of them by whose number others come in addition in the batch `changed`. */
  readonly joined: number;
  /** Share of them who are missing in the batch `changed`. */
  readonly left: number;
  /** How the batches after the first are ordered: as the first is, or in a permutation of it. */
  readonly order: Order;
}

/** What a sync has to find out about a batch. */
export interface Expected {
  readonly records: number;
  readonly added: number;
  readonly updated: number;
  readonly blocked: number;
}

/** Fate and card have no aspect of `demoPerson`. */
const FATE = 98;
const HALF = 97;
const HASHES = 2 ** 32;

/** All numbers of London that begin with 7 are valid; the factor has no divisor in common with their count. */
const TELEPHONES = 10_000_000;
const TELEPHONE_FACTOR = 7_654_321;

/** @returns undefined for somebody who is not in the batch. */
export function revisionIn(batch: Batch, people: People, number: number): number | undefined {
  if (batch !== 'changed') return number < people.users ? 0 : undefined;
  if (number >= people.users) return number < lastNumber(batch, people) ? 0 : undefined;
  const fate = scramble(people.seed, number, FATE) / HASHES;
  if (fate < people.left) return undefined;
  return fate < people.left + people.changed ? 1 : 0;
}

/**
 * Telephone number and card are each person's own, as in life: a database with few distinct values would flatter everyone.
 * Revision 1 has another telephone number, for staff perhaps another job, and for every second person another card.
 */
export function personOf(seed: number, number: number, revision: number): DemoRecord {
  const telephone = String(((number * 2 + revision) * TELEPHONE_FACTOR) % TELEPHONES).padStart(7, '0');
  const issue = scramble(seed, number, HALF) % 2 === 0 ? 0 : revision;
  return {
    ...demoPerson(seed, number, revision),
    PHONE: `+44 20 7${telephone.slice(0, 3)} ${telephone.slice(3)}`,
    CARD: String(1_000_000_000 + number * 2 + issue),
  };
}

/** The records of a batch, one by one. */
export function* recordsOf(batch: Batch, people: People): Generator<DemoRecord> {
  const count = lastNumber(batch, people);
  const isShuffled = batch !== 'first' && people.order === 'shuffled';
  const numberAt = isShuffled ? permutation(count, BATCHES.indexOf(batch)) : (index: number): number => index;
  for (let index = 0; index < count; index += 1) {
    const number = numberAt(index);
    const revision = revisionIn(batch, people, number);
    if (revision !== undefined) yield personOf(people.seed, number, revision);
  }
}

/** What becomes of a batch in a database that the ones before it were taken into. */
export function expectedOf(batch: Batch, people: People): Expected {
  if (batch === 'first') return { records: people.users, added: people.users, updated: 0, blocked: 0 };
  let updated = 0;
  let present = 0;
  for (let number = 0; number < people.users; number += 1) {
    const revision = revisionIn(batch, people, number);
    if (revision !== undefined) present += 1;
    if (revision === 1) updated += 1;
  }
  const added = lastNumber(batch, people) - people.users;
  return { records: present + added, added, updated, blocked: people.users - present };
}

/** One more than the largest number that a batch may have. */
function lastNumber(batch: Batch, { users, joined }: People): number {
  return batch === 'changed' ? users + Math.round(users * joined) : users;
}

/** Every number below `count` once: an affine map whose factor has no divisor in common with the count. */
function permutation(count: number, shift: number): (index: number) => number {
  let factor = Math.max(1, Math.floor(count * 0.618));
  while (greatestCommonDivisor(factor, count) !== 1) factor += 1;
  return (index) => (index * factor + shift) % count;
}

function greatestCommonDivisor(left: number, right: number): number {
  return right === 0 ? left : greatestCommonDivisor(right, left % right);
}
