import type { QuarantineRecord } from './quarantine-record.js';

/** A file that is in the store, and still in the drop directory. */
export interface DroppedFile {
  /** The name that a control file would list; `_control` for a control file. */
  readonly name: string;
  /** As it is called in the drop directory, escaped. */
  readonly originalFilename: string;
  /** SHA-256, hex: its name in the store. */
  readonly digest: string;
  readonly sizeBytes: number;
  /** With name and digest, which upload it is: the same whenever it is told. */
  readonly original: string;
  readonly receivedAt: Date;
}

/** A `_start` file. */
export interface StartSignal {
  readonly originalFilename: string;
  readonly receivedAt: Date;
}

/** What becomes of a dropped file. */
export type Answer =
  /** It is recorded for good: the original may go. */
  | { readonly kind: 'taken' }
  /** Not now, for example while an earlier batch is being read. It is asked again after the next scan. */
  | { readonly kind: 'later' }
  /** The control file lists no file of this name; these are the names it lists. */
  | { readonly kind: 'unknown-name'; readonly expectedNames: readonly string[] }
  /** It cannot be used, such as a control file with errors. The detail is for the operator. */
  | { readonly kind: 'refused'; readonly detail: string };

/** Something an operator should know of. It is told once, until it changes. */
export interface IntakeWarning {
  readonly code: IntakeWarningCode;
  readonly message: string;
  /** The file it is about, escaped. */
  readonly originalFilename?: string;
}

/** Each is explained in docs/errors.md. */
export const INTAKE_WARNINGS = [
  'directory-unreadable',
  'directory-moved',
  'directory-ignored',
  'file-unreadable',
  'file-not-removed',
  'file-not-quarantined',
  'ignored-for-long',
  'store-failed',
  'handler-failed',
  'hints-failed',
] as const;

export type IntakeWarningCode = (typeof INTAKE_WARNINGS)[number];

/**
 * What the intake tells. The answers are awaited; throwing means 'could not be recorded': the file stays in the drop
 * directory and the handler is asked again after the next scan.
 *
 * Each file is told **at least once**: after a crash between the handler's answer and the removal of the original, or when
 * it may not be removed, the same `original` is told again.
 */
export interface DropHandler {
  onFile(file: DroppedFile): Promise<Answer>;
  onControl(file: DroppedFile): Promise<Answer>;
  onStart(signal: StartSignal): Promise<Answer>;
  /** What could not be taken was set aside. */
  onQuarantined(record: QuarantineRecord): Promise<void>;
  onWarning(warning: IntakeWarning): Promise<void>;
}
