import type { RunNotice } from '../domain/run-notice.js';
import { UserSyncError } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import { within } from '../lib/within.js';
import { channelsFor, type Channel, type ReportTargets } from './channels.js';
import { USUAL_DELIVERY, type ChannelName, type DeliveryPolicy } from './delivery.js';
import { Lane } from './lane.js';
import type { MailServer } from './mail.js';

export interface NotifierOptions {
  readonly logger: Logger;
  readonly now: () => Date;
  readonly mailServer?: MailServer | undefined;
  readonly policy?: DeliveryPolicy;
  /** How long one notice may take on one channel, with all tries. */
  readonly channelTimeoutMs?: number;
  /** Notices that may wait for one channel of one feed. */
  readonly queueLimit?: number;
}

const CHANNEL_TIMEOUT_MS = 30_000;
const QUEUE_LIMIT = 20;

/**
 * Tells people and services about runs, behind the back of whoever has the news: `notify` returns at once and never
 * fails. Each channel of each feed has a lane of its own, so a target that is slow or down holds nothing up but its own
 * later notices. What cannot be delivered becomes a warning in the log, without the secrets that are in the targets'
 * URLs. Notices are kept in memory alone: what a crash loses is on the pages and in the metrics all the same.
 */
export class Notifier {
  readonly #logger: Logger;
  readonly #now: () => Date;
  readonly #mailServer: MailServer | undefined;
  readonly #policy: DeliveryPolicy;
  readonly #channelTimeoutMs: number;
  readonly #queueLimit: number;
  readonly #lanes = new Map<string, Lane>();
  readonly #ending = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(options: NotifierOptions) {
    this.#logger = options.logger;
    this.#now = options.now;
    this.#mailServer = options.mailServer;
    this.#policy = options.policy ?? USUAL_DELIVERY;
    this.#channelTimeoutMs = options.channelTimeoutMs ?? CHANNEL_TIMEOUT_MS;
    this.#queueLimit = options.queueLimit ?? QUEUE_LIMIT;
  }

  notify(notice: RunNotice, targets: ReportTargets): void {
    if (targets.email.length > 0 && this.#mailServer === undefined) this.#warn(notice, 'mail', dropped('no-server'));
    const context = { mailServer: this.#mailServer, policy: this.#policy, now: this.#now };
    for (const channel of channelsFor(notice, targets, context)) {
      if (this.#closing !== undefined) {
        this.#warn(notice, channel.name, dropped('shutdown'));
        continue;
      }
      const onDropped = (): void => this.#warn(notice, channel.name, dropped('queue-full'));
      this.#laneOf(notice.feed, channel.name).push(() => this.#deliver(notice, channel), onDropped);
    }
  }

  /**
   * Waits until everything is delivered or given up, but no longer than `timeoutMs` or until the signal comes; false when
   * something is left.
   */
  async flush(timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    let giveUp: () => void = () => undefined;
    const timeIsUp = new Promise<false>((resolve) => {
      giveUp = () => resolve(false);
    });
    const timer = setTimeout(giveUp, timeoutMs);
    signal?.addEventListener('abort', giveUp);
    try {
      return await Promise.race([this.#idle().then(() => true), timeIsUp]);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    }
  }

  /** Takes no further notices, waits as `flush` does, and gives up what is left. May be called again. */
  close(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    this.#closing ??= this.flush(timeoutMs, signal).then(async (isEmpty) => {
      if (isEmpty) return;
      this.#ending.abort(dropped('shutdown'));
      await this.#idle();
    });
    return this.#closing;
  }

  /** Never fails: nobody is there to be told. */
  async #deliver(notice: RunNotice, channel: Channel): Promise<void> {
    const timedOut = (): Error =>
      new UserSyncError(
        'report-timeout',
        `Reporting by ${channel.name}: given up after ${this.#channelTimeoutMs / 1000} s.`,
      );
    try {
      await within(this.#channelTimeoutMs, this.#ending.signal, timedOut, channel.send);
      this.#logger.debug('Reported', { ...factsOf(notice), channel: channel.name });
    } catch (error) {
      this.#warn(notice, channel.name, error);
    }
  }

  /** The message of an error that is not the house's own may quote anything, so it is left out. */
  #warn(notice: RunNotice, channel: ChannelName, error: unknown): void {
    const known = error instanceof UserSyncError ? error : undefined;
    this.#logger.warn('A report was not delivered; the run is not affected', {
      ...factsOf(notice),
      channel,
      code: known?.code ?? 'internal',
      reason: known?.message ?? (error instanceof Error ? error.name : typeof error),
    });
  }

  #laneOf(feed: string, channel: ChannelName): Lane {
    const key = `${channel} ${feed}`;
    const lane = this.#lanes.get(key) ?? new Lane(this.#queueLimit);
    this.#lanes.set(key, lane);
    return lane;
  }

  async #idle(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.idle()));
  }
}

function dropped(why: 'queue-full' | 'shutdown' | 'no-server'): UserSyncError {
  return new UserSyncError('report-dropped', WHY_DROPPED[why]);
}

const WHY_DROPPED = {
  'queue-full': 'Too many reports were waiting for this target, and the oldest was given up.',
  shutdown: 'The program ended before the report was delivered.',
  'no-server': 'There is no mail server: set mail.smtpUrl.',
} as const;

function factsOf(notice: RunNotice): Record<string, unknown> {
  return { feed: notice.feed, event: notice.event, ...(notice.event !== 'missing' && { run: notice.run }) };
}
