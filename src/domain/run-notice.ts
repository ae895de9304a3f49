import type { GuardResult } from './guard.js';
import type { RunCounts, RunOutcome, RunStatus, RunTimings } from './run.js';

/** What people and services are told of a run. Plain data without values of records: it leaves the house. */

export type NoticeEvent = 'complete' | 'held' | 'failed' | 'missing';

interface NoticeOfAnything {
  /** Tells one notice from another, so that a receiver can ignore what it was sent twice. */
  readonly id: string;
  readonly feed: string;
  readonly at: Date;
  /** Where to see and decide; null when nobody can reach a web page. */
  readonly url: string | null;
}

/** A run has ended, or waits for a decision. */
export interface RunEndNotice extends NoticeOfAnything {
  readonly event: Exclude<NoticeEvent, 'missing'>;
  readonly run: number;
  readonly outcome: RunOutcome | null;
  readonly dryRun: boolean;
  /** Of a held run: what it would do. */
  readonly counts: RunCounts;
  /** Lines of the run's log about records. */
  readonly errors: number;
  /** Those that were breached. */
  readonly guards: readonly GuardResult[];
  readonly failure: { readonly code: string; readonly message: string } | null;
  readonly timings: RunTimings;
}

/** A deadline passed without a batch. */
export interface MissingBatchNotice extends NoticeOfAnything {
  readonly event: 'missing';
  readonly deadline: Date;
  /** The zone in which people think of the deadline. */
  readonly timeZone: string;
  readonly lastBatchAt: Date | null;
}

export type RunNotice = RunEndNotice | MissingBatchNotice;

/** What a notice takes from a run. A `RunReport` has it all. */
export interface NotableRun extends Pick<
  RunEndNotice,
  'run' | 'feed' | 'outcome' | 'dryRun' | 'counts' | 'errors' | 'guards' | 'failure' | 'timings'
> {
  readonly status: RunStatus;
}

/** The notice of a run; undefined for a status that nobody is told of: who cancels a run knows, and the others go on. */
export function noticeOfRun(
  run: NotableRun,
  about: Pick<NoticeOfAnything, 'id' | 'at' | 'url'>,
): RunEndNotice | undefined {
  const { status } = run;
  if (status !== 'complete' && status !== 'held' && status !== 'failed') return undefined;
  const { id, at, url } = about;
  return {
    event: status,
    id,
    at,
    url,
    feed: run.feed,
    run: run.run,
    outcome: run.outcome,
    dryRun: run.dryRun,
    counts: run.counts,
    errors: run.errors,
    guards: run.guards.filter((guard) => guard.breached),
    failure: run.failure,
    timings: run.timings,
  };
}
