import type { Connection, Database } from '../db/database.js';
import { logRun } from '../db/run-log.js';
import { findRun, lockHeldBefore, requestCancel, unknownRun, updateRun, type RunRow } from '../db/runs.js';
import { isEnd } from '../domain/run.js';
import { UserSyncError } from '../lib/errors.js';
import type { Approval } from './context.js';
import { dropUnneededStages, endRun } from './finish.js';

const WAITING = ['uploading', 'ready', 'held'] as const;

/**
 * Stops a run. One that waits is cancelled at once; one under way stops after the chunks in flight, and what it had
 * applied stays applied.
 *
 * @returns the run, cancelled or about to be.
 * @throws UserSyncError `run-unknown`, or `run-status` when it has ended already.
 */
export async function cancelRun(database: Database, runId: number, actor: string, note?: string): Promise<RunRow> {
  const run = await findRun(database, runId);
  if (run === undefined) throw unknownRun(runId);
  if (isEnd(run.status)) {
    throw new UserSyncError('run-status', `Run ${runId} has ended already: it is ${run.status}.`, { kind: 'usage' });
  }
  const isUnderWay = run.status === 'planning' || run.status === 'applying';
  const isCancelled = isUnderWay
    ? await requestCancel(database, runId)
    : await database
        .transaction((connection) => cancelWaiting(connection, run, actor, note))
        .then(
          () => true,
          (error: unknown) => {
            if (error instanceof UserSyncError && error.code === 'run-status') return false;
            throw error;
          },
        );
  // It went on in between, or came to wait.
  if (!isCancelled) return cancelRun(database, runId, actor, note);
  if (!isUnderWay) await dropUnneededStages(database);
  return (await findRun(database, runId)) ?? run;
}

/** To be called in a transaction. */
async function cancelWaiting(connection: Connection, run: RunRow, actor: string, note?: string): Promise<void> {
  const message = `The run is cancelled, by ${actor}${note === undefined ? '' : `: ${note}`}.`;
  await logRun(connection, run.id, 'warn', message);
  // What it would have done, it did not do.
  const counts = { ...run.counts, added: 0, updated: 0, blocked: 0, unblocked: 0 };
  await endRun(connection, run.id, 'cancelled', actor, { counts }, WAITING);
}

/**
 * Cancels the held runs of a feed with an earlier batch than the one now applied: approving one would go back to it. To
 * be called in the transaction that ends the later run, after `endRun`, so that there is no moment in between.
 */
export async function cancelSuperseded(connection: Connection, applied: RunRow): Promise<void> {
  for (const run of await lockHeldBefore(connection, applied))
    await cancelWaiting(connection, run, 'user-sync', `run ${applied.id} with a later batch was applied`);
}

/**
 * Puts an approval on record, for whichever daemon looks after the feed to apply the run next.
 *
 * @throws UserSyncError when there is no such run, or it does not wait for a decision.
 */
export async function requestApproval(database: Database, runId: number, approval: Approval): Promise<void> {
  await assertHeld(database, runId);
  const { by, reason, withoutBlocks } = approval;
  await updateRun(database, runId, {
    approvedBy: by,
    approvedAt: new Date(),
    approvalReason: reason,
    withoutBlocks,
  });
  await logRun(database, runId, 'info', `The run is approved, by ${by}${reason === null ? '' : `: ${reason}`}.`);
}

/** @throws UserSyncError when there is no such run, or it does not wait for a decision. */
export async function assertHeld(database: Database, runId: number): Promise<RunRow> {
  const run = await findRun(database, runId);
  if (run === undefined) throw unknownRun(runId);
  if (run.status !== 'held') {
    throw new UserSyncError('run-status', `Run ${runId} is ${run.status}: only a held run can be approved.`, {
      kind: 'usage',
    });
  }
  return run;
}
