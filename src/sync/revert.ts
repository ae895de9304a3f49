import { noteAudit, type Author } from '../db/audit.js';
import type { Database } from '../db/database.js';
import type { Lease } from '../db/lease.js';
import { stageTable } from '../db/queries.js';
import { createRun, findRun, runFiles, unknownRun, type NewRun, type RunRow } from '../db/runs.js';
import type { BatchFile } from '../domain/run.js';
import { UserSyncError } from '../lib/errors.js';
import type { RunAttempt, SyncContext } from './context.js';
import { countChanges, currentVersion, type Plan } from './plan.js';

export interface RevertPlan extends Plan {
  /** Changes of the run that is taken back. */
  readonly records: number;
}

/** Who wants the run, and whether a daemon is to take it up; else the process that asks does. */
export interface Submission extends Author {
  readonly queued?: boolean;
}

/**
 * A new run that plans the inverse of what a run applied. Users whom something else changed since are listed in its log
 * and left alone; those whom the run added are blocked.
 *
 * @returns the id of a run that is ready
 * @throws UserSyncError `run-unknown`; `run-status` when the run applied nothing or is not over
 */
export async function submitRevert(
  context: Pick<SyncContext, 'database'>,
  runId: number,
  submission: Submission,
): Promise<number> {
  const { feedId, finishedAt, published, status } = await mustFind(context, runId);
  if (finishedAt === null || !published) {
    const what = finishedAt === null ? `is ${status}` : 'changed nothing';
    throw new UserSyncError('run-status', `Run ${runId} ${what}: there is nothing to take back.`, { kind: 'usage' });
  }
  const run = { feedId, kind: 'revert', ofRun: runId, force: false, controlId: null } as const;
  return submit(context.database, run, [], submission);
}

/**
 * A new run of an earlier run's files and control file.
 *
 * @returns the id of a run that is ready
 * @throws UserSyncError `run-unknown`; `files-gone` when the store does not keep the files any more
 */
export async function submitReapply(
  context: Pick<SyncContext, 'database' | 'store'>,
  runId: number,
  submission: Submission,
): Promise<number> {
  const { database, store } = context;
  const { feedId, controlId, force } = await mustFind(context, runId);
  const files = await runFiles(database, runId);
  if (files.length === 0 || controlId === null) {
    throw new UserSyncError('run-status', `Run ${runId} has no batch of files that could be applied again.`, {
      kind: 'usage',
    });
  }
  for (const { name, digest } of files) {
    if (await store.has(digest)) continue;
    throw new UserSyncError(
      'files-gone',
      `The file ${name} of run ${runId} is not kept any more (see \`retention\`). Send the batch again.`,
      { kind: 'usage' },
    );
  }
  return submit(database, { feedId, kind: 'reapply', ofRun: runId, force, controlId }, files, submission);
}

async function submit(
  database: Database,
  run: Omit<NewRun, 'source' | 'dryRun' | 'queued'> & { readonly kind: 'reapply' | 'revert'; readonly ofRun: number },
  files: readonly BatchFile[],
  submission: Submission,
): Promise<number> {
  const { by, queued = false } = submission;
  const action = run.kind === 'revert' ? 'run-reverted' : 'run-reapplied';
  return database.transaction(async (connection) => {
    const made = await createRun(connection, { ...run, source: by, dryRun: false, queued }, files);
    await noteAudit(connection, submission, { action, subject: `run ${run.ofRun}`, details: { run: made } });
    return made;
  });
}

/** Stores the inverse of what `ofRun` applied as the plan of this run. */
export async function planRevert(
  database: Database,
  request: { readonly attempt: RunAttempt; readonly ofRun: number; readonly lease: Lease },
): Promise<RevertPlan> {
  const { attempt, ofRun, lease } = request;
  const { runId, feedId, settings } = attempt;
  const directoryVersion = await currentVersion(database);
  const found = await lease.transaction(async (connection) => {
    // Nothing is staged; what follows may look there all the same.
    await connection.run('stage/drop-stage', [], stageTable(runId));
    await connection.run('stage/create-stage', [], stageTable(runId));
    await connection.run('plan/clear-plan', [runId]);
    const [row] = await connection.rows<{ base: number }>('plan/plan-base', [runId]);
    const base = row?.base ?? 0;
    await connection.run('revert/make-reverted');
    await connection.run('revert/find-reverted', [ofRun, runId, feedId]);
    await connection.run('revert/plan-revert', [runId, base]);
    await connection.run('revert/log-skipped', [runId]);
    const [counted] = await connection.rows<{ changes: number; skipped: number; first_block: number }>(
      'revert/count-reverted',
      [base],
    );
    if (counted === undefined) throw new Error('revert/count-reverted returned nothing');
    await connection.run('plan/plan-chunks', [runId, base, settings.chunkSize, counted.first_block]);
    const [users] = await connection.query<{ count: number }>(
      'select count(*) as count from sync.feed_user where feed_id = $1 and in_feed',
      [feedId],
    );
    return { ...counted, inFeed: users?.count ?? 0 };
  });
  const changes = await countChanges(database, 'plan/count-plan', runId);
  const { changes: records, skipped: rejected, inFeed } = found;
  const planned = changes.add + changes.update + changes.block + changes.unblock;
  const rejectedBy: Record<string, number> = rejected > 0 ? { 'changed-since': rejected } : {};
  return {
    changes,
    records,
    rejected,
    rejectedBy,
    inFeed,
    missing: 0,
    candidates: planned,
    unknownPeople: 0,
    directoryVersion,
  };
}

async function mustFind({ database }: Pick<SyncContext, 'database'>, runId: number): Promise<RunRow> {
  const run = await findRun(database, runId);
  if (run === undefined) throw unknownRun(runId);
  return run;
}
