import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { App } from '../app.js';
import { SESSION_LIMITS } from '../access/sessions.js';
import { deleteExpiredSessions } from '../db/sessions.js';
import { isRetryable } from '../db/sqlstate.js';
import { Quarantine } from '../intake/quarantine.js';
import { Schedules } from '../schedule/schedules.js';
import { feedHealth, type FeedHealth } from './feed-health.js';
import { FeedService } from './feed-service.js';
import { emptyQuarantine, removeOldFiles, tellMissingBatch } from './housekeeping.js';
import { Reports } from './reports.js';

/** How long reports may take when the program ends. */
const FLUSH_MS = 5000;

/**
 * `serve`: looks after every feed of the configuration, tells people what happens, and keeps house. Everything that
 * must outlive the process is in the database, so it may be killed at any moment.
 */
export class Daemon {
  readonly #app: App;
  readonly #services: readonly FeedService[];
  readonly #reports: Reports;
  readonly #schedules: Schedules;
  readonly quarantine: Quarantine;

  constructor(app: App) {
    this.#app = app;
    const { config, logger } = app;
    const now = (): Date => new Date();
    this.quarantine = new Quarantine(join(config.dataDir, 'quarantine'), { now, newId: randomUUID });
    this.#reports = new Reports(app);
    this.#services = Object.entries(config.feeds).map(
      ([feed, feedConfig]) =>
        new FeedService({
          app,
          feed,
          config: feedConfig,
          quarantine: this.quarantine,
          onEnded: (runId) => this.#reports.tellEnd(runId),
        }),
    );
    this.#schedules = new Schedules({ logger, now });
    this.#schedules.add({ name: 'missing batches', cron: '* * * * *', run: () => this.#raiseAlarms() });
    this.#schedules.add({ name: 'retention', cron: '17 3 * * *', run: () => this.#keepHouse() });
  }

  get feeds(): readonly FeedService[] {
    return this.#services;
  }

  /** Of every configured feed, in the order of the configuration. */
  async health(): Promise<FeedHealth[]> {
    const now = new Date();
    return Promise.all(this.#services.map((service) => feedHealth(this.#app, service.feed, service.pending(), now)));
  }

  /** There may be a run of the feed to take up. */
  wake(feed: string): void {
    this.#services.find((service) => service.feed === feed)?.wake();
  }

  start(): void {
    this.#app.logger.info('Started', { feeds: this.#services.map(({ feed }) => feed) });
    for (const service of this.#services) service.start();
    this.#schedules.start();
  }

  /** Takes nothing up any more, lets chunks in flight finish, and sends what is to be told. May be called twice. */
  async stop(): Promise<void> {
    await Promise.all([...this.#services.map((service) => service.stop()), this.#schedules.stop()]);
    await this.#reports.close(FLUSH_MS);
  }

  async #raiseAlarms(): Promise<void> {
    const { logger } = this.#app;
    for (const { feed, isOnDuty } of this.#services) {
      try {
        if (!isOnDuty) continue;
        await tellMissingBatch(this.#app, feed, new Date(), (notice, targets) => {
          logger.error('No batch has come by the time it was expected', { feed, deadline: notice.deadline });
          this.#reports.tell(notice, targets);
        });
      } catch (error) {
        if (!isRetryable(error)) throw error;
        logger.warn('Looking for a missing batch failed, as the database was away; tried again soon', { feed, error });
      }
    }
  }

  async #keepHouse(): Promise<void> {
    const removed = await removeOldFiles(this.#app, new Date());
    await emptyQuarantine(this.#app, this.quarantine, new Date());
    await deleteExpiredSessions(this.#app.database, SESSION_LIMITS);
    this.#app.logger.info('Removed batch files that are not kept any longer', { removed });
  }
}
