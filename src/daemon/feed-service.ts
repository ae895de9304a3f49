import { randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { App } from '../app.js';
import type { FeedConfig } from '../config/config.js';
import { findFeed } from '../db/feeds.js';
import type { Lease } from '../db/lease.js';
import { isRetryable } from '../db/sqlstate.js';
import { DropDirectory, type PendingFiles } from '../intake/drop-directory.js';
import type { Quarantine } from '../intake/quarantine.js';
import { WakeUp } from '../intake/wake-up.js';
import { messageOf } from '../lib/errors.js';
import { replaceControl } from '../sync/collect.js';
import { FeedDuty } from './feed-duty.js';
import { FeedIntake } from './feed-intake.js';
import { FeedRunner } from './feed-runner.js';

export interface FeedServiceOptions {
  readonly app: App;
  readonly feed: string;
  readonly config: FeedConfig;
  readonly quarantine: Quarantine;
  readonly onEnded: (runId: number) => Promise<void>;
}

/** Runs that other processes queue or approve are noticed after this time. */
const POLL_MS = 2000;

/** Looks after one feed: its drop directory and its runs. */
export class FeedService {
  readonly #options: FeedServiceOptions;
  readonly #duty: FeedDuty;
  readonly #wakeUp = new WakeUp();
  readonly #stopping = new AbortController();
  #done: Promise<void> | undefined;
  #directory: DropDirectory | undefined;

  constructor(options: FeedServiceOptions) {
    this.#options = options;
    const { app, feed } = options;
    this.#duty = new FeedDuty({
      context: app.sync,
      feed,
      work: (duty, signal) => this.#work(duty, signal),
    });
  }

  get feed(): string {
    return this.#options.feed;
  }

  get isOnDuty(): boolean {
    return this.#duty.isOnDuty;
  }

  start(): void {
    this.#done ??= this.#duty.run(this.#stopping.signal);
  }

  /** Leaves the run under way as it is, after the chunks in flight. May be called twice. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the program ends'));
    await this.#done;
  }

  /** There may be a run to take up. */
  wake(): void {
    this.#wakeUp.call();
  }

  pending(): PendingFiles {
    return this.#directory?.pending() ?? { count: 0, oldestAgeMs: undefined };
  }

  /** How long the scan of the drop directory has not got on; 0 while this process does not look after it. */
  get scanSilenceMs(): number {
    const last = this.#directory?.lastActivityMs;
    return last === undefined ? 0 : performance.now() - last;
  }

  async #work(duty: Lease, signal: AbortSignal): Promise<void> {
    const { app, feed, onEnded } = this.#options;
    await this.#takeConfiguredControl();
    const runner = new FeedRunner({ context: app.sync, feed, settings: () => app.feedSettings(feed), onEnded });
    const directory = await this.#watch(duty);
    try {
      directory.start(signal);
      while (!signal.aborted) {
        const round = await runner.runOnce(signal);
        if (round !== 'done') await this.#wakeUp.sleep(POLL_MS, signal);
      }
    } finally {
      await directory.stop();
      this.#directory = undefined;
    }
  }

  async #watch(duty: Lease): Promise<DropDirectory> {
    const { app, feed, config, quarantine } = this.#options;
    const { dropDirectory: path, settleMs, scanIntervalMs } = config;
    // The usual place is ours to make. A place that was named may be a mount that is missing: made, it would look empty.
    if (path.startsWith(join(app.config.dataDir, sep))) await mkdir(path, { recursive: true });
    const handler = new FeedIntake({
      context: app.sync,
      feed,
      startRule: async () => (await app.feed(feed)).start,
      duty,
      onQueued: () => this.#wakeUp.call(),
    });
    this.#directory = new DropDirectory({
      feed,
      path,
      settleMs,
      scanIntervalMs,
      maxBytes: app.config.limits.fileBytes,
      store: app.sync.store,
      quarantine,
      handler,
      logger: app.logger,
      monotonicMs: () => performance.now(),
      now: () => new Date(),
      newId: randomUUID,
    });
    return this.#directory;
  }

  /** The control file that the configuration names is for a feed that has none yet. */
  async #takeConfiguredControl(): Promise<void> {
    const { app, feed, config } = this.#options;
    if (config.control === undefined || (await findFeed(app.database, feed))?.controlId != null) return;
    const what = `The control file ${config.control}`;
    try {
      await replaceControl(app.sync, {
        feed,
        text: await readFile(config.control, 'utf8'),
        what,
        source: 'configuration',
        start: config.start,
      });
      app.logger.info(`${what} is in force now`, { feed });
    } catch (error) {
      // The database was away: whoever is on duty next takes it.
      if (isRetryable(error)) throw error;
      app.logger.error(`${what} cannot be used; the feed waits for another one`, { feed, reason: messageOf(error) });
    }
  }
}
