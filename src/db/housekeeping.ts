import type { RunWithFiles } from '../domain/retention.js';
import type { Database } from './database.js';

/** All runs that have files, for deciding which files may go. */
export async function runsWithFiles(database: Database): Promise<RunWithFiles[]> {
  return database.query<RunWithFiles & Record<string, unknown>>(
    `select run.id as run, feed.name as feed, run.status, run.outcome, run.applied, run.created_at as "createdAt",
            array_agg(run_file.digest) as digests
     from sync.run
     join sync.feed on feed.id = run.feed_id
     join sync.run_file on run_file.run_id = run.id
     group by run.id, feed.name`,
  );
}

/** What the alarm for a missing batch goes by; undefined for a feed that nobody has met yet. */
export async function missingAlarm(
  database: Database,
  feed: string,
): Promise<{ since: Date; lastBatchAt: Date | null; alarmedFor: Date | null } | undefined> {
  const [row] = await database.query<{ since: Date; lastBatchAt: Date | null; alarmedFor: Date | null }>(
    `select created_at as since, alarmed_for as "alarmedFor",
            (select max(finished_at) from sync.run
             where run.feed_id = feed.id and run.applied and run.kind = 'batch') as "lastBatchAt"
     from sync.feed where name = $1`,
    [feed],
  );
  return row;
}

export async function setAlarmedFor(database: Database, feed: string, deadline: Date): Promise<void> {
  await database.query('update sync.feed set alarmed_for = $2 where name = $1', [feed, deadline]);
}
