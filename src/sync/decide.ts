import { noteAudit, type Author } from '../db/audit.js';
import type { Connection, Database, Executor } from '../db/database.js';
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
export async function cancelRun(database: Database, runId: number, author: Author, note?: string): Promise<RunRow> {
  const run = await findRun(database, runId);
  if (run === undefined) throw unknownRun(runId);
  if (isEnd(run.status)) {
    throw new UserSyncError('run-status', `Run ${runId} has ended already: it is ${run.status}.`, { kind: 'usage' });
  }
  const isUnderWay = run.status === 'planning' || run.status === 'applying';
  const isCancelled = await database
    .transaction(async (connection) => {
      if (!isUnderWay) await cancelWaiting(connection, run, author.by, note);
      else if (!(await requestCancel(connection, runId))) return false;
      await noteAudit(connection, author, { action: 'run-cancelled', subject: `run ${runId}` });
      return true;
    })
    .catch((error: unknown) => {
      if (error instanceof UserSyncError && error.code === 'run-status') return false;
      throw error;
    });
  // It went on in between, or came to wait.
  if (!isCancelled) return cancelRun(database, runId, author, note);
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
 * Cancels the held runs of a feed that are older than the batch now applied: approving one would go back to its batch. To
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
  const { by, reason, withoutBlocks } = approval;
  await database.transaction(async (connection) => {
    await assertHeld(connection, runId);
    await updateRun(connection, runId, {
      approvedBy: by,
      approvedAt: new Date(),
      approvalReason: reason,
      withoutBlocks,
    });
    await logRun(connection, runId, 'info', `The run is approved, by ${by}${reason === null ? '' : `: ${reason}`}.`);
    await noteAudit(connection, approval, {
      action: 'run-approved',
      subject: `run ${runId}`,
      details: { withoutBlocks },
    });
  });
}

/** @throws UserSyncError when there is no such run, or it does not wait for a decision. */
export async function assertHeld(database: Executor, runId: number): Promise<RunRow> {
  const run = await findRun(database, runId);
  if (run === undefined) throw unknownRun(runId);
  if (run.status !== 'held') {
    throw new UserSyncError('run-status', `Run ${runId} is ${run.status}: only a held run can be approved.`, {
      kind: 'usage',
    });
  }
  return run;
}
