import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import type { RecordError, RecordLogEntry, RecordPosition } from '../domain/record.js';
import { UserSyncError, messageOf } from '../lib/errors.js';
import { compileControlFile, type CompiledMapping } from '../mapping/compile.js';
import type { MapOutcome } from '../mapping/mapped.js';
import { PatchBuilder } from '../mapping/patch.js';
import { parseModel } from '../model/model.js';
import { batchRecords } from '../plugins/batch-records.js';
import { controlLanguage, type ControlLanguage } from '../plugins/control-language.js';
import { loadPlugins } from '../plugins/load-plugins.js';
import { ReadError, type ReadItem } from '../readers/reader.js';
import { readControlFile } from './control.js';
import { DirectoryView } from './directory-view.js';
import type {
  StageAnswer,
  StageCredit,
  StageFailure,
  StageFile,
  StageJob,
  StageMessage,
  StageSummary,
} from './stage-messages.js';
import { StageRows, rawText, storableError } from './stage-rows.js';

/** Batches on their way to the database: enough to keep both threads busy. */
const CREDITS = 4;

/**
 * The worker thread that reads, maps and encodes, so that the main thread stays free for its users. It sends batches of
 * rows as long as it has credit, then a summary or the reason why the batch cannot be read.
 */
class StageWorker {
  readonly #port: MessagePort;
  readonly #job: StageJob;
  readonly #language: ControlLanguage;
  readonly #recordProcessor: string | undefined;
  readonly #mapping: CompiledMapping;
  readonly #view: DirectoryView;
  readonly #patches: PatchBuilder;
  readonly #rows = new StageRows();
  #errors: RecordLogEntry[] = [];
  readonly #warnings: string[] = [];
  #credits = CREDITS;
  #onCredit: (() => void) | undefined;
  #onAnswer: ((answer: StageAnswer) => void) | undefined;
  #seq = 0;
  #bytesRead = 0;
  #withoutUsername = 0;
  #rejected = 0;
  #accepted = 0;
  #inError = 0;

  static async open(port: MessagePort, job: StageJob): Promise<StageWorker> {
    return new StageWorker(
      port,
      job,
      controlLanguage(parseModel(job.model, 'the model'), await loadPlugins(job.plugins)),
    );
  }

  private constructor(port: MessagePort, job: StageJob, language: ControlLanguage) {
    this.#port = port;
    this.#job = job;
    this.#language = language;
    const { model, filters } = language;
    const control = readControlFile(job.control, language);
    this.#recordProcessor = control.recordProcessor;
    this.#view = new DirectoryView(job.objects, model, (question) => {
      this.#post({ type: 'question', ...question });
      return new Promise((resolve) => (this.#onAnswer = resolve));
    });
    this.#mapping = compileControlFile(control, model, this.#view, undefined, filters);
    this.#patches = new PatchBuilder(model, this.#mapping.mentioned);
    port.on('message', (message: StageCredit | StageAnswer) => {
      if (message.type === 'answer') {
        this.#onAnswer?.(message);
      } else {
        this.#credits += 1;
        this.#onCredit?.();
      }
    });
  }

  async run(): Promise<StageSummary> {
    for await (const { file: index, items } of this.#records()) {
      const file = this.#job.files[index];
      if (file === undefined) throw new Error(`the batch has no file ${index}`);
      const outcomes = this.#asksDirectory ? await this.#mapAll(items) : undefined;
      items.forEach((item, at) => {
        this.#stage(item, file, index, outcomes?.[at]);
      });
      if (this.#rows.isFull || this.#errors.length >= 1000) await this.#send();
    }
    await this.#send();
    return {
      type: 'done',
      records: this.#seq,
      rows: this.#accepted + this.#rejected,
      withoutUsername: this.#withoutUsername,
      rejected: this.#rejected,
      accepted: this.#accepted,
      inError: this.#inError,
      withPeople: this.#patches.peopleCount,
      withDependents: this.#patches.dependentsCount,
      valueCounts: Object.fromEntries(this.#patches.valueCounts),
      warnings: this.#warnings,
    };
  }

  #records(): ReturnType<typeof batchRecords> {
    const { files, limits, processingFolder } = this.#job;
    const name = this.#recordProcessor;
    // Nothing aborts it: the main thread stops the whole thread.
    const signal = new AbortController().signal;
    return batchRecords(
      files.map((file) => ({ name: file.name, open: () => this.#recordsOf(file, signal) })),
      name === undefined ? undefined : this.#language.recordProcessors.get(name),
      {
        limits,
        signal,
        temporaryDirectory: () => makeFolder(processingFolder),
        warn: (message) => void this.#warnings.push(message),
      },
    );
  }

  async *#recordsOf(file: StageFile, signal: AbortSignal): AsyncGenerator<readonly ReadItem[]> {
    const read = this.#language.createReader(file.format, this.#job.limits);
    try {
      yield* read(this.#bytesOf(file), signal);
    } catch (error) {
      throw inFile(error, file);
    }
  }

  async *#bytesOf(file: StageFile): AsyncGenerator<Uint8Array> {
    const stream = createReadStream(file.path, { highWaterMark: 256 * 1024 });
    try {
      for await (const chunk of stream as AsyncIterable<Uint8Array>) {
        this.#bytesRead += chunk.byteLength;
        yield chunk;
      }
    } catch (error) {
      throw new UserSyncError(
        'stored-file-unreadable',
        `Reading the stored file of ${file.name}: ${messageOf(error)}. Send the batch again.`,
        { cause: error },
      );
    }
  }

  get #asksDirectory(): boolean {
    const { users, objects } = this.#mapping.needs;
    return users || objects;
  }

  /** For a control file that asks what the directory holds: all records of a batch with the same few questions. */
  #mapAll(items: readonly ReadItem[]): Promise<(MapOutcome | undefined)[]> {
    const mapping = this.#mapping;
    const usernames = items.map((item) =>
      mapping.needs.users && item.kind === 'record' ? mapping.readUsername(item.value) : null,
    );
    const known = new Set(usernames.filter((username) => username !== null));
    return this.#view.with([...known], () =>
      items.map((item, index) =>
        item.kind === 'record' ? mapping.map(item.value, this.#view.user(usernames[index] ?? null)) : undefined,
      ),
    );
  }

  /** @param mapped the outcome, when it is known already */
  #stage(item: ReadItem, file: StageFile, fileIndex: number, mapped?: MapOutcome): void {
    const seq = this.#seq;
    this.#seq += 1;
    if (item.kind === 'rejected') {
      const username = item.value === undefined ? null : this.#mapping.readUsername(item.value);
      this.#log(item.error, username, file, item.position);
      this.#reject(seq, fileIndex, item, username);
      return;
    }
    const outcome = mapped ?? this.#mapping.map(item.value);
    for (const error of outcome.errors) this.#log(error, outcome.username, file, item.position);
    if (!outcome.accepted) {
      this.#reject(seq, fileIndex, item, outcome.username);
      return;
    }
    const inError = outcome.errors.length > 0;
    this.#accepted += 1;
    if (inError) this.#inError += 1;
    this.#rows.add({
      seq,
      file: fileIndex,
      position: item.position,
      username: outcome.username,
      inError,
      mapped: this.#patches.build(outcome),
      raw: rawText(item.value, item.raw),
    });
  }

  #reject(seq: number, file: number, item: ReadItem, username: string | null): void {
    if (username === null) {
      this.#withoutUsername += 1;
      return;
    }
    this.#rejected += 1;
    const raw = rawText(item.value, item.kind === 'record' ? item.raw : undefined);
    this.#rows.add({ seq, file, position: item.position, username, inError: true, mapped: null, raw });
  }

  #log(error: RecordError, username: string | null, file: StageFile, position: RecordPosition): void {
    const { code, message, source, value } = storableError(error);
    this.#errors.push({
      code,
      message,
      username,
      file: file.name,
      ...position,
      source: source ?? null,
      value: value ?? null,
    });
  }

  async #send(): Promise<void> {
    while (this.#credits === 0) await new Promise<void>((resolve) => (this.#onCredit = resolve));
    this.#credits -= 1;
    const { rows, rowCount } = this.#rows.take();
    const errors = this.#errors;
    this.#errors = [];
    const batch: StageMessage = {
      type: 'batch',
      rows,
      rowCount,
      errors,
      records: this.#seq,
      // A record processor may read a file more than once.
      bytesRead: Math.min(
        this.#bytesRead,
        this.#job.files.reduce((sum, file) => sum + file.sizeBytes, 0),
      ),
    };
    this.#post(batch, [rows.buffer]);
  }

  #post(message: StageMessage, moved: ArrayBuffer[] = []): void {
    this.#port.postMessage(message, moved);
  }
}

/** It will hold personal data. */
async function makeFolder(path: string): Promise<string> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  return path;
}

/** Says which file could not be read. */
function inFile(error: unknown, file: StageFile): unknown {
  if (!(error instanceof ReadError)) return error;
  return new ReadError(error.code, `${file.name}: ${error.message}`, error.place, error);
}

function failure(error: unknown): StageFailure {
  const code = error instanceof UserSyncError ? error.code : 'internal';
  return { type: 'failed', code, message: messageOf(error) };
}

const port = parentPort;
if (port !== null) {
  const finish = (message: StageMessage): void => {
    port.postMessage(message);
    port.close();
  };
  StageWorker.open(port, workerData as StageJob)
    .then((worker) => worker.run())
    .then(finish, (error: unknown) => {
      finish(failure(error));
    });
}
