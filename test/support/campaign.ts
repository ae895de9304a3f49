import { readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../../src/db/database.js';
import type { RunCounts } from '../../src/domain/run.js';
import { dependentsModel } from './dependents-model.js';

/** What a fault campaign feeds and compares: batches with every kind of change, and the directory without its numbers. */

/** The same sequence of numbers in [0, 1) for a seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const CAMPAIGN_MODEL = dependentsModel();

const field = (source: string, destination: string, name: string, more: object = {}): object => ({
  source,
  destination,
  name,
  ...more,
});

export const CAMPAIGN_CONTROL = {
  dataImportControlFileVersion: 0,
  model: 'haplo:user-sync',
  files: { users: { read: 'json' } },
  instructions: [
    field('u', 'user', 'username'),
    field('first', 'user', 'nameFirst'),
    field('u', 'user', 'nameLast'),
    field('mail', 'user', 'email'),
    field('group', 'user', 'groups', { multivalue: true }),
    field('card', 'user:tags', 'example:tag:card-number'),
    field('locker', 'test:locker', 'number'),
    { action: 'remove-values', destination: 'profile', name: 'std:attribute:job-title' },
    field('job', 'profile', 'std:attribute:job-title'),
    field('boss', 'profile', 'std:attribute:relationship-manager', { filters: ['haplo:username-to-ref'] }),
    {
      action: 'for-each',
      source: 'books',
      wrapValues: true,
      instructions: [
        { action: 'new', destination: 'book' },
        field('value', 'book', 'test:attribute:name'),
        { action: 'new', destination: 'book:page' },
        field('value', 'book:page', 'test:attribute:name'),
      ],
    },
  ],
};

/** About half of a small population, with joiners, leavers, returners, changes, rejected records and duplicates. */
export function campaignBatch(random: () => number, population = 120): object[] {
  const pick = <T>(...values: T[]): T => values[Math.floor(random() * values.length)] as T;
  const records: object[] = [];
  for (let number = 0; number < population; number++) {
    if (random() < 0.35) continue;
    const u = `u${number}`;
    const boss = pick(undefined, `u${Math.floor(random() * population)}`);
    records.push({
      u,
      first: pick('Ada', 'Bob', 'Cyd'),
      mail: random() < 0.03 ? 'none' : `${u}@example.org`,
      group: pick('example:group:staff', 'example:group:students'),
      card: pick(undefined, '1', '2'),
      locker: pick(undefined, 1, 2),
      job: pick(undefined, 'Reader', 'Dean'),
      boss,
      books: pick([], ['A'], ['A', 'B']),
    });
    if (random() < 0.02) records.push({ u, first: 'Twice', mail: `${u}@example.org` });
  }
  return records;
}

/** The directory as it can be compared with another one: refs are usernames, and nobody has a number. */
export async function plainDirectory(database: Database): Promise<unknown> {
  const users = await database.query<Record<string, unknown> & { username: string; profile_ref: number }>(
    `select username, email, name_first, name_last, is_active, in_feed, groups, tags, dictionaries, profile_types,
            profile, profile_ref
     from directory.users where username is not null order by username`,
  );
  const objects = await database.query<{ owner: number; ref: number; attributes: unknown; types: string[] }>(
    'select owner, ref, types, attributes from directory.object where owner is not null order by ref',
  );
  const names = new Map(users.map(({ profile_ref: ref, username }) => [String(ref), username]));
  for (const { ref } of objects) names.set(String(ref), 'an object');
  const named = (value: unknown): unknown =>
    JSON.parse(
      JSON.stringify(value, (key, part: unknown) =>
        key === 'ref' && typeof part === 'string' ? (names.get(part) ?? 'nothing') : part,
      ),
    ) as unknown;
  const belonging = (owner: number): unknown[] =>
    objects
      .filter((object) => object.owner === owner)
      .map(({ ref, types, attributes }) => ({ types, attributes: named(attributes), objects: belonging(ref) }))
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return users.map(({ profile_ref: ref, profile, ...user }) => ({
    ...user,
    profile: named(profile),
    objects: belonging(ref),
  }));
}

/** Everybody whom a record or a withdrawal concerns is counted once. */
export function addsUp({ records, added, updated, unblocked, unchanged, rejected }: RunCounts): boolean {
  return records === added + updated + unblocked + unchanged + rejected;
}

/** Changes of one user in one run that were applied more than once. */
export function countedTwice(database: Database): Promise<{ username: string }[]> {
  return database.query<{ username: string }>(
    `select run_id, username from sync.change where not withheld and not repeated
     group by run_id, username having count(*) > 1`,
  );
}

/** As source systems do: written elsewhere, then renamed into place. */
export async function drop(folder: string, name: string, content: unknown): Promise<void> {
  const temporary = join(folder, `.${name}.tmp`);
  await writeFile(temporary, JSON.stringify(content));
  await rename(temporary, join(folder, name));
}

/** Digests of the files in a store, and what is left there of files that were never finished. */
export async function stored(store: string): Promise<{ digests: string[]; unfinished: string[] }> {
  const digests: string[] = [];
  for (const folder of await readdir(store).catch(() => [])) {
    if (folder !== 'incoming') digests.push(...(await readdir(join(store, folder))));
  }
  return { digests: digests.sort(), unfinished: await readdir(join(store, 'incoming')).catch(() => []) };
}
