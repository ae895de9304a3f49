import type { RunStatus } from '../domain/run.js';
import type { Executor } from './database.js';

/** A change of a run's status. */
export interface RunTransition {
  readonly at: Date;
  /** Null for the first one. */
  readonly from: RunStatus | null;
  readonly to: RunStatus;
  readonly actor: string;
  readonly note: string | null;
}

/** Oldest first. */
export function runTransitions(database: Executor, runId: number): Promise<RunTransition[]> {
  return database.query<RunTransition & Record<string, unknown>>(
    `select at, from_status as "from", to_status as "to", actor, note from sync.run_transition
     where run_id = $1 order by at`,
    [runId],
  );
}

/** The newest run of the feed by which a later batch than this run's was applied after it; undefined when there is none. */
export async function laterBatch(
  database: Executor,
  run: { readonly id: number; readonly feedId: number },
): Promise<number | undefined> {
  const [row] = await database.query<{ id: number }>(
    `select id from sync.run
     where feed_id = $1 and id > $2 and applied and kind <> 'revert' and sync.batch_of(id) > sync.batch_of($2)
     order by id desc limit 1`,
    [run.feedId, run.id],
  );
  return row?.id;
}

/** How many users are in the feed now. */
export async function usersInFeed(database: Executor, feedId: number): Promise<number> {
  const [row] = await database.query<{ users: number }>(
    'select count(*) as users from sync.feed_user where feed_id = $1 and in_feed',
    [feedId],
  );
  return row?.users ?? 0;
}

/** Every feed that ever had a run or a control file, by name. */
export async function feedNames(database: Executor): Promise<string[]> {
  const rows = await database.query<{ name: string }>('select name from sync.feed order by name');
  return rows.map(({ name }) => name);
}
