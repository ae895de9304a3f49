import type { Logger } from '../lib/logger.js';
import type { Author } from '../db/audit.js';
import type { Database } from '../db/database.js';
import type { RunRow } from '../db/runs.js';
import type { GuardSettings } from '../domain/guard.js';
import type { RunProgress } from '../domain/run.js';
import type { FileStore } from '../intake/file-store.js';
import type { Model } from '../model/model.js';
import type { ControlLanguage } from '../plugins/control-language.js';
import type { Plugins } from '../plugins/load-plugins.js';
import type { ReadLimits } from '../readers/reader.js';

/** What every phase works with: made once by the app. */
export interface SyncContext {
  readonly database: Database;
  readonly store: FileStore;
  readonly model: Model;
  /** What control files may say here. */
  readonly language: ControlLanguage;
  readonly plugins: Plugins;
  readonly limits: ReadLimits;
  /** Where record processors put what does not fit in memory; holds personal data while a batch is read. */
  readonly processingFolder: string;
  readonly logger: Logger;
  /** Names this process in leases. */
  readonly holder: string;
  /** How long this process may be silent before another one takes over. */
  readonly leaseMs: number;
}

/** How a feed wants its runs made. */
export interface FeedSettings {
  readonly name: string;
  readonly autoApply: boolean;
  /** Every user is looked at, also those whose record is the same as last time. */
  readonly force: boolean;
  readonly guards: GuardSettings;
  /** Users changed in one transaction. */
  readonly chunkSize: number;
  /** Transactions at once. */
  readonly concurrency: number;
  /** How long somebody may be missing before being blocked. */
  readonly leavers: { readonly graceRuns: number; readonly graceDays: number };
}

export type OnProgress = (progress: RunProgress) => void;

/** One attempt at a run. */
export interface RunAttempt {
  readonly runId: number;
  readonly feedId: number;
  readonly settings: FeedSettings;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** Who lets a held run go on, and why. */
export interface Approval extends Author {
  readonly reason: string | null;
  readonly withoutBlocks: boolean;
}

export interface RunOptions {
  readonly settings: FeedSettings;
  /** For a held run, unless one is on record; or given in advance, so that a run that would be held goes on. */
  readonly approval?: Approval;
  /** Who makes the run go, for the books. */
  readonly actor: string;
  /** Whether the run is to be left as it is after an error, for another attempt; else it fails. */
  readonly isLeft?: (error: unknown) => boolean;
  /** Told of a run that another process had left behind, once it is finished. */
  readonly onLeftBehind?: (run: RunRow) => void | Promise<void>;
  readonly signal: AbortSignal;
  readonly onProgress?: OnProgress;
}
