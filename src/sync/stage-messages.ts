import type { RecordLogEntry } from '../domain/record.js';
import type { ExistingObject, ExistingUser } from '../mapping/existing.js';
import type { PluginModule } from '../plugins/resolve-plugins.js';
import type { ReadLimits } from '../readers/reader.js';
import type { FileFormat } from '../readers/registry.js';
import type { RecognitionAnswer, RecognitionQuestion } from './recognition.js';

/** What the staging worker is given. Everything crosses the thread boundary once, as plain data. */
export interface StageJob {
  readonly files: readonly StageFile[];
  /** The control file's text; valid, as it was checked when it was taken. */
  readonly control: string;
  /** `Model.source`. */
  readonly model: string;
  readonly objects: KnownObjects;
  readonly limits: ReadLimits;
  /** To be loaded again: functions do not cross threads. */
  readonly plugins: readonly PluginModule[];
  /** All that decides, beside a record, what it is mapped to; null when what the directory holds decides, too. */
  readonly recordSeed: string | null;
  /** Whether records may be left out of mapping that are the same as last time. */
  readonly recognises: boolean;
  /** Made when a record processor asks for it; whoever sends the job removes it. */
  readonly processingFolder: string;
}

/** Objects of the directory that the control file names, found before the first record. */
export interface KnownObjects {
  /** Behaviour code → ref. */
  readonly behaviours: Readonly<Record<string, string>>;
  /** Those of mappings by title, in the order of preference. */
  readonly titles: readonly { readonly ref: string; readonly types: readonly string[]; readonly title: string }[];
}

export interface StageFile {
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly format: FileFormat;
}

/** Rows ready to be copied, and what went wrong in the records that they were made of. */
export interface StageBatch {
  readonly type: 'batch';
  /** Lines of COPY's text format; moved, not copied, between the threads. */
  readonly rows: Uint8Array;
  readonly rowCount: number;
  readonly errors: readonly RecordLogEntry[];
  readonly records: number;
  /** Bytes of the stored files read so far. */
  readonly bytesRead: number;
}

export interface StageSummary {
  readonly type: 'done';
  readonly records: number;
  readonly rows: number;
  /** Records that nobody can be told the owner of. */
  readonly withoutUsername: number;
  /** Rows rejected by reading or mapping. */
  readonly rejected: number;
  /** Rows accepted with an error on a value. */
  readonly accepted: number;
  /** Accepted rows whose record is the same as last time. */
  readonly recognised: number;
  readonly inError: number;
  /** Rows that refer to people. */
  readonly withPeople: number;
  /** Rows with objects that belong to the user. */
  readonly withDependents: number;
  readonly valueCounts: Readonly<Record<string, number>>;
  /** What the records were digested with. */
  readonly recordSeed: string | null;
  /** What the record processor has to say about the batch as a whole. */
  readonly warnings: readonly string[];
}

/** For a run without a batch. */
export const NOTHING_STAGED: StageSummary = {
  type: 'done',
  records: 0,
  rows: 0,
  withoutUsername: 0,
  rejected: 0,
  accepted: 0,
  recognised: 0,
  inError: 0,
  withPeople: 0,
  withDependents: 0,
  valueCounts: {},
  recordSeed: null,
  warnings: [],
};

export interface StageFailure {
  readonly type: 'failed';
  readonly code: string;
  readonly message: string;
}

/** Records under way need to know what the directory holds. */
export interface StageQuestion {
  readonly type: 'question';
  readonly usernames: readonly string[];
  readonly refs: readonly string[];
}

/** Which of these records are the same as last time? */
export interface StageRecognition extends RecognitionQuestion {
  readonly type: 'recognise';
}

export type StageMessage = StageBatch | StageSummary | StageFailure | StageQuestion | StageRecognition;

/** The main thread's answer to a batch: there is room for another one. */
export interface StageCredit {
  readonly type: 'credit';
}

/** Answers come in the order of the questions. */
export interface StageRecognised extends RecognitionAnswer {
  readonly type: 'recognised';
}

/** The main thread's answer to a question. Who or what is not there is left out. */
export interface StageAnswer {
  readonly type: 'answer';
  readonly users: ReadonlyMap<string, ExistingUser>;
  readonly objects: readonly ExistingObject[];
}
