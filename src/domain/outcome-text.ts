import { number } from './number-text.js';
import type { RunCounts, RunOutcome, RunStatus, RunTimings } from './run.js';

/** What a run's words are made of. */
export interface DescribedRun {
  readonly status: RunStatus;
  readonly outcome: RunOutcome | null;
  readonly counts: RunCounts;
  readonly timings: RunTimings;
  readonly withoutBlocks: boolean;
}

/** What the status means for whoever reads it; undefined where there is nothing to add. */
export function describeOutcome(run: DescribedRun): string | undefined {
  if (run.status === 'held') return 'an operator must decide. The numbers say what it would do.';
  if (run.status === 'failed' || run.status === 'cancelled') return whatRemains(run);
  if (run.outcome === 'dry-run') return 'nothing was changed. The numbers say what it would do.';
  if (run.outcome === 'nothing-new') return 'nothing new, the batch is the same as the last one.';
  if (run.outcome === 'nothing-to-change') return 'the directory agrees with the batch.';
  if (run.withoutBlocks) return 'those who left stay as they are until the next run.';
  return undefined;
}

/** Of a run that did not reach its end. Once it began to apply, its counts are what it really did. */
function whatRemains({ counts, timings }: DescribedRun): string {
  const changed = counts.added + counts.updated + counts.blocked + counts.unblocked;
  return timings.apply === 0 || changed === 0
    ? 'the directory is as it was.'
    : `${number(changed)} users were changed until then, and stay so. The next run does the rest.`;
}
