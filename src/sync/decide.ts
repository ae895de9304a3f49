import type { Database } from '../db/database.js';
import { findRun, moveRun, unknownRun, updateRun, type RunRow } from '../db/runs.js';
import { isEnd } from '../domain/run.js';
import { UserSyncError } from '../lib/errors.js';
import { dropUnneededStages } from './finish.js';

/**
 * Stops a run. One that waits is cancelled at once; one under way stops after the chunks in flight, and what it had
 * applied stays applied.
 *
 * @returns the run, cancelled or about to be.
 * @throws UserSyncError `run-unknown`, or `run-status` when it has ended already.
 */
export async function cancelRun(database: Database, runId: number, actor: string): Promise<RunRow> {
  const run = await findRun(database, runId);
  if (run === undefined) throw unknownRun(runId);
  if (isEnd(run.status)) {
    throw new UserSyncError('run-status', `Run ${runId} has ended already: it is ${run.status}.`, { kind: 'usage' });
  }
  if (run.status === 'planning' || run.status === 'applying') {
    await updateRun(database, runId, { cancelRequested: true });
  } else {
    await moveRun(database, runId, 'cancelled', actor, { finishedAt: new Date() });
    await dropUnneededStages(database);
  }
  return (await findRun(database, runId)) ?? run;
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
