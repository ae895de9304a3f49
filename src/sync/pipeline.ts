import { Lease } from '../db/lease.js';
import { clearRecordErrors, logRun } from '../db/run-log.js';
import { findRun, moveRun, runFiles, unknownRun, updateRun, type RunRow } from '../db/runs.js';
import { controlFile, type ControlFileRow } from '../db/feeds.js';
import { stageTable } from '../db/queries.js';
import type { FileEntry } from '../mapping/instruction.js';
import type { GuardResult } from '../domain/guard.js';
import type { BatchFile, RunCounts, RunPhase } from '../domain/run.js';
import { UserSyncError, messageOf } from '../lib/errors.js';
import { readControlRow } from './control.js';
import { RunCancelledError, applyPlan } from './apply.js';
import type { FeedSettings, OnProgress, SyncContext, RunAttempt } from './context.js';
import { dropUnneededStages, endRun, settleFeed } from './finish.js';
import { evaluateGuards, groupLosses, holdsWithoutChanges, lastBatch, type LastBatch } from './guards.js';
import { installModel, modelDigest } from './install-model.js';
import { countChanges, currentVersion, makePlan, type Plan } from './plan.js';
import { stageBatch } from './stage.js';
import type { StageSummary } from './stage-messages.js';

export interface Approval {
  readonly by: string;
  readonly reason: string | null;
  readonly withoutBlocks: boolean;
}

export interface RunOptions {
  readonly settings: FeedSettings;
  /** Given in advance: a run that would be held goes on. */
  readonly approval?: Approval;
  readonly actor: string;
  readonly signal: AbortSignal;
  readonly onProgress?: OnProgress;
}

/**
 * One whole run: stage, plan, guard, apply, report. Begins with a run that is ready, or held and now approved, or left
 * behind by a process that died; whatever an earlier attempt applied no longer differs, so only the rest remains.
 *
 * @returns the run as it stands at the end of this attempt: complete, held or cancelled.
 * @throws the reason of a failed run, after the run says so itself; UserSyncError `feed-busy` when another process works
 *   on the feed.
 */
export async function executeRun(context: SyncContext, runId: number, options: RunOptions): Promise<RunRow> {
  const { database, holder } = context;
  const run = await mustFind(context, runId);
  const lease = await Lease.acquire(database, { id: run.feedId, name: run.feed }, holder);
  if (lease === undefined) {
    throw new UserSyncError(
      'feed-busy',
      `Another process works on feed "${run.feed}" at this moment. Try again when it is done.`,
      { context: { feed: run.feed } },
    );
  }
  const execution = new Execution(context, run, lease, options);
  try {
    await execution.execute();
  } catch (error) {
    await execution.fail(error);
    if (!(error instanceof RunCancelledError)) throw error;
  } finally {
    await dropUnneededStages(database).catch((error: unknown) => {
      context.logger.warn('Dropping old staging tables failed; the next run tries again', { error });
    });
    await lease.release();
  }
  return mustFind(context, runId);
}

class Execution {
  readonly #context: SyncContext;
  readonly #run: RunRow;
  readonly #lease: Lease;
  readonly #options: RunOptions;
  readonly #attempt: RunAttempt;
  readonly #timings: { -readonly [P in RunPhase]: number };

  constructor(context: SyncContext, run: RunRow, lease: Lease, options: RunOptions) {
    this.#context = context;
    this.#run = run;
    this.#lease = lease;
    this.#options = options;
    this.#timings = { ...run.timings };
    this.#attempt = {
      runId: run.id,
      feedId: run.feedId,
      settings: options.settings,
      signal: options.signal,
      onProgress: options.onProgress ?? (() => undefined),
    };
  }

  async execute(): Promise<void> {
    const { database, model } = this.#context;
    const run = this.#run;
    const files = await runFiles(database, run.id);
    await installModel(database, model);
    if (run.status === 'held' && (await this.#planIsCurrent())) {
      await this.#approve('applying');
      return this.#apply(files, run.counts);
    }
    if (run.status === 'held') await this.#approve('planning');
    else if (run.status === 'ready') await this.#move('planning', { startedAt: new Date() });
    const last = await lastBatch(database, run.feedId, run.id);
    if (run.status === 'ready' && !run.force && this.#isNothingNew(files, last)) return this.#completeNothingNew(last);
    const staged = await this.#timed('stage', () => this.#stage(files));
    const plan = await this.#timed('plan', () => this.#plan(files, staged));
    const counts = countsOf(staged, plan);
    const guards = await this.#guard(files, staged, plan, counts, last);
    await updateRun(database, run.id, {
      counts,
      guards,
      timings: this.#timings,
      valueCounts: staged.valueCounts,
      plannedVersion: plan.directoryVersion,
      modelDigest: modelDigest(model),
    });
    await this.#decide(files, staged, plan, counts, guards);
  }

  /** The run says why it ended; what had been applied is published. */
  async fail(error: unknown): Promise<void> {
    const { database, logger } = this.#context;
    const { id, feed } = this.#run;
    const cancelled = error instanceof RunCancelledError;
    const code = error instanceof UserSyncError ? error.code : 'internal';
    const current = await findRun(database, id).catch(() => undefined);
    if (current === undefined || !['planning', 'applying'].includes(current.status)) return;
    try {
      await logRun(database, id, cancelled ? 'warn' : 'error', messageOf(error), code);
      const counts = await this.#appliedCounts(current.counts);
      await endRun(
        database,
        id,
        cancelled ? 'cancelled' : 'failed',
        this.#options.actor,
        {
          failureCode: code,
          failureMessage: messageOf(error),
          timings: this.#timings,
          counts,
        },
        this.#lease,
      );
    } catch (cause) {
      // The run stays as it is; whoever takes it over after the lease runs out finishes it.
      logger.error('Noting the end of a failed run failed', { run: id, feed, error: cause });
    }
  }

  /** The same bytes through the same control file as last time, and nothing of that batch left undone. */
  #isNothingNew(files: readonly BatchFile[], last: LastBatch | undefined): boolean {
    return (
      last !== undefined &&
      last.controlId === this.#run.controlId &&
      last.modelDigest === modelDigest(this.#context.model) &&
      Object.keys(last.files).length === files.length &&
      files.every((file) => last.files[file.name]?.digest === file.digest)
    );
  }

  async #completeNothingNew(last: LastBatch | undefined): Promise<void> {
    const message = `Nothing new: every file is the same as in run ${last?.id ?? 0}, the last one applied.`;
    await logRun(this.#context.database, this.#run.id, 'info', message, 'nothing-new');
    await this.#end('complete', { outcome: 'nothing-new', applied: true });
  }

  async #stage(files: readonly BatchFile[]): Promise<StageSummary> {
    const { database, store, model, limits } = this.#context;
    const control = await this.#control();
    const { files: entries } = readControlRow(control, model);
    await clearRecordErrors(database, this.#run.id);
    return stageBatch(database, {
      runId: this.#run.id,
      signal: this.#options.signal,
      onProgress: this.#attempt.onProgress,
      job: {
        files: inOrder(files, entries).map(({ file, entry }) => ({
          name: file.name,
          path: store.pathOf(file.digest),
          sizeBytes: file.sizeBytes,
          format: { read: entry.read, ...entry.options },
        })),
        control: control.content,
        model: model.source,
        limits,
      },
    });
  }

  async #plan(files: readonly BatchFile[], staged: StageSummary): Promise<Plan> {
    const { database } = this.#context;
    return makePlan(database, {
      attempt: this.#attempt,
      force: this.#run.force,
      fileNames: await this.#fileNames(files),
      records: staged.records,
    });
  }

  async #guard(
    files: readonly BatchFile[],
    staged: StageSummary,
    plan: Plan,
    counts: RunCounts,
    last: LastBatch | undefined,
  ): Promise<GuardResult[]> {
    const { runId, feedId, settings } = this.#attempt;
    return evaluateGuards({
      settings: settings.guards,
      counts,
      inFeed: plan.inFeed,
      withoutUsername: staged.withoutUsername,
      valueCounts: staged.valueCounts,
      files,
      groupLosses:
        plan.changes.update + plan.changes.unblock === 0
          ? []
          : await groupLosses(this.#context.database, runId, feedId),
      last,
    });
  }

  async #decide(
    files: readonly BatchFile[],
    staged: StageSummary,
    plan: Plan,
    counts: RunCounts,
    guards: readonly GuardResult[],
  ): Promise<void> {
    const changes = counts.added + counts.updated + counts.blocked + counts.unblocked;
    if (this.#run.dryRun) return this.#end('complete', { outcome: 'dry-run' });
    const breached = guards.filter((guard) => (changes === 0 ? holdsWithoutChanges(guard) : guard.breached));
    const mustAsk = breached.length > 0 || (changes > 0 && !this.#options.settings.autoApply);
    if (mustAsk && !this.#approvedBefore(breached)) {
      const why =
        breached.length > 0 ? `guards: ${breached.map(({ guard }) => guard).join(', ')}` : 'automatic apply is off';
      await this.#move('held', {}, why);
      if (this.#options.approval === undefined || this.#run.status === 'held') return;
      await this.#approve('applying');
    } else {
      await this.#move('applying');
    }
    return this.#apply(files, counts, { staged, plan });
  }

  /** A plan made again after approval is covered by it, unless a guard is breached that was not when it was given. */
  #approvedBefore(breached: readonly GuardResult[]): boolean {
    if (this.#run.status !== 'held') return false;
    const known = new Set(this.#run.guards.filter((guard) => guard.breached).map(({ guard }) => guard));
    return breached.every(({ guard }) => known.has(guard));
  }

  async #apply(
    files: readonly BatchFile[],
    counts: RunCounts,
    fresh?: { staged: StageSummary; plan: Plan },
  ): Promise<void> {
    const { database } = this.#context;
    const { runId, feedId } = this.#attempt;
    const fileNames = await this.#fileNames(files);
    const withoutBlocks = this.#options.approval?.withoutBlocks ?? this.#run.withoutBlocks;
    const refused = await this.#timed('apply', async () => {
      const number = await applyPlan(database, {
        attempt: this.#attempt,
        lease: this.#lease,
        fileNames,
        withoutBlocks,
      });
      await settleFeed(database, this.#lease, {
        runId,
        feedId,
        fileNames,
        digestsDiffer: fresh === undefined || fresh.plan.candidates > counts.updated + counts.unblocked,
        hasErrors: fresh === undefined || fresh.staged.inError > 0,
        hasRejected: counts.rejected > 0,
      });
      return number;
    });
    const applied = await this.#appliedCounts({ ...counts, rejected: counts.rejected + refused });
    const changed = applied.added + applied.updated + applied.blocked + applied.unblocked > 0;
    await this.#end('complete', {
      outcome: changed ? 'applied' : 'nothing-to-change',
      applied: true,
      counts: applied,
    });
  }

  /** What really happened, for a plan of which perhaps not all was applied. */
  async #appliedCounts(planned: RunCounts): Promise<RunCounts> {
    const applied = await countChanges(this.#context.database, 'apply/count-applied', this.#run.id);
    return {
      ...planned,
      added: applied.add,
      updated: applied.update,
      blocked: applied.block,
      unblocked: applied.unblock,
    };
  }

  /** Whether what was approved can be applied as it is: nobody wrote to the directory, and the batch is still staged. */
  async #planIsCurrent(): Promise<boolean> {
    const { database, model } = this.#context;
    if (this.#run.modelDigest !== modelDigest(model)) return false;
    if ((await currentVersion(database)) !== this.#run.plannedVersion) return false;
    return isStaged(this.#context, this.#run);
  }

  async #approve(to: 'applying' | 'planning'): Promise<void> {
    const { approval } = this.#options;
    if (approval === undefined)
      throw new UserSyncError('not-approved', `Run ${this.#run.id} is held: approve it first.`);
    const { by, reason, withoutBlocks } = approval;
    await this.#move(
      to,
      { approvedBy: by, approvedAt: new Date(), approvalReason: reason, withoutBlocks },
      reason ?? undefined,
    );
  }

  async #move(
    to: Parameters<typeof moveRun>[2],
    update: Parameters<typeof moveRun>[4] = {},
    note?: string,
  ): Promise<void> {
    const { database, logger } = this.#context;
    const { id, feed } = this.#run;
    await moveRun(database, id, to, this.#options.actor, update, note ?? null);
    logger.info(`Run ${id} is ${to}`, { run: id, feed, ...(note === undefined ? {} : { note }) });
  }

  async #end(status: 'complete', update: Parameters<typeof endRun>[4]): Promise<void> {
    const { database, logger } = this.#context;
    const { id, feed } = this.#run;
    await endRun(database, id, status, this.#options.actor, { ...update, timings: this.#timings }, this.#lease);
    logger.info(`Run ${id} is ${status}`, { run: id, feed, outcome: update.outcome, ...update.counts });
  }

  async #timed<T>(phase: RunPhase, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.#timings[phase] += Math.round(performance.now() - start) / 1000;
    }
  }

  async #fileNames(files: readonly BatchFile[]): Promise<string[]> {
    const { files: entries } = readControlRow(await this.#control(), this.#context.model);
    return inOrder(files, entries).map(({ file }) => file.name);
  }

  async #control(): Promise<ControlFileRow> {
    const { id, controlId } = this.#run;
    const control = controlId === null ? undefined : await controlFile(this.#context.database, controlId);
    if (control === undefined) throw new UserSyncError('control-missing', `Run ${id} has no control file.`);
    return control;
  }
}

/** The batch's files in the order in which the control file lists them. */
function inOrder(files: readonly BatchFile[], entries: readonly FileEntry[]): { file: BatchFile; entry: FileEntry }[] {
  return entries.flatMap((entry) => {
    const file = files.find(({ name }) => name === entry.name);
    return file === undefined ? [] : [{ file, entry }];
  });
}

function countsOf(staged: StageSummary, plan: Plan): RunCounts {
  const { add, update, block, unblock } = plan.changes;
  const rejected = staged.withoutUsername + plan.stagedRejected + plan.duplicates;
  return {
    records: staged.records,
    added: add,
    updated: update,
    blocked: block,
    unblocked: unblock,
    unchanged: staged.records - rejected - add - update - unblock,
    rejected,
  };
}

async function isStaged(context: SyncContext, run: RunRow): Promise<boolean> {
  const table = stageTable(run.id);
  const [found] = await context.database.rows<{ exists: boolean }>('stage/stage-exists', [table]);
  if (found?.exists !== true) return false;
  const [stage] = await context.database.rows<{ staged: number }>('stage/count-stage', [], table);
  // An unlogged table is empty after a crash of Postgres.
  return (stage?.staged ?? 0) > 0 || run.counts.records === 0;
}

async function mustFind(context: SyncContext, runId: number): Promise<RunRow> {
  const run = await findRun(context.database, runId);
  if (run === undefined) throw unknownRun(runId);
  return run;
}
