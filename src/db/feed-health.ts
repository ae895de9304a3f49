import type { Executor } from './database.js';
import { listRuns, type RunRow } from './runs.js';
import type { Database } from './database.js';

export interface FeedRuns {
  /** Since when the feed is known; null while it is not. */
  readonly since: Date | null;
  readonly lastSuccessAt: Date | null;
  readonly lastReceivedAt: Date | null;
  readonly runs: {
    readonly last: RunRow | null;
    /** Oldest first. */
    readonly held: readonly RunRow[];
    readonly active: RunRow | null;
  };
}

/** What a feed's runs say of its health. */
export async function feedRuns(database: Database, feed: string): Promise<FeedRuns> {
  const [times] = await database.query<{ since: Date; lastSuccessAt: Date | null; lastReceivedAt: Date | null }>(
    `select feed.created_at as since,
            (select max(run.finished_at) from sync.run
             where run.feed_id = feed.id and run.applied and run.kind <> 'revert') as "lastSuccessAt",
            (select max(run_file.received_at) from sync.run_file
             where run_file.run_id in (select run.id from sync.run where run.feed_id = feed.id order by run.id desc limit 5)
            ) as "lastReceivedAt"
     from sync.feed where feed.name = $1`,
    [feed],
  );
  const [last] = await listRuns(database, { feed, limit: 1 });
  const waiting = await listRuns(database, { feed, statuses: ['held', 'planning', 'applying'], limit: 50 });
  return {
    since: times?.since ?? null,
    lastSuccessAt: times?.lastSuccessAt ?? null,
    lastReceivedAt: times?.lastReceivedAt ?? null,
    runs: {
      last: last ?? null,
      held: waiting.filter(({ status }) => status === 'held').reverse(),
      active: waiting.find(({ status }) => status !== 'held') ?? null,
    },
  };
}

export interface UserCount {
  readonly feed: string;
  readonly inFeed: number;
  readonly blocked: number;
}

/** Reads the whole table of users: not for every request. */
export function countUsers(database: Executor): Promise<UserCount[]> {
  return database.query<UserCount & Record<string, unknown>>(
    `select feed.name as feed, count(*) filter (where feed_user.in_feed) as "inFeed",
            count(*) filter (where not feed_user.in_feed) as blocked
     from sync.feed_user join sync.feed on feed.id = feed_user.feed_id group by feed.name`,
  );
}
