import { watch, type FSWatcher } from 'chokidar';
import type { AnchoredFolder } from './anchored-folder.js';

export interface DirectoryHintsOptions {
  /** Told when something may have changed. Often several times for one change. */
  readonly onHint: () => void;
  /** Told when hints may fail to come: too few inotify watches, for example. */
  readonly onError: (error: unknown) => void;
  /** Look instead of being told, as network mounts tell nothing of what other machines do. */
  readonly usePolling?: boolean;
  readonly pollIntervalMs?: number;
}

/**
 * Hints that a directory changed, so that a scan need not wait for its turn. No more than that: events are lost when the
 * kernel's queue overflows and on network mounts, and none tells that a file is complete. The scan finds everything.
 *
 * Only the directory itself is watched. Its events tell of every entry, and chokidar would spend an inotify watch on each
 * file, of which there are only so many a user. They are what chokidar calls `raw`.
 */
export class DirectoryHints {
  readonly #options: DirectoryHintsOptions;
  #watcher: FSWatcher | undefined;
  #identity: string | undefined;

  constructor(options: DirectoryHintsOptions) {
    this.#options = options;
  }

  /**
   * Watches this directory from now on; undefined: none. To be called after each scan: a directory that was removed and
   * made again is another one, of which the old watch would tell nothing.
   */
  async follow(folder: AnchoredFolder | undefined): Promise<void> {
    const identity = folder === undefined ? undefined : `${folder.identity} ${folder.path}`;
    if (identity === this.#identity) return;
    await this.close();
    if (folder === undefined) return;
    this.#identity = identity;
    this.#watcher = this.#watch(folder.path);
  }

  /** May be called twice. */
  async close(): Promise<void> {
    const watcher = this.#watcher;
    this.#watcher = undefined;
    this.#identity = undefined;
    await watcher?.close();
  }

  #watch(path: string): FSWatcher {
    const { onHint, onError, usePolling = false, pollIntervalMs = 2000 } = this.#options;
    const watcher = watch(path, {
      ignoreInitial: true,
      followSymlinks: false,
      depth: 0,
      atomic: false,
      ignored: (entry) => entry !== path,
      usePolling,
      interval: pollIntervalMs,
      binaryInterval: pollIntervalMs,
    });
    // What changed between the last look and the beginning of the watch is told by nobody.
    watcher.on('ready', () => onHint());
    watcher.on('raw', () => onHint());
    watcher.on('all', () => onHint());
    watcher.on('error', (error) => {
      // The next scan tries anew.
      if (this.#watcher === watcher) this.#identity = undefined;
      onError(error);
    });
    return watcher;
  }
}
