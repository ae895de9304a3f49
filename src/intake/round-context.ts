import type { DropHandler } from './drop-handler.js';
import type { DropMemory } from './drop-memory.js';
import type { DropReports } from './drop-reports.js';
import type { FileStore } from './file-store.js';
import type { Quarantine } from './quarantine.js';
import type { SettleSettings } from './settle.js';

export interface RoundSettings extends SettleSettings {
  readonly feed: string;
  /** Larger files are quarantined. */
  readonly maxBytes: number;
}

export interface RoundContext {
  readonly settings: RoundSettings;
  readonly store: FileStore;
  readonly quarantine: Quarantine;
  readonly handler: DropHandler;
  readonly memory: DropMemory;
  readonly reports: DropReports;
  readonly now: () => Date;
  readonly newId: () => string;
  readonly onProgress: () => void;
  readonly signal: AbortSignal;
}
