import { isRetryable } from '../db/sqlstate.js';
import { LeaseLostError } from '../db/lease.js';
import { ensureFeed } from '../db/feeds.js';
import { findRun, nextRun, type RunRow } from '../db/runs.js';
import { isEnd } from '../domain/run.js';
import { UserSyncError } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import type { FeedSettings, OnProgress, SyncContext } from '../sync/context.js';
import { executeRun } from '../sync/pipeline.js';

export interface FeedRunnerOptions {
  readonly context: SyncContext;
  readonly feed: string;
  readonly settings: () => Promise<FeedSettings>;
  /** A run has ended, or is held. Never fails. */
  readonly onEnded: (runId: number) => Promise<void>;
  readonly onProgress?: OnProgress;
  /** How long the database may stay away in the middle of a run before the run fails. */
  readonly patienceMs?: number;
  readonly now?: () => number;
}

const ACTOR = 'daemon';

const TEN_MINUTES_MS = 10 * 60 * 1000;

/** What `runOnce` found to do. */
export type Round = 'nothing' | 'done' | 'later';

/**
 * Takes up a feed's runs, one at a time: first those that a process left behind, then those that were approved, then those
 * that are queued. A run is never given up because this process ends or the database goes away for a while: it is left as
 * it is, and taken up again, by this process or another one.
 */
export class FeedRunner {
  readonly #options: FeedRunnerOptions;
  readonly #logger: Logger;
  /** Since when the run under way has been left again and again, for want of a database. */
  #troubled: { readonly run: number; readonly since: number } | undefined;

  constructor(options: FeedRunnerOptions) {
    this.#options = options;
    this.#logger = options.context.logger.child({ feed: options.feed });
  }

  /** Takes up the next run, if there is one. Never rejects. */
  async runOnce(signal: AbortSignal): Promise<Round> {
    const { context, feed } = this.#options;
    let run: RunRow | undefined;
    try {
      run = await nextRun(context.database, (await ensureFeed(context.database, feed)).id);
      if (run === undefined) return 'nothing';
      await this.#execute(run, signal);
      this.#troubled = undefined;
      await this.#options.onEnded(run.id);
      return 'done';
    } catch (error) {
      return this.#explain(error, run, signal);
    }
  }

  async #execute(run: RunRow, signal: AbortSignal): Promise<void> {
    const { context, settings, onEnded, onProgress } = this.#options;
    const { status } = run;
    await executeRun(context, run.id, {
      settings: await settings(),
      actor: status === 'ready' || status === 'held' ? ACTOR : 'recovery',
      signal,
      isLeft: (error) => this.#isLeft(error, run.id, signal),
      onLeftBehind: ({ id }) => onEnded(id),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
  }

  /** What passes by itself is no reason to fail a run, unless it does not pass for too long. */
  #isLeft(error: unknown, run: number, signal: AbortSignal): boolean {
    if (signal.aborted || error instanceof LeaseLostError) return true;
    if (!isRetryable(error) && !isUnreachable(error)) return false;
    const { patienceMs = TEN_MINUTES_MS, now = Date.now } = this.#options;
    if (this.#troubled?.run !== run) this.#troubled = { run, since: now() };
    return now() - this.#troubled.since < patienceMs;
  }

  async #explain(error: unknown, run: RunRow | undefined, signal: AbortSignal): Promise<Round> {
    if (signal.aborted) return 'later';
    if (error instanceof UserSyncError && error.code === 'feed-busy') {
      this.#logger.debug("Another process works on the feed; it is this one's turn later");
      return 'later';
    }
    if (run !== undefined && (await this.#hasEnded(run))) {
      // The run says itself why it failed.
      await this.#options.onEnded(run.id);
      return 'done';
    }
    this.#logger.warn('The run is left as it is and taken up again', { run: run?.id, error });
    return 'later';
  }

  async #hasEnded(run: RunRow): Promise<boolean> {
    const now = await findRun(this.#options.context.database, run.id).catch(() => undefined);
    return now !== undefined && isEnd(now.status);
  }
}

function isUnreachable(error: unknown): boolean {
  return error instanceof UserSyncError && error.code === 'database-unreachable';
}
