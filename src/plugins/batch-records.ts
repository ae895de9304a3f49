import { UserSyncError } from '../lib/errors.js';
import type { ReadItem, ReadLimits } from '../readers/reader.js';
import { ItemChecker, NotABatch, storableText } from './checked-items.js';
import type { Contribution } from './load-plugins.js';
import { isPlainObject } from './plain-json.js';
import type { ProcessedRecords, ProcessorFile, RecordProcessor } from './plugin.js';
import { describeFailure } from './plugin-failure.js';
import { WatchedSource } from './watched-source.js';

/** One file of a batch, to be opened as often as it takes. */
export interface BatchInput {
  readonly name: string;
  open(): AsyncIterable<readonly ReadItem[]>;
}

/** Records of a batch with the number of the file that they count as. */
export interface BatchRecords {
  readonly file: number;
  readonly items: readonly ReadItem[];
}

export interface BatchSurroundings {
  readonly limits: ReadLimits;
  readonly signal: AbortSignal;
  temporaryDirectory(): Promise<string>;
  /** Takes what a record processor has to say; the text can be stored. */
  warn(message: string): void;
}

/**
 * The records of a batch in the order in which they are mapped: file by file or, with a record processor, as that gives
 * them.
 *
 * @throws what reading a file throws; UserSyncError `record-processor-failed` when it is the processor's fault
 */
export async function* batchRecords(
  inputs: readonly BatchInput[],
  processor: Contribution<RecordProcessor> | undefined,
  surroundings: BatchSurroundings,
): AsyncGenerator<BatchRecords, void, undefined> {
  if (processor !== undefined) {
    yield* new Processing(inputs, processor, surroundings).run();
    return;
  }
  for (const [file, input] of inputs.entries()) {
    for await (const items of input.open()) yield { file, items };
  }
}

const MOST_WARNINGS = 100;
const LONGEST_WARNING = 1000;

/** A message that is meant for operators, thrown by `fail` of the processor's context. */
class Complaint extends Error {}

class Processing {
  private readonly sources: WatchedSource<readonly ReadItem[]>[] = [];
  private warnings = 0;
  private readonly readToEnd = new Set<string>();
  private readonly checkers: readonly ItemChecker[];

  constructor(
    private readonly inputs: readonly BatchInput[],
    private readonly processor: Contribution<RecordProcessor>,
    private readonly surroundings: BatchSurroundings,
  ) {
    this.checkers = inputs.map(() => new ItemChecker(surroundings.limits));
  }

  async *run(): AsyncGenerator<BatchRecords, void, undefined> {
    const { signal } = this.surroundings;
    try {
      for await (const given of this.start()) yield this.checked(given);
      this.throwSourceFailure();
      this.assertAllRead();
    } catch (error) {
      signal.throwIfAborted();
      this.throwSourceFailure();
      throw this.blame(error);
    } finally {
      for (const source of this.sources) await source.close();
    }
  }

  private start(): AsyncIterable<unknown> {
    const { surroundings } = this;
    return this.processor.value(
      this.inputs.map((input): ProcessorFile => ({ name: input.name, records: () => this.records(input) })),
      {
        signal: surroundings.signal,
        temporaryDirectory: () => surroundings.temporaryDirectory(),
        warn: (message) => {
          this.warn(message);
        },
        fail: (message) => {
          throw new Complaint(message);
        },
      },
    );
  }

  private warn(message: unknown): void {
    if (this.warnings++ >= MOST_WARNINGS) return;
    this.surroundings.warn(storableText(String(message)).slice(0, LONGEST_WARNING));
  }

  private async *records(input: BatchInput): AsyncGenerator<readonly ReadItem[], void, undefined> {
    const source = new WatchedSource(input.open());
    this.sources.push(source);
    try {
      yield* source;
      if (source.ended) this.readToEnd.add(input.name);
    } finally {
      await source.close();
    }
  }

  private checked(given: unknown): BatchRecords {
    const { file: name, items }: Partial<ProcessedRecords> = isPlainObject(given) ? given : {};
    const file = this.inputs.findIndex((input) => input.name === name);
    const checker = this.checkers[file];
    if (checker === undefined) throw new NotABatch('it gave records without the name of a file of the batch');
    return { file, items: checker.check(items) };
  }

  /** What went wrong in reading is told as it is, whatever the processor made of it. */
  private throwSourceFailure(): void {
    const failed = this.sources.find((source) => source.failure !== undefined);
    if (failed?.failure !== undefined) throw failed.failure.error;
  }

  /** A file that is cut off is only known to be at its end, and must not block those who are missing from it. */
  private assertAllRead(): void {
    const unread = this.inputs.filter((input) => !this.readToEnd.has(input.name)).map((input) => input.name);
    if (unread.length > 0) throw new NotABatch(`it did not read ${unread.join(', ')} to the end`);
  }

  private blame(error: unknown): UserSyncError {
    const { plugin, name } = this.processor;
    const isToldByIt = error instanceof Complaint;
    const what = isToldByIt || error instanceof NotABatch ? error.message : describeFailure(error);
    return new UserSyncError(
      'record-processor-failed',
      `The record processor ${name} of plugin ${plugin} ${isToldByIt ? 'says' : 'failed'}: ${what}${isToldByIt ? '' : '.'} Nothing was changed.`,
      { cause: error },
    );
  }
}
