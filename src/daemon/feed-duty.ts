import { setTimeout as delay } from 'node:timers/promises';
import { Lease } from '../db/lease.js';
import { ensureFeed } from '../db/feeds.js';
import type { Logger } from '../lib/logger.js';
import type { SyncContext } from '../sync/context.js';

export interface FeedDutyOptions {
  readonly context: SyncContext;
  readonly feed: string;
  /** What whoever is on duty does, until the signal says that it is over. */
  readonly work: (duty: Lease, signal: AbortSignal) => Promise<void>;
}

/**
 * One process looks after a feed: takes its files in, starts its runs, raises its alarms. All others stand by, and one of
 * them takes over when that process is silent for longer than its lease.
 */
export class FeedDuty {
  readonly #options: FeedDutyOptions;
  readonly #logger: Logger;
  #isOnDuty = false;

  constructor(options: FeedDutyOptions) {
    this.#options = options;
    this.#logger = options.context.logger.child({ feed: options.feed });
  }

  get isOnDuty(): boolean {
    return this.#isOnDuty;
  }

  /** Stands by and does duty in turns, until the signal is aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { leaseMs } = this.#options.context;
    let isTold = false;
    while (!signal.aborted) {
      const duty = await this.#acquire();
      if (duty === undefined) {
        if (!isTold) this.#logger.info('Another process looks after the feed; this one stands by');
        isTold = true;
        await delay(leaseMs / 6, undefined, { signal }).catch(() => undefined);
        continue;
      }
      isTold = false;
      await this.#serve(duty, signal);
    }
  }

  async #acquire(): Promise<Lease | undefined> {
    const { context, feed } = this.#options;
    try {
      return await Lease.acquire(
        context.database,
        await ensureFeed(context.database, feed),
        context.holder,
        context.leaseMs,
        'duty',
      );
    } catch (error) {
      this.#logger.warn('The database cannot be asked who looks after the feed; trying again', { error });
      return undefined;
    }
  }

  async #serve(duty: Lease, signal: AbortSignal): Promise<void> {
    this.#isOnDuty = true;
    this.#logger.info('This process looks after the feed');
    try {
      await this.#options.work(duty, AbortSignal.any([signal, duty.lost]));
    } catch (error) {
      this.#logger.error('Looking after the feed failed; trying again', { error });
      await delay(1000, undefined, { signal }).catch(() => undefined);
    } finally {
      this.#isOnDuty = false;
      await duty.release();
    }
    if (duty.lost.aborted) this.#logger.warn('Another process has taken over the feed; this one stands by');
  }
}
