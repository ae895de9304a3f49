import type { Logger } from '../lib/logger.js';
import { CronSchedule } from './cron.js';

export interface Job {
  readonly name: string;
  /** Five fields, or six with seconds first. */
  readonly cron: string;
  /** Of the IANA database; UTC unless told. */
  readonly timeZone?: string;
  /** The signal says that the program ends. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}

export interface SchedulesOptions {
  readonly logger: Logger;
  readonly now: () => Date;
}

interface Entry {
  readonly job: Job;
  readonly schedule: CronSchedule;
  /** Up to here its times are dealt with. */
  reached: number;
  running: Promise<void> | undefined;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/**
 * The longest wait. Timers go by a clock that nobody sets and that stands still while the machine sleeps, so the clock on
 * the wall is looked at again after this time.
 */
const MAX_WAIT_MS = 20_000;

/**
 * Runs jobs at their times, each never twice at once. `tick` does what is due; the timer only calls it.
 *
 * The clock of a machine may be set. When it jumps forward, a job whose times were jumped over runs once, for all of
 * them. When it jumps back, a job of certain hours does not repeat what it did, unless the jump is longer than a day: then the
 * clock was wrong before. A job of every hour goes on by the new time, leaving out one time at most. Times that passed
 * before `start` are not made up for: a job that must not miss any looks at what was done, not at the clock.
 *
 * node-cron's own timers do not serve: they report times that were jumped over as missed instead of running the job, one
 * by one, however many there are, and stand still after a jump back until the old time comes again.
 */
export class Schedules {
  readonly #logger: Logger;
  readonly #now: () => Date;
  readonly #entries = new Map<string, Entry>();
  #stopping = new AbortController();
  #isStarted = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SchedulesOptions) {
    this.#logger = options.logger;
    this.#now = options.now;
  }

  /** @throws {UserSyncError} `invalid-schedule` */
  add(job: Job): void {
    if (this.#entries.has(job.name)) throw new Error(`There is a job ${job.name} already.`);
    const schedule = new CronSchedule(job.cron, job.timeZone ?? 'UTC');
    this.#entries.set(job.name, { job, schedule, reached: this.#now().getTime(), running: undefined });
  }

  /** May be called again, also after `stop`. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    if (this.#stopping.signal.aborted) this.#stopping = new AbortController();
    for (const entry of this.#entries.values()) entry.reached = this.#now().getTime();
    this.#wait();
  }

  /** Starts nothing more, tells running jobs to end, and waits until they have. May be called again. */
  async stop(): Promise<void> {
    this.#isStarted = false;
    clearTimeout(this.#timer);
    this.#stopping.abort();
    await this.idle();
  }

  /** Resolves when no job is running. */
  async idle(): Promise<void> {
    await Promise.all([...this.#entries.values()].flatMap(({ running }) => running ?? []));
  }

  /** Starts the jobs that are due, and returns at once. */
  tick(): void {
    const now = this.#now().getTime();
    for (const entry of this.#entries.values()) {
      if (now < entry.reached) entry.reached = reachedAfterJumpBack(entry, now);
      const due = entry.schedule.next(entry.reached);
      if (due === undefined || due > now) continue;
      entry.reached = now;
      if (entry.running === undefined) void this.#run(entry);
      else this.#logger.warn('A job is still running, so it is not started again', { job: entry.job.name });
    }
  }

  /** Runs a job now, whatever the time, or waits for it if it is running. Its errors are logged, not thrown. */
  async runOnce(name: string): Promise<void> {
    const entry = this.#entryOf(name);
    await (entry.running ?? this.#run(entry));
  }

  nextRun(name: string): Date | undefined {
    const { schedule, reached } = this.#entryOf(name);
    const next = schedule.next(Math.max(reached, this.#now().getTime()));
    return next === undefined ? undefined : new Date(next);
  }

  #run(entry: Entry): Promise<void> {
    entry.running = this.#execute(entry.job).finally(() => {
      entry.running = undefined;
    });
    return entry.running;
  }

  async #execute({ name, run }: Job): Promise<void> {
    const { signal } = this.#stopping;
    try {
      await run(signal);
    } catch (error) {
      if (signal.aborted) this.#logger.debug('A job ended early, as the program ends', { job: name });
      else this.#logger.error('A job failed. It runs again at its next time', { job: name, error });
    }
  }

  #wait(): void {
    const now = this.#now().getTime();
    const waits = [...this.#entries.values()].map(
      ({ schedule, reached }) => (schedule.next(reached) ?? Infinity) - now,
    );
    const waitMs = Math.max(0, Math.min(MAX_WAIT_MS, ...waits));
    this.#timer = setTimeout(() => {
      this.tick();
      if (this.#isStarted) this.#wait();
    }, waitMs);
  }

  #entryOf(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new Error(`There is no job ${name}.`);
    return entry;
  }
}

function reachedAfterJumpBack({ schedule, reached }: Entry, now: number): number {
  if (schedule.isContinuous) return Math.min(reached, schedule.next(now) ?? now);
  return reached - now > DAY_MS ? now : reached;
}
