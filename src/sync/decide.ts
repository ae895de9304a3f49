import { noteAudit, type Author } from '../db/audit.js';
import type { Connection, Database, Executor } from '../db/database.js';
import { logRun } from '../db/run-log.js';
import { approveRun, findRun, lockHeldBefore, requestCancel, unknownRun, type RunRow } from '../db/runs.js';
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
  const run = await mustFind(database, runId);
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
 * Cancels the held runs of a feed with an earlier batch than the one now applied: approving one would go back to it. To
 * be called in the transaction that ends the later run, after `endRun`, so that there is no moment in between.
 */
export async function cancelSuperseded(connection: Connection, applied: RunRow): Promise<void> {
  for (const run of await lockHeldBefore(connection, applied))
    await cancelWaiting(connection, run, 'user-sync', `run ${applied.id} with a later batch was applied`);
}

/**
 * Puts an approval on record, for whichever daemon looks after the feed to apply the run next. The first one counts; given
 * again, as by a client that did not hear the answer, it is on record already.
 *
 * @throws UserSyncError `run-unknown`, or `run-status` when the run does not wait for a decision, or somebody was faster.
 */
export async function requestApproval(database: Database, runId: number, approval: Approval): Promise<void> {
  const { by, reason, withoutBlocks } = approval;
  await database.transaction(async (connection) => {
    if (await putOnRecord(connection, runId, approval)) {
      await logRun(connection, runId, 'info', `The run is approved, by ${by}${reason === null ? '' : `: ${reason}`}.`);
      return;
    }
    const run = await mustFind(connection, runId);
    const isOnRecord = run.approvedBy === by && run.approvalReason === reason && run.withoutBlocks === withoutBlocks;
    if (run.status === 'cancelled' || !isOnRecord) throw notToApprove(run);
  });
}

/**
 * The held run with the approval by which it goes on: the one on record, or else the one that is given, which is put there.
 *
 * @throws UserSyncError `not-approved` when there is neither; `run-status` when the run does not wait for a decision, or what
 *   is on record decides otherwise.
 */
export async function approvedRun(connection: Connection, runId: number, given?: Approval): Promise<RunRow> {
  if (given !== undefined) await putOnRecord(connection, runId, given);
  const run = await mustFind(connection, runId);
  if (run.status !== 'held') throw notToApprove(run);
  if (run.approvedAt === null) {
    throw new UserSyncError('not-approved', `Run ${runId} is held: approve it first.`, { kind: 'usage' });
  }
  if (given !== undefined && given.withoutBlocks !== run.withoutBlocks) throw notToApprove(run);
  return run;
}

/** @throws UserSyncError when there is no such run, or it is not held. */
export async function assertHeld(database: Database, runId: number): Promise<void> {
  const run = await mustFind(database, runId);
  if (run.status !== 'held') throw notToApprove(run);
}

/** @returns whether it is this approval that counts now */
async function putOnRecord(connection: Connection, runId: number, approval: Approval): Promise<boolean> {
  if (!(await approveRun(connection, runId, approval))) return false;
  const { withoutBlocks } = approval;
  await noteAudit(connection, approval, {
    action: 'run-approved',
    subject: `run ${runId}`,
    details: { withoutBlocks },
  });
  return true;
}

function notToApprove({ id, status, kind, approvedBy, withoutBlocks }: RunRow): UserSyncError {
  const again =
    status === 'cancelled' && kind !== 'revert' ? ` \`user-sync reapply ${id}\` makes a new run of its batch.` : '';
  const message =
    status === 'held'
      ? `Run ${id} is approved already, by ${approvedBy ?? ''}, ${withoutBlocks ? 'without' : 'with'} its blocks, and is ` +
        'applied next. To decide otherwise, cancel it and make a new run.'
      : `Run ${id} is ${status}: only a held run can be approved.${again}`;
  return new UserSyncError('run-status', message, { kind: 'usage' });
}

async function mustFind(database: Executor, runId: number): Promise<RunRow> {
  const run = await findRun(database, runId);
  if (run === undefined) throw unknownRun(runId);
  return run;
}
