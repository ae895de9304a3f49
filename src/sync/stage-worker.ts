import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import type { RecordError, RecordLogEntry, RecordPosition } from '../domain/record.js';
import { UserSyncError, messageOf } from '../lib/errors.js';
import { compileControlFile, type CompiledMapping } from '../mapping/compile.js';
import type { MapOutcome } from '../mapping/mapped.js';
import { ValueCounts } from '../mapping/given-names.js';
import { PatchBuilder } from '../mapping/patch.js';
import { modelOfSource } from '../model/model.js';
import { batchRecords } from '../plugins/batch-records.js';
import { controlLanguage, type ControlLanguage } from '../plugins/control-language.js';
import { loadPlugins } from '../plugins/load-plugins.js';
import { ReadError, type ReadItem } from '../readers/reader.js';
import { readControlFile } from './control.js';
import { DirectoryView } from './directory-view.js';
import {
  Recognition,
  seenItem,
  shortDigest,
  valueOf,
  type Look,
  type SeenItem,
  type SeenItems,
} from './recognition.js';
import type {
  StageAnswer,
  StageCredit,
  StageFailure,
  StageFile,
  StageJob,
  StageMessage,
  StageRecognised,
  StageSummary,
} from './stage-messages.js';
import { StageRows, storableError } from './stage-rows.js';

/** Batches on their way to the database: enough to keep both threads busy. */
const CREDITS = 4;

/** Characters of records that are read ahead while the main thread is asked about those before: neither waits for long. */
const READ_AHEAD = 1024 * 1024;

/** So many records at a time have the same questions to the directory. */
const ASKED_TOGETHER = 500;

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
  readonly #recognition: Recognition | undefined;
  readonly #patches: PatchBuilder;
  readonly #valueCounts: ValueCounts;
  readonly #rows = new StageRows();
  #errors: RecordLogEntry[] = [];
  readonly #warnings: string[] = [];
  #credits = CREDITS;
  #onCredit: (() => void) | undefined;
  /** Those who wait for answers, in the order of their questions. */
  readonly #awaiting: ((answer: StageAnswer | StageRecognised) => void)[] = [];
  #seq = 0;
  #bytesRead = 0;
  #withoutUsername = 0;
  #rejected = 0;
  #accepted = 0;
  #recognised = 0;
  #inError = 0;

  static async open(port: MessagePort, job: StageJob): Promise<StageWorker> {
    return new StageWorker(port, job, controlLanguage(modelOfSource(job.model), await loadPlugins(job.plugins)));
  }

  private constructor(port: MessagePort, job: StageJob, language: ControlLanguage) {
    this.#port = port;
    this.#job = job;
    this.#language = language;
    const { model, filters } = language;
    const control = readControlFile(job.control, language);
    this.#recordProcessor = control.recordProcessor;
    this.#view = new DirectoryView(job.objects, model, (question) =>
      this.#ask<StageAnswer>({ type: 'question', ...question }),
    );
    this.#mapping = compileControlFile(control, model, this.#view, undefined, filters);
    this.#patches = new PatchBuilder(model, this.#mapping.mentioned);
    this.#valueCounts = new ValueCounts(this.#patches.given.names);
    if (job.recordSeed !== null) {
      this.#recognition = new Recognition(
        job.recordSeed,
        this.#mapping,
        job.recognises ? (question) => this.#ask<StageRecognised>({ type: 'recognise', ...question }) : undefined,
      );
    }
    port.on('message', (message: StageCredit | StageAnswer | StageRecognised) => {
      if (message.type !== 'credit') {
        this.#awaiting.shift()?.(message);
      } else {
        this.#credits += 1;
        this.#onCredit?.();
      }
    });
  }

  async run(): Promise<StageSummary> {
    const ahead: (Look & { readonly index: number })[] = [];
    let held = 0;
    const stageUntil = async (left: number): Promise<void> => {
      for (let first = ahead[0]; first !== undefined && (left === 0 || held > left); first = ahead[0]) {
        await this.#stageAll(first.index, await first.seen);
        ahead.shift();
        held -= first.characters;
      }
    };
    for await (const { file: index, items } of this.#records()) {
      const look = this.#look(items);
      ahead.push({ ...look, index });
      held += look.characters;
      // Records of a plugin may be the same objects again in its next batch.
      await stageUntil(look.seen instanceof Promise ? READ_AHEAD : 0);
    }
    await stageUntil(0);
    await this.#send();
    return {
      type: 'done',
      records: this.#seq,
      rows: this.#accepted + this.#rejected,
      withoutUsername: this.#withoutUsername,
      rejected: this.#rejected,
      accepted: this.#accepted,
      recognised: this.#recognised,
      inError: this.#inError,
      withPeople: this.#patches.peopleCount,
      withDependents: this.#patches.dependentsCount,
      valueCounts: this.#valueCounts.toRecord(),
      recordSeed: this.#job.recordSeed,
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

  /** What can be told of records before they are mapped. */
  #look(items: readonly ReadItem[]): Look {
    if (this.#recognition !== undefined) return this.#recognition.look(items);
    return { seen: { items: items.map((item) => seenItem(item)), given: {} }, characters: 0 };
  }

  async #stageAll(fileIndex: number, { items, given }: SeenItems): Promise<void> {
    const file = this.#job.files[fileIndex];
    if (file === undefined) throw new Error(`the batch has no file ${fileIndex}`);
    for (const [names, records] of Object.entries(given)) this.#valueCounts.add(names, records);
    const size = this.#asksDirectory ? ASKED_TOGETHER : items.length;
    for (let start = 0; start < items.length; start += size) {
      const part = items.slice(start, start + size);
      const outcomes = this.#asksDirectory ? await this.#mapAll(part) : undefined;
      for (const [at, item] of part.entries()) {
        this.#stage(item, file, fileIndex, outcomes?.[at]);
        if (this.#rows.isFull || this.#errors.length >= 1000) await this.#send();
      }
    }
  }

  /** For a control file that asks what the directory holds: all records of a batch with the same few questions. */
  #mapAll(items: readonly SeenItem[]): Promise<(MapOutcome | undefined)[]> {
    const mapping = this.#mapping;
    const usernames = items.map((seen) =>
      mapping.needs.users && seen.item.kind === 'record' ? mapping.readUsername(valueOf(seen)) : null,
    );
    const known = new Set(usernames.filter((username) => username !== null));
    return this.#view.with([...known], () =>
      items.map((seen, index) =>
        seen.item.kind === 'record' ? mapping.map(valueOf(seen), this.#view.user(usernames[index] ?? null)) : undefined,
      ),
    );
  }

  /** @param mapped the outcome, when it is known already */
  #stage(seen: SeenItem, file: StageFile, fileIndex: number, mapped?: MapOutcome): void {
    const { item, raw } = seen;
    const { position } = item;
    const seq = this.#seq;
    this.#seq += 1;
    if (seen.username !== null && seen.digest !== null) {
      this.#accepted += 1;
      this.#recognised += 1;
      this.#rows.addRecognised({ seq, file: fileIndex, position, username: seen.username }, seen.digest);
      return;
    }
    if (item.kind === 'rejected') {
      const username = item.value === undefined ? null : this.#mapping.readUsername(item.value);
      this.#log(item.error, username, file, position);
      this.#reject(seq, fileIndex, seen, username);
      return;
    }
    const outcome = mapped ?? this.#mapping.map(valueOf(seen));
    for (const error of outcome.errors) this.#log(error, outcome.username, file, position);
    if (!outcome.accepted) {
      this.#reject(seq, fileIndex, seen, outcome.username);
      return;
    }
    const inError = outcome.errors.length > 0;
    this.#accepted += 1;
    if (inError) this.#inError += 1;
    const patch = this.#patches.build(outcome);
    const given = this.#patches.given.toHex();
    this.#valueCounts.add(given);
    this.#rows.addMapped(
      { seq, file: fileIndex, position, username: outcome.username },
      {
        digest: shortDigest(patch),
        // What is wrong with it is to be told again in every run.
        recordDigest: inError ? null : seen.recordDigest,
        given,
        inError,
        mapped: patch,
        raw,
      },
    );
  }

  #reject(seq: number, file: number, { item: { position }, raw }: SeenItem, username: string | null): void {
    if (username === null) {
      this.#withoutUsername += 1;
      return;
    }
    this.#rejected += 1;
    this.#rows.addRejected({ seq, file, position, username }, raw);
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

  /** Answers come in the order of the questions. */
  #ask<Answer extends StageAnswer | StageRecognised>(question: StageMessage): Promise<Answer> {
    this.#post(question);
    return new Promise((resolve) => this.#awaiting.push(resolve as (answer: StageAnswer | StageRecognised) => void));
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
