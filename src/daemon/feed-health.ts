import type { App } from '../app.js';
import { feedRuns } from '../db/feed-health.js';
import type { RunRow } from '../db/runs.js';
import type { PendingFiles } from '../intake/drop-directory.js';
import { expectedBatch } from '../schedule/expected-batch.js';

/** How a feed is, at a glance. */
export interface FeedHealth {
  readonly feed: string;
  /** The newest run. */
  readonly last: RunRow | null;
  /** When a batch was last taken in whole. */
  readonly lastSuccessAt: Date | null;
  readonly lastReceivedAt: Date | null;
  /** Runs that wait for a decision, oldest first. */
  readonly held: readonly RunRow[];
  /** The run under way. */
  readonly active: RunRow | null;
  readonly pendingFiles: number;
  readonly oldestPendingMs: number;
  readonly nextExpectedAt: Date | null;
  readonly isOverdue: boolean;
}

export async function feedHealth(app: App, feed: string, pending: PendingFiles, now: Date): Promise<FeedHealth> {
  const [found, { expect }] = await Promise.all([feedRuns(app.database, feed), app.feed(feed)]);
  const { by, days, timeZone } = expect;
  const expected =
    by === undefined
      ? undefined
      : expectedBatch(
          { by, days, timeZone },
          { now, since: found.since ?? now, lastBatchAt: found.lastSuccessAt, alarmedFor: null },
        );
  return {
    feed,
    ...found.runs,
    lastSuccessAt: found.lastSuccessAt,
    lastReceivedAt: found.lastReceivedAt,
    pendingFiles: pending.count,
    oldestPendingMs: pending.oldestAgeMs ?? 0,
    nextExpectedAt: expected?.next ?? null,
    isOverdue: expected?.isOverdue ?? false,
  };
}
