import { Lease } from '../db/lease.js';
import { findAbandonedRun, findRun, unknownRun, type RunRow } from '../db/runs.js';
import { isEnd } from '../domain/run.js';
import type { GuardResult } from '../domain/guard.js';
import { breachName } from '../domain/guard-text.js';
import { UserSyncError } from '../lib/errors.js';
import { RunCancelledError } from './apply.js';
import { StageLostError } from './plan.js';
import type { RunOptions, SyncContext } from './context.js';
import { Execution, type PlannedBatch } from './execution.js';
import { dropUnneededStages } from './finish.js';
import { holdsWithoutChanges } from './guards.js';
import { installModel } from './install-model.js';
import { explainDatabase } from './unexpected.js';

/**
 * One whole run: stage, plan, guard, apply, report. Begins with a run that is ready, or held and now approved, or left
 * behind by a process that died; whatever an earlier attempt applied no longer differs, so only the rest remains.
 *
 * A run of the feed that was left behind is finished first.
 *
 * @returns the run as it stands at the end of this attempt: complete, held or cancelled.
 * @throws the reason of a failed run, after the run says so itself; UserSyncError `feed-busy` when another process works
 *   on the feed.
 */
export async function executeRun(context: SyncContext, runId: number, options: RunOptions): Promise<RunRow> {
  const { database, holder, leaseMs, model, logger } = context;
  const { feedId, feed } = await mustFind(context, runId);
  const lease = await Lease.acquire(database, { id: feedId, name: feed }, holder, leaseMs);
  if (lease === undefined) {
    throw new UserSyncError('feed-busy', `Another process works on feed "${feed}" now. Try again when it is done.`, {
      context: { feed },
    });
  }
  try {
    await installModel(database, model);
    const abandoned = await findAbandonedRun(database, feedId);
    if (abandoned !== undefined && abandoned.id !== runId) {
      logger.warn(`Run ${abandoned.id} was left behind in ${abandoned.status}; finishing it first`, { feed });
      await attempt(context, abandoned.id, lease, withoutApproval(options)).catch(async (error: unknown) => {
        // What was wrong with that batch is no reason to drop this one.
        if (!isEnd((await mustFind(context, abandoned.id)).status)) throw error;
      });
      await options.onLeftBehind?.(await mustFind(context, abandoned.id));
    }
    await attempt(context, runId, lease, options);
    return await mustFind(context, runId);
  } finally {
    await dropUnneededStages(database).catch((error: unknown) => {
      logger.warn('Dropping old staging tables failed; the next run tries again', { error });
    });
    await lease.release();
  }
}

/** An approval is for one run. */
function withoutApproval({ approval: _approval, ...options }: RunOptions): RunOptions {
  return { ...options, actor: 'recovery' };
}

/**
 * What is thrown once a run began is noted as its end, so that no run stays without an explanation; unless it is left for
 * another attempt. A batch that Postgres lost while it was staged, in a crash, is staged again at once.
 */
async function attempt(context: SyncContext, runId: number, lease: Lease, options: RunOptions): Promise<void> {
  let execution = new Execution(context, await mustFind(context, runId), lease, options);
  try {
    await execute(execution).catch(async (error: unknown) => {
      if (!(error instanceof StageLostError)) throw error;
      context.logger.warn('Postgres lost the staged batch, as in a crash; staging it again', { run: runId });
      execution = new Execution(context, await mustFind(context, runId), lease, options);
      await execute(execution);
    });
  } catch (error) {
    if (execution.options.isLeft?.(error) === true) throw error;
    const reason = explainDatabase(error);
    await execution.fail(reason);
    if (!(reason instanceof RunCancelledError)) throw reason;
  }
}

/** An approval is of the plan that was seen: with a plan that breaches more guards, somebody is asked again. */
const NOT_APPROVED = { approvedBy: null, approvedAt: null, approvalReason: null, withoutBlocks: false } as const;

/** The phases in order. */
async function execute(execution: Execution): Promise<void> {
  const { run, record } = execution;
  if (isEnd(run.status) || run.status === 'uploading') {
    throw new UserSyncError('run-status', `Run ${run.id} is ${run.status}: there is nothing to do.`, { kind: 'usage' });
  }
  if (run.status === 'held') {
    if (await execution.planIsCurrent()) {
      await record.approve('applying');
      return execution.apply(run.counts);
    }
    await record.approve('planning');
  } else if (run.status === 'ready') {
    await record.begin();
    const isBatch = run.kind !== 'revert';
    if (isBatch && !execution.isForced && (await execution.isNothingNew())) return execution.completeNothingNew();
  }
  const { staged, plan } = await makePlanOf(execution);
  const batch = await execution.evaluate(staged, plan);
  if (run.dryRun) return record.end({ outcome: 'dry-run' });
  // A run that had begun to write before it was left behind passed its guards then.
  if (run.status !== 'applying') {
    const why = reasonToHold(execution, batch);
    if (why !== undefined) {
      await record.move('held', NOT_APPROVED, why);
      // Nobody means an empty batch: an approval given in advance, perhaps by a script, does not cover it.
      const isEmpty = batch.guards.some(({ guard, breached }) => guard === 'empty' && breached);
      if (run.status === 'held' || execution.options.approval === undefined || isEmpty) return;
      await record.approve('applying');
    } else {
      await record.move('applying');
    }
  }
  return execution.apply(batch.counts, batch);
}

async function makePlanOf(execution: Execution): Promise<Pick<PlannedBatch, 'staged' | 'plan'>> {
  const { kind, ofRun } = execution.run;
  if (kind === 'revert' && ofRun !== null) return execution.planRevert(ofRun);
  const staged = await execution.stage();
  return { staged, plan: await execution.plan(staged) };
}

/** Undefined: go on. */
function reasonToHold({ run, options }: Execution, { counts, guards }: PlannedBatch): string | undefined {
  const changes = counts.added + counts.updated + counts.blocked + counts.unblocked;
  const breached = guards.filter((guard) => (changes === 0 ? holdsWithoutChanges(guard) : guard.breached));
  // A plan made again after approval is covered by it, unless a guard is breached that was not when it was given.
  if (run.status === 'held') {
    const known = new Set(breachedGuards(run.guards));
    const added = breachedGuards(breached).filter((guard) => !known.has(guard));
    return added.length === 0 ? undefined : `made again after approval, guards newly breached: ${added.join(', ')}`;
  }
  if (breached.length > 0) return describeBreaches(breached);
  return changes > 0 && !options.settings.autoApply ? 'automatic apply is off' : undefined;
}

function breachedGuards(guards: readonly GuardResult[]): string[] {
  return guards.filter((guard) => guard.breached).map(breachName);
}

/** Guards tell their numbers in the summary; the reason of a plugin is all there is. */
function describeBreaches(breached: readonly GuardResult[]): string {
  const guards = breached.filter(({ guard }) => guard !== 'plugin').map(breachName);
  const plugins = breached.flatMap((breach) =>
    breach.guard === 'plugin' ? [`${breachName(breach)}: ${breach.reason ?? ''}`] : [],
  );
  return [...(guards.length === 0 ? [] : [`guards: ${guards.join(', ')}`]), ...plugins].join('; ');
}

async function mustFind(context: SyncContext, runId: number): Promise<RunRow> {
  const run = await findRun(context.database, runId);
  if (run === undefined) throw unknownRun(runId);
  return run;
}
