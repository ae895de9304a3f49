import { expect } from 'chai';
import { createInterface } from 'node:readline';
import { resolve, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { Quarantine } from '../../src/intake/quarantine.js';
import type { QuarantineRecord } from '../../src/intake/quarantine-record.js';
import type { RunCounts } from '../../src/domain/run.js';
import type { Called, Running, Site } from './cli.js';
import { eventually } from './eventually.js';

/** A line of the program's log. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly feed?: string;
  readonly run?: number;
  readonly code?: string;
  readonly origin?: string;
  readonly error?: { readonly message: string };
}

/** What a test asks of a run. */
export interface RunSeen {
  readonly id: number;
  readonly status: string;
  readonly outcome: string | null;
  readonly failureCode: string | null;
  readonly failureMessage: string | null;
  readonly counts: Partial<RunCounts>;
  /** Names of the guards that were breached. */
  readonly breached: readonly string[];
  /** Original names of the files. */
  readonly files: readonly string[];
  readonly startedAt: Date | null;
}

/** Some have hundreds of megabytes to read, on a busy machine. */
const RUN_PATIENCE_MS = 120_000;

const AT_REST = ['held', 'complete', 'failed', 'cancelled'];

/** `user-sync serve` as a process of its own, in the folder of a site. Disposed of, it is told to end and must do so well. */
export class RunningDaemon implements AsyncDisposable {
  readonly log: LogLine[] = [];
  readonly #site: Site;
  readonly #dataDir: string;
  readonly #running: Running;
  #isKilled = false;

  private constructor(site: Site, dataDir: string, running: Running) {
    this.#site = site;
    this.#dataDir = dataDir;
    this.#running = running;
    const lines = createInterface({ input: running.child.stderr! });
    lines.on('line', (line) => {
      if (line.startsWith('{')) this.log.push(JSON.parse(line) as LogLine);
    });
  }

  /** Resolves when the feeds are looked after. */
  static async start(
    site: Site,
    feeds: readonly string[] = ['default'],
    dataDir = 'var',
    environment: NodeJS.ProcessEnv = {},
  ): Promise<RunningDaemon> {
    const daemon = new RunningDaemon(site, resolve(site.folder, dataDir), await site.start(['serve'], environment));
    for (const feed of feeds) await daemon.logged(/^This process looks after the feed/, feed);
    return daemon;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isKilled) return;
    const { code, stderr } = await this.stop();
    expect(code, stderr).to.equal(0);
  }

  /** May be called twice. */
  async stop(): Promise<Called> {
    const { child, ended } = this.#running;
    this.thaw();
    if (child.exitCode === null) child.kill('SIGTERM');
    return ended;
  }

  /** As a machine does that is stopped, and goes on as if nothing had been. */
  freeze(): void {
    this.#running.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#running.child.kill('SIGCONT');
  }

  /** With kill -9. */
  async kill(): Promise<void> {
    this.#isKilled = true;
    this.#running.child.kill('SIGKILL');
    await this.#running.ended;
  }

  get pid(): number {
    return this.#running.child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#running.child.exitCode === null && this.#running.child.signalCode === null;
  }

  /** Waits until the daemon has logged a message that matches, about the feed; null: about itself. */
  async logged(pattern: RegExp, feed: string | null = 'default'): Promise<LogLine> {
    return eventually(`a line that matches ${String(pattern)} in the log of ${feed ?? 'the daemon'}`, async () => {
      if (!this.isRunning) throw new Error(`the daemon has ended:\n${(await this.#running.ended).stderr}`);
      return this.log.find((line) => line.feed === (feed ?? undefined) && pattern.test(line.message));
    });
  }

  /** Every run of the feed, oldest first. */
  async runs(feed = 'default'): Promise<RunSeen[]> {
    return this.#site.query<RunSeen & Record<string, unknown>>(`
      select run.id, status, outcome, failure_code as "failureCode", failure_message as "failureMessage", counts,
             array(select guard ->> 'guard' from jsonb_array_elements(guards) as guard
                   where (guard ->> 'breached')::boolean order by 1) as breached,
             array(select original_filename from sync.run_file where run_id = run.id order by name) as files,
             started_at as "startedAt"
      from sync.run join sync.feed on feed.id = run.feed_id
      where feed.name = '${feed}' order by run.id`);
  }

  /** Waits until the feed has that many runs and each has ended, or is held; all of them. */
  async runsEnd(count: number, feed = 'default'): Promise<RunSeen[]> {
    const ended = async (): Promise<RunSeen[] | undefined> => {
      const seen = await this.runs(feed);
      return seen.length >= count && seen.every(({ status }) => AT_REST.includes(status)) ? seen : undefined;
    };
    const runs = await eventually(`run ${count} of ${feed} at its end`, ended, RUN_PATIENCE_MS);
    expect(runs, feed).to.have.length(count);
    return runs;
  }

  /** As `runsEnd`, of the last one. */
  async runEnds(count: number, feed = 'default'): Promise<RunSeen> {
    return (await this.runsEnd(count, feed)).at(-1)!;
  }

  /** What was set aside from the feed's drop directory, oldest first. */
  async quarantined(feed = 'default'): Promise<QuarantineRecord[]> {
    const quarantine = new Quarantine(join(this.#dataDir, 'quarantine'), { now: () => new Date(), newId: randomUUID });
    return (await quarantine.list()).filter((record) => record.feed === feed).reverse();
  }

  /** Waits until that many things are set aside. */
  async quarantines(count: number, feed = 'default'): Promise<QuarantineRecord[]> {
    return eventually(`${count} things of ${feed} in quarantine`, async () => {
      const records = await this.quarantined(feed);
      return records.length >= count ? records : undefined;
    });
  }
}
