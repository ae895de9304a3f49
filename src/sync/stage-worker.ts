import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import type { RecordError, RecordLogEntry, RecordPosition } from '../domain/record.js';
import { UserSyncError, messageOf } from '../lib/errors.js';
import { compileControlFile, type CompiledMapping } from '../mapping/compile.js';
import { modelLookup } from '../mapping/references.js';
import { PatchBuilder } from '../mapping/patch.js';
import { parseModel } from '../model/model.js';
import { batchRecords } from '../plugins/batch-records.js';
import { controlLanguage, type ControlLanguage } from '../plugins/control-language.js';
import { loadPlugins } from '../plugins/load-plugins.js';
import { ReadError, type ReadItem } from '../readers/reader.js';
import { readControlFile } from './control.js';
import type { StageFailure, StageFile, StageJob, StageMessage, StageSummary } from './stage-messages.js';
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
  readonly #patches: PatchBuilder;
  readonly #rows = new StageRows();
  #errors: RecordLogEntry[] = [];
  readonly #warnings: string[] = [];
  #credits = CREDITS;
  #onCredit: (() => void) | undefined;
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
    this.#mapping = compileControlFile(control, model, modelLookup(model, job.refs), undefined, filters);
    this.#patches = new PatchBuilder(model, this.#mapping.mentioned);
    port.on('message', () => {
      this.#credits += 1;
      this.#onCredit?.();
    });
  }

  async run(): Promise<StageSummary> {
    for await (const { file: index, items } of this.#records()) {
      const file = this.#job.files[index];
      if (file === undefined) throw new Error(`the batch has no file ${index}`);
      for (const item of items) this.#stage(item, file, index);
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

  #stage(item: ReadItem, file: StageFile, fileIndex: number): void {
    const seq = this.#seq;
    this.#seq += 1;
    if (item.kind === 'rejected') {
      const username = item.value === undefined ? null : this.#mapping.readUsername(item.value);
      this.#log(item.error, username, file, item.position);
      this.#reject(seq, fileIndex, item, username);
      return;
    }
    const outcome = this.#mapping.map(item.value);
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
    this.#port.postMessage(batch, [rows.buffer]);
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
