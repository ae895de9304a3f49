import { noteAudit } from '../db/audit.js';
import type { Connection } from '../db/database.js';
import type { Lease } from '../db/lease.js';
import { logRun } from '../db/run-log.js';
import { findRun, lockCancelled, moveRun, updateRun, type RunRow, type RunUpdate } from '../db/runs.js';
import { changesIn, type RunCounts, type RunPhase, type RunStatus } from '../domain/run.js';
import { UserSyncError } from '../lib/errors.js';
import { RunCancelledError } from './apply.js';
import type { RunOptions, SyncContext } from './context.js';
import { cancelSuperseded } from './decide.js';
import { endRun } from './finish.js';
import { countChanges } from './plan.js';
import { describeUnexpected } from './unexpected.js';

/** What an attempt at a run writes about it: its status, its log, its figures and how it ended. */
export class RunRecord {
  #run: RunRow;
  readonly #context: SyncContext;
  readonly #lease: Lease;
  readonly #options: RunOptions;
  readonly #timings: { -readonly [P in RunPhase]: number };

  constructor(context: SyncContext, run: RunRow, lease: Lease, options: RunOptions) {
    this.#run = run;
    this.#context = context;
    this.#lease = lease;
    this.#options = options;
    this.#timings = { ...run.timings };
  }

  get run(): RunRow {
    return this.#run;
  }

  /**
   * Takes up a run that is ready. No file of it is replaced from here on; one that came until now may have brought another
   * control file with it.
   */
  async begin(): Promise<void> {
    await this.move('planning', { startedAt: new Date() });
    this.#run = (await findRun(this.#context.database, this.run.id)) ?? this.#run;
  }

  /** An approval that is on record was noted when it was given. */
  async approve(to: 'applying' | 'planning'): Promise<void> {
    const { approval } = this.#options;
    const { id, approvedBy, approvalReason } = this.run;
    if (approval === undefined) {
      if (approvedBy !== null) return this.move(to, {}, approvalReason ?? undefined);
      throw new UserSyncError('not-approved', `Run ${id} is held: approve it first.`, { kind: 'usage' });
    }
    const { by, reason, withoutBlocks } = approval;
    const update = { approvedBy: by, approvedAt: new Date(), approvalReason: reason, withoutBlocks };
    await this.move(to, update, reason ?? undefined, (connection) =>
      noteAudit(connection, approval, { action: 'run-approved', subject: `run ${id}`, details: { withoutBlocks } }),
    );
  }

  /** @param within what belongs to the move, in its transaction */
  async move(
    to: RunStatus,
    update: RunUpdate = {},
    reason?: string,
    within?: (connection: Connection) => Promise<void>,
  ): Promise<void> {
    const { actor } = this.#options;
    await this.#lease.transaction(async (connection) => {
      if (to === 'held' && (await lockCancelled(connection, this.run.id))) throw new RunCancelledError(this.run.id);
      await moveRun(connection, this.run.id, to, actor, update, reason ?? null);
      await within?.(connection);
    });
    await this.note('info', `The run is ${to}, by ${actor}${reason === undefined ? '' : `: ${reason}`}.`);
  }

  /** What was found out about the run, with the time it took so far. */
  async update(update: RunUpdate): Promise<void> {
    await updateRun(this.#lease.executor, this.run.id, { ...update, timings: this.#timings });
  }

  /** @param settle what belongs to the end, in its transaction */
  async end(update: RunUpdate, settle?: (connection: Connection) => Promise<void>): Promise<void> {
    const { id, feed } = this.run;
    const message = `The run is complete: ${update.outcome ?? ''}.`;
    await this.#lease.transaction(async (connection) => {
      if (settle !== undefined) await this.timed('apply', () => settle(connection));
      await logRun(connection, id, 'info', message);
      await endRun(connection, id, 'complete', this.#options.actor, { ...update, timings: this.#timings });
      if (update.applied === true) await cancelSuperseded(connection, this.run);
    });
    this.#context.logger.info(message, { run: id, feed });
  }

  /**
   * The run says why it ended; what had been applied is published.
   *
   * @param tell whoever follows what is applied
   */
  async fail(error: unknown, tell: (counts: RunCounts) => Promise<void>): Promise<void> {
    const { database, logger } = this.#context;
    const { id, feed } = this.run;
    const cancelled = error instanceof RunCancelledError;
    const code = error instanceof UserSyncError ? error.code : 'internal';
    const message = error instanceof UserSyncError ? error.message : describeUnexpected(error);
    try {
      const current = await findRun(database, id);
      if (current === undefined || (current.status !== 'planning' && current.status !== 'applying')) return;
      await logRun(database, id, cancelled ? 'warn' : 'error', message, code);
      const counts = await this.appliedCounts(current.counts);
      const update = { failureCode: code, failureMessage: message, timings: this.#timings, counts };
      await this.#lease.transaction((connection) =>
        endRun(connection, id, cancelled ? 'cancelled' : 'failed', this.#options.actor, update),
      );
      // What had been applied stays.
      if (changesIn(counts) > 0) await tell(counts);
      // What nobody foresaw needs somebody; other failures are told by whoever reports on the run.
      const level = error instanceof UserSyncError ? 'warn' : 'error';
      logger[level](`Run ${id} ${cancelled ? 'was cancelled' : 'failed'}`, { run: id, feed, error });
    } catch (cause) {
      // The run stays as it is; whoever comes next finishes it.
      logger.error(`Noting the end of run ${id} failed; the next process to work on the feed finishes it`, {
        run: id,
        feed,
        error: cause,
      });
    }
  }

  /** One event, for those who read the run's log and for those who watch the process. */
  async note(level: 'info' | 'warn', message: string, code: string | null = null): Promise<void> {
    const { database, logger } = this.#context;
    const { id, feed } = this.run;
    await logRun(database, id, level, message, code);
    logger[level](message, { run: id, feed });
  }

  /** What really happened, for a plan of which perhaps not all was applied. */
  async appliedCounts(planned: RunCounts): Promise<RunCounts> {
    const applied = await countChanges(this.#context.database, 'apply/count-applied', this.run.id);
    const { add: added, update: updated, block: blocked, unblock: unblocked } = applied;
    return { ...planned, added, updated, blocked, unblocked };
  }

  async timed<T>(phase: RunPhase, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.#timings[phase] = Math.round(this.#timings[phase] * 1000 + performance.now() - start) / 1000;
    }
  }
}
