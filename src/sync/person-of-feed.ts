import type { Executor } from '../db/database.js';
import type { Person } from './person.js';

/**
 * What somebody may know of a person who may see one feed alone: nothing of the account unless it is the feed's, and of
 * the rest what came from the feed.
 *
 * @returns undefined when the feed knows nothing of the person
 */
export async function personOfFeed(database: Executor, person: Person, feed: string): Promise<Person | undefined> {
  const isOwn = person.account?.feed === feed;
  const mentioned = [...person.changes, ...person.errors, ...(person.received === null ? [] : [person.received])];
  const runs = await runsOfFeed(database, [...new Set(mentioned.map(({ run }) => run))], feed);
  const mine = ({ run }: { readonly run: number }): boolean => runs.has(run);
  const shown: Person = {
    account: isOwn ? person.account : null,
    objects: isOwn ? person.objects : [],
    sync: isOwn ? person.sync : null,
    overrides: isOwn ? person.overrides : [],
    received: person.received !== null && mine(person.received) ? person.received : null,
    changes: person.changes.filter(mine),
    errors: person.errors.filter(mine),
  };
  const isKnown = isOwn || shown.received !== null || shown.changes.length > 0 || shown.errors.length > 0;
  return isKnown ? shown : undefined;
}

async function runsOfFeed(database: Executor, ids: readonly number[], feed: string): Promise<ReadonlySet<number>> {
  const rows = await database.query<{ id: number }>(
    `select run.id from sync.run join sync.feed on feed.id = run.feed_id
     where run.id = any ($1::bigint[]) and feed.name = $2`,
    [ids, feed],
  );
  return new Set(rows.map(({ id }) => id));
}
