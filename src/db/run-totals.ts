import type { Executor } from './database.js';

/** Sums over all runs that ended. */
export interface RunTotals {
  readonly runs: readonly {
    readonly feed: string;
    /** How the run ended: its outcome, or `failed` or `cancelled`. */
    readonly outcome: string;
    readonly runs: number;
    readonly added: number;
    readonly updated: number;
    readonly blocked: number;
    readonly unblocked: number;
  }[];
  readonly rejected: readonly { readonly feed: string; readonly reason: string; readonly records: number }[];
}

export async function runTotals(database: Executor): Promise<RunTotals> {
  const sum = (name: string): string => `coalesce(sum((run.counts->>'${name}')::bigint), 0)::bigint as ${name}`;
  const runs = await database.query<RunTotals['runs'][number] & Record<string, unknown>>(
    `select feed.name as feed,
            case run.status when 'complete' then coalesce(run.outcome, 'complete') else run.status end as outcome,
            count(*) as runs, ${['added', 'updated', 'blocked', 'unblocked'].map(sum).join(', ')}
     from sync.run join sync.feed on feed.id = run.feed_id
     where run.status in ('complete', 'failed', 'cancelled') and not run.dry_run
     group by 1, 2`,
  );
  const rejected = await database.query<RunTotals['rejected'][number] & Record<string, unknown>>(
    `select feed.name as feed, reason.key as reason, sum(reason.value::bigint)::bigint as records
     from sync.run
     join sync.feed on feed.id = run.feed_id
     cross join jsonb_each_text(run.rejected_by) as reason
     where run.status in ('complete', 'failed', 'cancelled') and not run.dry_run
     group by 1, 2`,
  );
  return { runs, rejected };
}

/** Seconds that each phase took in the runs of the last 90 days: what a histogram is made of. */
export function runTimings(
  database: Executor,
): Promise<{ readonly feed: string; readonly stage: string; readonly seconds: number }[]> {
  return database.query(
    `select feed.name as feed, phase.key as stage, phase.value::float8 as seconds
     from sync.run
     join sync.feed on feed.id = run.feed_id
     cross join jsonb_each_text(run.timings) as phase
     where run.finished_at is not null and phase.value::float8 > 0
     order by run.id desc limit 30000`,
  );
}
