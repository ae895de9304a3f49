import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { stringify } from 'yaml';
import type { RunCounts, RunTimings } from '../../src/domain/run.js';
import { packageRoot } from '../../src/lib/package-root.js';
import type { Format } from './feed-file.js';
import { loopDelayMs, peakMemoryMib, resetPeakMemory } from './process-gauges.js';

const POLL_MS = 200;
const STOP_MS = 15_000;
const LINES_KEPT = 20;

/** What one batch cost the product. */
export interface ProductTimes {
  /** From the run's start to its end, as it says itself. */
  readonly seconds: number;
  readonly phases: RunTimings;
  readonly counts: RunCounts;
  /** Null where the system does not tell. */
  readonly peakRssMib: number | null;
  /** 99th percentile of the delay of the event loop; an idle process has about 11 ms, the resolution of the gauge. */
  readonly eventLoopP99Ms: number | null;
}

interface RunEnd {
  readonly status: string;
  readonly seconds: number;
  readonly timings: RunTimings;
  readonly counts: RunCounts;
  readonly failure: string | null;
}

/** The product as it is operated: `user-sync serve` with a drop directory, on a database of its own. */
export class Product {
  readonly #folder: string;
  readonly #format: Format;
  readonly #url: string;
  readonly #signal: AbortSignal;
  readonly #client: Client;
  readonly #lastLines: string[] = [];
  #child: ChildProcess | undefined;
  #origin = '';
  #runs = 0;

  /** @param folder made for it; holds its configuration and data */
  constructor(folder: string, format: Format, url: string, signal: AbortSignal) {
    this.#folder = folder;
    this.#format = format;
    this.#url = url;
    this.#signal = signal;
    this.#client = new Client({ connectionString: url, application_name: 'bench' });
    // Whoever asks next is told.
    this.#client.on('error', () => undefined);
  }

  /** @returns when the daemon looks after its feed. */
  async start(controlText: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await writeFile(join(this.#folder, 'control.json'), controlText);
    const feed = { control: './control.json', guards: 'off', settleMs: 0, scanIntervalMs: 200 };
    const config = {
      database: { url: this.#url },
      http: { port: 0 },
      log: { format: 'json' },
      feeds: { default: feed },
    };
    await writeFile(join(this.#folder, 'user-sync.yaml'), stringify(config), { mode: 0o600 });
    await this.#client.connect();
    await this.#spawn();
  }

  /** Renames a copy of a feed into the drop directory and waits for the end of the run. */
  async takeIn(feedFile: string): Promise<ProductTimes> {
    const copy = join(this.#folder, 'uploading');
    await copyFile(feedFile, copy);
    const pid = this.#child?.pid ?? 0;
    await resetPeakMemory(pid);
    await loopDelayMs(this.#origin);
    await rename(copy, join(this.#folder, 'var', 'drop', 'default', `users.${this.#format}`));
    this.#runs += 1;
    const { status, seconds, timings, counts, failure } = await this.#end();
    const eventLoopP99Ms = await loopDelayMs(this.#origin);
    const peakRssMib = await peakMemoryMib(pid);
    if (status !== 'complete') throw this.#failed(`its run is ${status}: ${failure ?? 'it does not say why'}`);
    return { seconds, phases: timings, counts, peakRssMib, eventLoopP99Ms };
  }

  /** May be called twice. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await exited;
      clearTimeout(late);
    }
    await this.#client.end();
  }

  async #spawn(): Promise<void> {
    this.#signal.throwIfAborted();
    // Empty as if not set: the database and the configuration are those of the benchmark.
    const env = { ...process.env, DATABASE_URL: '', USER_SYNC_CONFIG: '' };
    // In a process group of its own: what a terminal says to this program, it says to its daemon itself.
    const child = spawn(process.execPath, [join(packageRoot(), 'dist/src/main.js'), 'serve'], {
      cwd: this.#folder,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    this.#child = child;
    let isOnDuty = false;
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.#lastLines.push(line);
      if (this.#lastLines.length > LINES_KEPT) this.#lastLines.shift();
      if (!line.startsWith('{')) return;
      const { message = '', origin } = JSON.parse(line) as { message?: string; origin?: string };
      this.#origin = origin ?? this.#origin;
      isOnDuty ||= message.startsWith('This process looks after the feed');
    });
    while (!isOnDuty || this.#origin === '') {
      this.#assertRunning();
      await delay(50, undefined, { signal: this.#signal });
    }
  }

  async #end(): Promise<RunEnd> {
    for (;;) {
      const { rows } = await this.#client.query<RunEnd>(
        `select status, extract(epoch from finished_at - started_at)::float8 as seconds, timings, counts,
                failure_message as failure
         from sync.run
         where status in ('complete', 'held', 'failed', 'cancelled')
         order by id offset $1`,
        [this.#runs - 1],
      );
      if (rows[0] !== undefined) return rows[0];
      this.#assertRunning();
      await delay(POLL_MS, undefined, { signal: this.#signal });
    }
  }

  #assertRunning(): void {
    if (this.#child?.exitCode != null || this.#child?.signalCode != null) throw this.#failed('it has ended');
  }

  #failed(why: string): Error {
    return new Error(`The product failed: ${why}. The end of its log:\n${this.#lastLines.join('\n')}`);
  }
}
