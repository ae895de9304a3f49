import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../lib/logger.js';
import { printable } from '../lib/printable.js';
import { AnchoredFolder } from './anchored-folder.js';
import type { DropHandler } from './drop-handler.js';
import { DropMemory } from './drop-memory.js';
import { DropReports } from './drop-reports.js';
import { DropRound, type RoundResult } from './drop-round.js';
import { codeOf, explain } from './file-system-error.js';
import type { FileStore } from './file-store.js';
import type { Quarantine } from './quarantine.js';
import { scanFolder, type Scan } from './scan.js';
import type { ScanTime } from './settle.js';
import { WakeUp } from './wake-up.js';
import { DirectoryHints } from './watch.js';

export interface DropDirectoryOptions {
  readonly feed: string;
  /** Absolute. It need not be there yet, and is never made: a missing mount must not look like an empty directory. */
  readonly path: string;
  /** A file is complete when it has not changed for so long. */
  readonly settleMs: number;
  readonly scanIntervalMs: number;
  /** How long a file may differ from its sidecar before it is set aside; ten minutes unless told. */
  readonly sidecarPatienceMs?: number;
  /** `limits.fileBytes` */
  readonly maxBytes: number;
  /** For network mounts, on which the kernel tells nothing of what other machines do. */
  readonly usePolling?: boolean;
  readonly store: FileStore;
  readonly quarantine: Quarantine;
  readonly handler: DropHandler;
  readonly logger: Logger;
  /** In milliseconds, from a clock that nobody sets. */
  readonly monotonicMs: () => number;
  readonly now: () => Date;
  /** Letters, digits and hyphens; never the same twice. */
  readonly newId: () => string;
}

export interface PendingFiles {
  /** Files that are, or may be, for us and are still there. */
  readonly count: number;
  /** Since it was first seen by this process. */
  readonly oldestAgeMs: number | undefined;
}

const TEN_MINUTES_MS = 10 * 60 * 1000;
/** Hints come in showers. */
const MIN_PAUSE_MS = 200;
/** Looking may take at most this share of the time, however many files there are. */
const PAUSE_PER_LOOK = 4;

/**
 * Turns the files of a feed's drop directory into files of the store, and tells a handler. For each file in this order:
 *
 * 1. it settles: nobody has changed it for the quiet period, or marker or sidecar say that it is complete;
 * 2. it is copied to the store, and the copy is on disk;
 * 3. the handler records it for good;
 * 4. marker, sidecar and original are removed.
 *
 * Killed at any point, the program finds the original again and does the rest once more: the same bytes have the same
 * place in the store, and the handler hears of them at least once. Nothing that is found here stops the program or other
 * files: it is told as a warning, and tried again with the next scan.
 *
 * `runOnce` is one scan, `start` repeats it: at intervals, at hints, and when a file will have been quiet for long enough.
 */
export class DropDirectory {
  readonly #options: DropDirectoryOptions;
  readonly #memory = new DropMemory();
  readonly #reports: DropReports;
  readonly #hints: DirectoryHints;
  readonly #wakeUp = new WakeUp();
  readonly #stopping = new AbortController();
  #scanning: Promise<void> | undefined;
  #loop: Promise<void> | undefined;
  /** Where the path led when it was first there. */
  #realPath: string | undefined;
  #pendingSinceMs: readonly number[] = [];
  #dueMs: number | undefined;
  #lookedForMs = 0;
  #lastActivityMs: number | undefined;

  constructor(options: DropDirectoryOptions) {
    this.#options = options;
    const logger = options.logger.child({ feed: options.feed });
    this.#reports = new DropReports(options.handler, logger);
    this.#hints = new DirectoryHints({
      usePolling: options.usePolling ?? false,
      onHint: () => this.#wakeUp.call(),
      onError: (error) => {
        const message = `The drop directory cannot be watched (${explain(codeOf(error))}); it is looked through at intervals.`;
        void this.#reports.warnOnce({ code: 'hints-failed', message }, error);
      },
    });
  }

  /** Scans until `stop` is called or the signal is aborted. */
  start(signal?: AbortSignal): void {
    if (this.#loop !== undefined || this.#stopping.signal.aborted) return;
    if (signal?.aborted === true) this.#stopping.abort();
    signal?.addEventListener('abort', () => this.#stopping.abort(), { once: true, signal: this.#stopping.signal });
    this.#loop = this.#scanUntil(this.#stopping.signal);
  }

  /** Gives up what is being copied, and waits for what is being recorded. May be called twice, and without `start`. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#scanning;
    await this.#loop;
    await this.#hints.close();
  }

  /** One scan and what follows from it; if one is under way, that one. Never rejects: what goes wrong is a warning. */
  async runOnce(): Promise<void> {
    this.#scanning ??= this.#scan().finally(() => {
      this.#scanning = undefined;
    });
    return this.#scanning;
  }

  /** As of the last scan. */
  pending(): PendingFiles {
    const count = this.#pendingSinceMs.length;
    if (count === 0) return { count, oldestAgeMs: undefined };
    const oldestMs = this.#pendingSinceMs.reduce((oldest, one) => Math.min(oldest, one));
    return { count, oldestAgeMs: this.#options.monotonicMs() - oldestMs };
  }

  /** When a scan last got on, by the monotonic clock: for a health check. Copying a large file counts piece by piece. */
  get lastActivityMs(): number | undefined {
    return this.#lastActivityMs;
  }

  async #scanUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.runOnce();
      const pauseMs = Math.max(MIN_PAUSE_MS, PAUSE_PER_LOOK * this.#lookedForMs);
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
      const { scanIntervalMs, monotonicMs } = this.#options;
      const untilDueMs = Math.max(0, (this.#dueMs ?? Infinity) - monotonicMs());
      await this.#wakeUp.sleep(Math.min(scanIntervalMs, untilDueMs), signal);
    }
  }

  async #scan(): Promise<void> {
    const signal = this.#stopping.signal;
    this.#tick();
    try {
      const folder = await this.#open();
      if (this.#loop !== undefined && !signal.aborted) await this.#hints.follow(folder);
      if (folder !== undefined) await this.#visitAndClose(folder, signal);
    } catch (error) {
      if (!signal.aborted) await this.#warnOfDirectory(error);
    } finally {
      this.#tick();
    }
  }

  /** Undefined, and told, when the directory cannot be opened or is not the one that it was. */
  async #open(): Promise<AnchoredFolder | undefined> {
    const { path } = this.#options;
    let folder: AnchoredFolder;
    try {
      folder = await AnchoredFolder.open(path);
    } catch (error) {
      await this.#warnOfDirectory(error);
      return undefined;
    }
    this.#realPath ??= folder.path;
    if (folder.path === this.#realPath) return folder;
    await folder.close();
    const message = `The drop directory ${path} now leads to ${printable(folder.path)} instead of ${this.#realPath}. Files there are not taken; if that is meant, restart this program.`;
    await this.#reports.warn('directory', { code: 'directory-moved', message });
    return undefined;
  }

  async #visitAndClose(folder: AnchoredFolder, signal: AbortSignal): Promise<void> {
    try {
      await this.#visit(folder, signal);
    } finally {
      await folder.close();
    }
  }

  async #visit(folder: AnchoredFolder, signal: AbortSignal): Promise<void> {
    const { monotonicMs } = this.#options;
    const startedMs = monotonicMs();
    const scan = await scanFolder(folder, signal);
    const time = { startedMs, endedMs: monotonicMs() };
    this.#lookedForMs = time.endedMs - time.startedMs;
    this.#memory.observe(scan.all, time);
    const { pendingSinceMs, dueMs } = await this.#round(folder, scan, time).run();
    this.#pendingSinceMs = pendingSinceMs;
    this.#dueMs = dueMs;
    if (!signal.aborted) this.#reports.endRound();
  }

  #round(folder: AnchoredFolder, scan: Scan, time: ScanTime): { run(): Promise<RoundResult> } {
    const { feed, settleMs, sidecarPatienceMs = TEN_MINUTES_MS, maxBytes } = this.#options;
    const { store, quarantine, handler, now, newId } = this.#options;
    return new DropRound(folder, scan, time, {
      settings: { feed, settleMs, sidecarPatienceMs, maxBytes },
      store,
      quarantine,
      handler,
      memory: this.#memory,
      reports: this.#reports,
      now,
      newId,
      onProgress: () => this.#tick(),
      signal: this.#stopping.signal,
    });
  }

  async #warnOfDirectory(error: unknown): Promise<void> {
    const message = `The drop directory ${this.#options.path} cannot be looked through: ${explain(codeOf(error))}. It is tried again with every scan.`;
    await this.#reports.warn('directory', { code: 'directory-unreadable', message }, error);
  }

  #tick(): void {
    this.#lastActivityMs = this.#options.monotonicMs();
  }
}
