import { runFiles, type RunRow } from '../db/runs.js';
import { describeGuard } from '../domain/guard-text.js';
import type { FeedSettings, SyncContext } from './context.js';
import { evaluateBeforeReading, lastBatch } from './guards.js';

/**
 * Why a batch that was started will wait for an operator, as far as can be told before anything of it is read. It is
 * planned all the same, so that the operator sees what it would do; what only the plan shows may still hold it.
 *
 * @returns undefined when nothing is known to stand in its way
 */
export async function reasonToHold(
  { database }: SyncContext,
  { autoApply, guards }: Pick<FeedSettings, 'autoApply' | 'guards'>,
  { id, feedId }: Pick<RunRow, 'id' | 'feedId'>,
): Promise<string | undefined> {
  const last = await lastBatch(database, feedId, id);
  const files = await runFiles(database, id);
  const breached = evaluateBeforeReading({ settings: guards, files, last }).find((result) => result.breached);
  if (breached?.guard === 'first-run') return 'nothing of this feed was applied before';
  if (breached !== undefined) return describeGuard(breached);
  return autoApply ? undefined : 'automatic apply is off for the feed';
}
