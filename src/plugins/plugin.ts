import type { ChangeKind, PlannedChange, RunCounts } from '../domain/run.js';
import type { ObjectReference, PersonReference, Value } from '../mapping/references.js';
import type { DataType } from '../model/schema.js';
import type { FilePlace, ReadItem, ReadLimits, Reader } from '../readers/reader.js';

export type { InputRecord, JsonValue, RecordError, RecordErrorCode, RecordPosition } from '../domain/record.js';
export type { ChangeKind, ChangeState, RunCounts } from '../domain/run.js';
export type { FilePlace, ReadItem, ReadLimits, ReadRecord, Reader, RejectedRecord } from '../readers/reader.js';
export type { DataType, ObjectReference, PersonReference, Value };

/**
 * What a plugin adds to this installation: the published types, as `user-sync/plugin`. docs/plugins.md explains them.
 *
 * A plugin is trusted code with all rights of the process that runs it. Filters, readers and record processors are called in
 * the thread that reads a batch (and by `preview`), hooks in the main thread: the module is loaded in both, and the two
 * share nothing.
 */
export interface Plugin {
  /** Filters by the names that control files give in `filters`. */
  readonly filters?: Readonly<Record<string, FilterFactory>>;
  /** Formats of files by the names that control files give as `read`. */
  readonly readers?: Readonly<Record<string, PluginFormat>>;
  /** Functions by the names that control files give as `recordProcessor`. */
  readonly recordProcessors?: Readonly<Record<string, RecordProcessor>>;
  /** Further places for values, beside those of the model. */
  readonly destinations?: readonly DictionaryDestination[];
  /** Told of what runs do. */
  readonly hooks?: Hooks;
}

/** Gives the plugin back as it is: an editor then knows the types. Only for that; a plugin does not need to call it. */
export function definePlugin(plugin: Plugin): Plugin {
  return plugin;
}

/**
 * Makes the one instance of a filter that serves a whole run, so it may keep what it has found out. The filter is called
 * for each value, one after the other, and answers at once: no promises.
 *
 * Undefined sets nothing and is no error. Throwing, or giving anything that is neither JSON nor a reference that the
 * context made, is the error `filter-failed` on the value.
 */
export type FilterFactory = (context: FilterContext) => (value: Value) => Value | undefined;

export interface FilterContext {
  readonly lookup: {
    /** The ref of the object with this behaviour code. */
    byBehaviour(code: string): string | undefined;
    /** The ref again, when it is one of an object that is known. */
    byRef(ref: string): string | undefined;
  };
  /** A value for names of data type `ref`; undefined when no object has this ref. */
  objectReference(ref: string): ObjectReference | undefined;
  /** The profile of a person, who may be added later in the same run; undefined when nobody can have this username. */
  personReference(username: string): PersonReference | undefined;
}

/** A format of files. */
export interface PluginFormat {
  /** One sentence: what a record is in a file of this format. */
  readonly description: string;
  /** What control files may say beside `read`. */
  readonly options: readonly PluginFormatOption[];
  /**
   * Makes the reader of one file. A reader takes bytes (decompressed, and never more than the caps allow) and gives its
   * records in batches of some hundreds, with what is wrong with single ones as `rejected`; it holds neither all bytes nor
   * all records. Bytes are to be copied when they are kept.
   *
   * @param options those that the control file gives; charsets by a name that `TextDecoder` knows
   * @param limits caps for one record. Records beyond them are rejected later in any case; the reader should not have to
   *   hold one of them in memory.
   */
  read(options: FormatOptions, limits: ReadLimits, context: ReaderContext): Reader;
}

export interface PluginFormatOption {
  readonly name: string;
  readonly type: 'boolean' | 'charset' | 'string';
  /** Control files without it are refused. */
  readonly required?: boolean;
  readonly description: string;
}

export type FormatOptions = Readonly<Record<string, boolean | string | undefined>>;

export interface ReaderContext {
  /**
   * Says that the file as a whole cannot be read: throws the error `malformed-file`, which fails the run.
   *
   * @param message for operators: what is wrong, and what to do. Without values of records.
   */
  fail(message: string, place?: FilePlace): never;
}

/**
 * Sees the records of a whole batch before they are mapped, and gives those that are mapped instead: for example the
 * records of one file with those of another joined to them.
 *
 * Every file has to be read to its end at least once, since only then it is known to be whole.
 */
export type RecordProcessor = (
  files: readonly ProcessorFile[],
  context: ProcessorContext,
) => AsyncIterable<ProcessedRecords>;

/** One file of the batch; they come in the order of `files` in the control file. */
export interface ProcessorFile {
  readonly name: string;
  /** Reads the file, in batches, from its start; nothing happens before the first batch is asked for. May be called again. */
  records(): AsyncIterable<readonly ReadItem[]>;
}

export interface ProcessedRecords {
  /** The name of the file that they count as, for messages and positions. */
  readonly file: string;
  readonly items: readonly ReadItem[];
}

export interface ProcessorContext {
  readonly signal: AbortSignal;
  /** A folder for what does not fit in memory. Removed after the batch was read. */
  temporaryDirectory(): Promise<string>;
  /**
   * Puts a warning into the run's log, for what concerns no single record of a user: counts, above all. At most a hundred
   * of a run are kept. Without values of records.
   */
  warn(message: string): void;
  /**
   * Says that the batch cannot be processed: throws the error `record-processor-failed`, which fails the run.
   *
   * @param message for operators: what is wrong, and what to do. Without values of records.
   */
  fail(message: string): never;
}

/** A dictionary of names with values, kept for each user. */
export interface DictionaryDestination {
  readonly kind: 'dictionary';
  /** What control files call it. */
  readonly name: string;
  readonly title: string;
  readonly depends: 'user';
  /** Whether records may leave all of it alone although some names are required; true unless given. */
  readonly optional?: boolean;
  readonly names: readonly DictionaryName[];
}

export interface DictionaryName {
  readonly name: string;
  readonly title: string;
  readonly dataType: DictionaryDataType;
  /** Records that end up without a value are rejected; false unless given. */
  readonly required?: boolean;
}

/** Values without parts of their own. */
export type DictionaryDataType = Exclude<DataType, 'person-name' | 'postal-address' | 'attribute-group' | 'ref'>;

/**
 * Functions that are told of runs. They are called one after the other; while one works, the run waits for it and keeps its
 * feed, so a hook that calls another program should limit the time that it waits.
 */
export interface Hooks {
  /**
   * The plan is stored and nothing was written yet; also for dry runs. A hook that throws holds the run: that a check
   * could not be made must not look as if it had passed.
   */
  afterPlan?(context: HookContext): HoldRequest | undefined | void | Promise<HoldRequest | undefined | void>;
  /** What could be applied was applied. Called again when the run was interrupted before its end. Throwing is a warning. */
  afterApply?(context: HookContext): void | Promise<void>;
  /** As `afterApply` and before it, of runs that blocked at least one user. */
  onBlock?(context: BlockContext): void | Promise<void>;
}

/** Holds the run until an operator decides, as a breached guard does. */
export interface HoldRequest {
  /** For operators: what is wrong. Without values of records. */
  readonly hold: string;
}

export interface HookContext {
  readonly run: number;
  readonly feed: string;
  /** `afterPlan`: what the run would do; else what it did. */
  readonly counts: RunCounts;
  readonly dryRun: boolean;
  /** Aborted when the process is to end: nobody waits for the hook then. */
  readonly signal: AbortSignal;
  readonly logger: HookLogger;
  /**
   * What the run would do (`afterPlan`) or did (else) to each user, in pages of at most 1,000, in the order of the plan.
   * They are read from the database page by page: there may be millions.
   */
  changes(kind?: ChangeKind): AsyncIterable<readonly Change[]>;
}

export interface BlockContext extends HookContext {
  /** The users whom the run blocked, in pages. Those whose block was withheld are not among them. */
  blocked(): AsyncIterable<readonly Change[]>;
}

/** What happens to one user. Only what differs is there. */
export type Change = Pick<PlannedChange, 'kind' | 'username' | 'before' | 'after'>;

/** The log of the process. Fields that look like secrets are left out; values of records do not belong there. */
export interface HookLogger {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}
