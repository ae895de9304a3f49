import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserSyncError } from '../lib/errors.js';
import type { CompiledMapping } from '../mapping/compile.js';
import type { ControlFile } from '../mapping/instruction.js';
import { previewOutcome, previewRejection, type PreviewLine } from '../mapping/preview.js';
import { batchRecords, type BatchInput } from '../plugins/batch-records.js';
import type { ControlLanguage } from '../plugins/control-language.js';
import { ReadError, type ReadItem, type ReadLimits } from '../readers/reader.js';

/** A file whose records are to be mapped without a database. */
export interface PreviewFile {
  /** The name that the control file lists. */
  readonly name: string;
  /** Names the file in messages. */
  readonly what: string;
  bytes(): AsyncIterable<Uint8Array>;
}

export interface PreviewBatch {
  readonly files: readonly PreviewFile[];
  readonly control: ControlFile;
  readonly language: ControlLanguage;
  readonly limits: ReadLimits;
  readonly signal: AbortSignal;
  /** Told of what a record processor has to say about the batch as a whole. */
  warn(message: string): void;
  /** Most records of each file; of all together when a record processor makes them. */
  readonly most: number;
  /** Where a record processor keeps what it must keep, when the caller removes it; one of its own unless told. */
  readonly folder?: string;
}

export interface PreviewRecord {
  readonly file: string;
  readonly item: ReadItem;
}

/**
 * The records that a run would map.
 *
 * @throws UserSyncError `unknown-file` before anything is read, `missing-files` when a record processor cannot do without
 */
export async function* previewRecords(batch: PreviewBatch): AsyncGenerator<PreviewRecord, void, undefined> {
  const { control, language, limits, signal } = batch;
  const inputs = batch.files.map((file) => inputOf(file, batch));
  const name = control.recordProcessor;
  const processor = name === undefined ? undefined : language.recordProcessors.get(name);
  if (processor === undefined) {
    for (const input of inputs) yield* first(batch.most, input.name, input.open());
    return;
  }
  const all = inControlOrder(inputs, control);
  let folder: Promise<string> | undefined;
  const surroundings = {
    limits,
    signal,
    warn: (message: string) => {
      batch.warn(message);
    },
    temporaryDirectory: () =>
      batch.folder === undefined
        ? (folder ??= mkdtemp(join(tmpdir(), 'user-sync-preview-')))
        : Promise.resolve(batch.folder),
  };
  try {
    let left = batch.most;
    for await (const { file, items } of batchRecords(all, processor, surroundings)) {
      for (const item of items) {
        if (left === 0) return;
        left -= 1;
        yield { file: all[file]?.name ?? '', item };
      }
    }
  } finally {
    if (folder !== undefined) await rm(await folder, { recursive: true, force: true });
  }
}

/** What the control file makes of one record. */
export function previewLine({ file, item }: PreviewRecord, mapping: CompiledMapping): PreviewLine {
  if (item.kind === 'record') return previewOutcome(file, item.position, mapping.map(item.value));
  const username = item.value === undefined ? null : mapping.readUsername(item.value);
  return previewRejection(file, item.position, username, [item.error]);
}

async function* first(
  most: number,
  file: string,
  batches: AsyncIterable<readonly ReadItem[]>,
): AsyncGenerator<PreviewRecord, void, undefined> {
  let left = most;
  for await (const items of batches) {
    for (const item of items) {
      if (left === 0) return;
      left -= 1;
      yield { file, item };
    }
  }
}

function inputOf(file: PreviewFile, { control, language, limits, signal }: PreviewBatch): BatchInput {
  const { name, what } = file;
  const entry = control.files.find((listed) => listed.name === name);
  if (entry === undefined) throw unknownFile(name, control);
  return {
    name,
    async *open() {
      try {
        const read = language.createReader({ read: entry.read, ...entry.options }, limits);
        yield* read(file.bytes(), signal);
      } catch (error) {
        throw error instanceof ReadError
          ? new ReadError(error.code, `${what}: ${error.message}`, error.place, error)
          : error;
      }
    },
  };
}

function inControlOrder(inputs: readonly BatchInput[], { files, recordProcessor = '' }: ControlFile): BatchInput[] {
  const missing = files.map((file) => file.name).filter((name) => inputs.every((input) => input.name !== name));
  if (missing.length > 0) {
    const message =
      `The record processor ${recordProcessor} needs every file of the batch: give ${missing.join(', ')} too, ` +
      `as NAME=FILE. A batch is: ${files.map((file) => file.name).join(', ')}.`;
    throw new UserSyncError('missing-files', message, { kind: 'usage' });
  }
  return files.flatMap((file) => inputs.filter((input) => input.name === file.name));
}

function unknownFile(name: string, { files }: ControlFile): UserSyncError {
  const known = files.map((file) => file.name).join(', ');
  return new UserSyncError('unknown-file', `The control file has no file named ${name}. It lists: ${known}.`, {
    kind: 'usage',
  });
}
