import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lease } from '../db/lease.js';
import { stageTable } from '../db/queries.js';
import { clearRecordErrors, countErrors } from '../db/run-log.js';
import { findRun, type RunRow } from '../db/runs.js';
import type { GuardResult } from '../domain/guard.js';
import { describeGuard } from '../domain/guard-text.js';
import { NO_COUNTS, changesIn, countsOfPlan, type RunCounts } from '../domain/run.js';
import { directoryNeeds } from '../mapping/mapped-names.js';
import { RunCancelledError, applyPlan } from './apply.js';
import { readBatch, type Batch } from './batch.js';
import type { RunAttempt, RunOptions, SyncContext } from './context.js';
import { settleFeed } from './finish.js';
import { evaluateGuards, groupLosses, lastBatch, type LastBatch } from './guards.js';
import { RunHooks } from './hooks.js';
import { languageDigest, recordSeed } from './language-digest.js';
import { knownObjects } from './lookups.js';
import { currentVersion, makePlan, type Plan } from './plan.js';
import { progressKeeper } from './progress.js';
import { planRevert } from './revert.js';
import { RunRecord } from './run-record.js';
import { stageBatch } from './stage.js';
import { NOTHING_STAGED, type StageSummary } from './stage-messages.js';

/** What a run is about to do, in numbers. */
export interface PlannedBatch {
  readonly counts: RunCounts;
  readonly guards: readonly GuardResult[];
  readonly staged: StageSummary;
  readonly plan: Plan;
}

/** One attempt at one run: its phases, for the pipeline to put in order. */
export class Execution {
  readonly record: RunRecord;
  readonly options: RunOptions;
  readonly #context: SyncContext;
  readonly #lease: Lease;
  readonly #attempt: RunAttempt;
  readonly #hooks: RunHooks;
  #batch: Promise<Batch> | undefined;
  #lastBatch: Promise<LastBatch | undefined> | undefined;

  constructor(context: SyncContext, run: RunRow, lease: Lease, options: RunOptions) {
    this.record = new RunRecord(context, run, lease, options);
    this.options = options;
    this.#context = context;
    this.#lease = lease;
    this.#hooks = new RunHooks(context, run, options.signal);
    const keep = progressKeeper(context.database, run.id);
    this.#attempt = {
      runId: run.id,
      feedId: run.feedId,
      settings: options.settings,
      signal: options.signal,
      onProgress: (progress) => {
        keep(progress);
        options.onProgress?.(progress);
      },
    };
  }

  get run(): RunRow {
    return this.record.run;
  }

  /** Every user is looked at, also those whose record is the same as last time. */
  get isForced(): boolean {
    return this.run.force || this.options.settings.force;
  }

  /** The same bytes through the same control file, model and plugins as last time, and nothing of that batch left undone. */
  async isNothingNew(): Promise<boolean> {
    const last = await this.#last();
    const { files } = await this.#files();
    return (
      last?.isDone === true &&
      last.controlId === this.run.controlId &&
      last.modelDigest === languageDigest(this.#context) &&
      Object.keys(last.files).length === files.length &&
      files.every((file) => last.files[file.name]?.digest === file.digest)
    );
  }

  async completeNothingNew(): Promise<void> {
    const last = await this.#last();
    await this.record.note(
      'info',
      `Nothing new: every file is the same as in run ${last?.id ?? 0}, the last one applied.`,
    );
    const { records, rejected } = last?.counts ?? NO_COUNTS;
    const counts = { ...NO_COUNTS, records, rejected, unchanged: records - rejected };
    await this.record.end({ outcome: 'nothing-new', applied: !this.run.dryRun, counts });
  }

  /** Whether what was approved can be applied as it is: nothing it was made of changed, and the batch is still staged. */
  async planIsCurrent(): Promise<boolean> {
    const { database } = this.#context;
    if (this.run.modelDigest !== languageDigest(this.#context)) return false;
    if ((await currentVersion(database)) !== this.run.plannedVersion) return false;
    const table = stageTable(this.run.id);
    const [found] = await database.rows<{ exists: boolean }>('stage/stage-exists', [table]);
    if (found?.exists !== true) return false;
    const [stage] = await database.rows<{ staged: number }>('stage/count-stage', [], table);
    // An unlogged table is empty after a crash of Postgres.
    return (stage?.staged ?? 0) > 0 || this.run.counts.records === 0;
  }

  async stage(): Promise<StageSummary> {
    const { database, store, model, limits, plugins, processingFolder } = this.#context;
    const { control, controlText, inOrder: files } = await this.#files();
    await clearRecordErrors(this.#lease.executor, this.run.id);
    const needs = directoryNeeds(control, model);
    const objects = await knownObjects(database, needs, model);
    const isFromRecord = !needs.users && !needs.objects;
    const processing = join(processingFolder, String(this.run.id));
    const staged = await this.record
      .timed(
        'stage',
        async () =>
          stageBatch(database, {
            runId: this.run.id,
            feedId: this.run.feedId,
            lease: this.#lease,
            signal: this.options.signal,
            onProgress: this.#attempt.onProgress,
            job: {
              files: files.map(({ file, entry }) => ({
                name: file.name,
                path: store.pathOf(file.digest),
                sizeBytes: file.sizeBytes,
                format: { read: entry.read, ...entry.options },
              })),
              control: controlText,
              model: model.source,
              objects,
              limits,
              plugins: plugins.modules,
              recordSeed: isFromRecord ? recordSeed(this.#context, controlText, objects) : null,
              // A run that began to write before may have left references open, which planning then wants to see again.
              recognises: !this.isForced && this.run.status !== 'applying',
              processingFolder: processing,
            },
          }),
        // The thread may have been stopped in the middle; what an earlier process left there goes too.
      )
      .finally(() => rm(processing, { recursive: true, force: true }));
    for (const warning of staged.warnings) await this.record.note('warn', warning, 'record-processor');
    const { records, accepted, recognised, inError } = staged;
    const names = files.map(({ file }) => file.name).join(', ');
    await this.record.note(
      'info',
      `Read ${records} records of ${names}: ${accepted} accepted, ${inError} of them with errors, ${recognised} as last time.`,
    );
    return staged;
  }

  async plan(staged: StageSummary): Promise<Plan> {
    await this.#assertNotCancelled();
    const fileNames = await this.#fileNames();
    const plan = await this.record.timed('plan', () =>
      makePlan(this.#context.database, {
        attempt: this.#attempt,
        force: this.isForced,
        fileNames,
        records: staged.records,
        rows: staged.rows,
        hasPeople: staged.withPeople > 0,
        hasDependents: staged.withDependents > 0,
        model: this.#context.model,
        lease: this.#lease,
      }),
    );
    await this.#assertNotCancelled();
    return plan;
  }

  /** The inverse of what the run did that is taken back. */
  async planRevert(ofRun: number): Promise<{ staged: StageSummary; plan: Plan }> {
    await clearRecordErrors(this.#lease.executor, this.run.id);
    const { records, ...plan } = await this.record.timed('plan', () =>
      planRevert(this.#context.database, { attempt: this.#attempt, ofRun, lease: this.#lease }),
    );
    await this.#assertNotCancelled();
    await this.record.note('info', `Run ${ofRun} made ${records} changes that are to be taken back.`);
    return { staged: { ...NOTHING_STAGED, records }, plan };
  }

  /** Asks the guards, and notes what the run is about to do. */
  async evaluate(staged: StageSummary, plan: Plan): Promise<PlannedBatch> {
    const { database } = this.#context;
    const counts = countsOfPlan(staged.records, staged.withoutUsername + plan.rejected, plan.changes);
    const isRevert = this.run.kind === 'revert';
    const files = isRevert ? [] : (await this.#files()).files;
    const mayLeaveGroups = plan.changes.update + plan.changes.unblock > 0;
    const { added, updated, blocked, unblocked, unchanged, rejected } = counts;
    await this.record.note(
      'info',
      `Planned: ${added} to add, ${updated} to update, ${blocked} to block, ${unblocked} to unblock; ` +
        `${unchanged} unchanged, ${rejected} rejected.`,
    );
    const spared = plan.missing - blocked;
    if (spared > 0) {
      const who = `${spared} ${spared === 1 ? 'user is' : 'users are'}`;
      await this.record.note(
        'info',
        `${who} missing and not blocked: within their grace, or protected by an operator.`,
      );
    }
    const ownGuards = evaluateGuards({
      settings: this.options.settings.guards,
      counts,
      inFeed: plan.inFeed,
      withoutUsername: staged.withoutUsername,
      valueCounts: staged.valueCounts,
      files,
      groupLosses: mayLeaveGroups ? await groupLosses(database, this.run.id, this.run.feedId) : [],
      last: await this.#last(),
      isRevert,
    });
    for (const guard of ownGuards.filter(({ breached }) => breached)) {
      await this.record.note('warn', `Guard ${guard.guard} is breached: ${describeGuard(guard)}.`, guard.guard);
    }
    // One that had begun to write was seen by the hooks before.
    const holds = this.run.status === 'applying' ? [] : await this.#hooks.afterPlan(counts);
    const guards = [...ownGuards, ...holds];
    await this.record.update({
      counts,
      rejectedBy: plan.rejectedBy,
      // Those that the run passed before it was left behind, or was approved with, are the ones to keep.
      ...(this.run.status === 'applying' ? {} : { guards }),
      valueCounts: staged.valueCounts,
      plannedVersion: plan.directoryVersion,
      modelDigest: languageDigest(this.#context),
      recordSeed: staged.recordSeed,
      recognised: staged.recognised,
      errors: await countErrors(database, this.run.id),
    });
    return { counts, guards, staged, plan };
  }

  /** @param batch how it was planned in this attempt; without it everything is looked at that could need settling. */
  async apply(planned: RunCounts, batch?: PlannedBatch): Promise<void> {
    const { database, model } = this.#context;
    const { id: runId, feedId } = this.run;
    const fileNames = await this.#fileNames();
    const withoutBlocks = this.options.approval?.withoutBlocks ?? this.run.withoutBlocks;
    const refused = await this.record.timed('apply', () =>
      applyPlan(database, {
        attempt: this.#attempt,
        lease: this.#lease,
        fileNames,
        withoutBlocks,
        hasDependents: model.dependents.length > 0,
      }),
    );
    const counts = await this.record.appliedCounts({ ...planned, rejected: planned.rejected + refused });
    const rejectedBy = {
      ...(batch?.plan.rejectedBy ?? this.run.rejectedBy),
      ...(refused > 0 ? { database: refused } : {}),
    };
    await this.#hooks.afterApply(counts);
    const changed = changesIn(counts);
    const isBatch = this.run.kind !== 'revert';
    const isRepeated = this.run.status === 'applying';
    const last = await this.#last();
    await this.record.end(
      { outcome: changed > 0 ? 'applied' : 'nothing-to-change', applied: isBatch, counts, rejectedBy },
      async (connection) => {
        if (!isBatch) return;
        await settleFeed(connection, {
          runId,
          feedId,
          fileNames,
          rows: batch?.staged.rows ?? planned.records,
          digestsDiffer: batch === undefined || batch.plan.candidates > planned.updated + planned.unblocked,
          hasErrors: batch === undefined || batch.staged.inError + batch.plan.unknownPeople > 0,
          hasRejected: planned.rejected > 0,
          recordsDiffer:
            batch === undefined ||
            batch.staged.accepted - batch.staged.recognised > changed - counts.blocked ||
            isRepeated,
          last,
          // What earlier attempts applied may have been written when nothing was staged.
          isRepeated,
          hasMissing: batch === undefined || batch.plan.missing > planned.blocked,
        });
      },
    );
  }

  async fail(error: unknown): Promise<void> {
    await this.record.fail(error, (counts) => this.#hooks.afterApply(counts));
  }

  async #assertNotCancelled(): Promise<void> {
    this.options.signal.throwIfAborted();
    const current = await findRun(this.#context.database, this.run.id);
    if (current?.cancelRequested === true) throw new RunCancelledError(this.run.id);
  }

  #last(): Promise<LastBatch | undefined> {
    return (this.#lastBatch ??= lastBatch(this.#context.database, this.run.feedId, this.run.id));
  }

  #files(): Promise<Batch> {
    return (this.#batch ??= readBatch(this.#context, this.run));
  }

  /** In the order of reading. */
  async #fileNames(): Promise<string[]> {
    if (this.run.kind === 'revert') return [];
    return (await this.#files()).inOrder.map(({ file }) => file.name);
  }
}
