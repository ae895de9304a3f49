import { Readable } from 'node:stream';
import { controlFile } from '../db/feeds.js';
import { findRun } from '../db/runs.js';
import type { InputRecord } from '../domain/record.js';
import { UserSyncError } from '../lib/errors.js';
import { compileControlFile, type CompiledMapping, type TraceEvent } from '../mapping/compile.js';
import type { ControlFile } from '../mapping/instruction.js';
import { previewRows, type PreviewRow } from '../mapping/preview-rows.js';
import { originsOf, previewOutcome, previewRejection, type PreviewLine } from '../mapping/preview.js';
import type { ControlLanguage } from '../plugins/control-language.js';
import type { ReadItem, ReadLimits } from '../readers/reader.js';
import type { SyncContext } from './context.js';
import { readControlFile, readControlRow } from './control.js';
import type { Received } from './person.js';

/** A record, what it was mapped to, and which instruction set each value. */
export interface Explained {
  readonly line: PreviewLine;
  /** A value each, with the instruction behind it. */
  readonly rows: readonly PreviewRow[];
}

/** Maps records and remembers why. */
class Explainer {
  readonly #mapping: CompiledMapping;
  #events: TraceEvent[] = [];

  constructor(control: ControlFile, { model, filters }: ControlLanguage) {
    this.#mapping = compileControlFile(control, model, undefined, (event) => void this.#events.push(event), filters);
  }

  explain(file: string, item: ReadItem): Explained {
    this.#events = [];
    const line =
      item.kind === 'record'
        ? previewOutcome(file, item.position, this.#mapping.map(item.value))
        : previewRejection(file, item.position, this.#usernameIn(item.value), [item.error]);
    return { line, rows: previewRows(line, originsOf(this.#events)) };
  }

  #usernameIn(value: InputRecord | undefined): string | null {
    return value === undefined ? null : this.#mapping.readUsername(value);
  }
}

export interface Sample {
  readonly control: string;
  /** The name of one of the control file's files; the first unless told. */
  readonly file?: string;
  readonly content: string;
  /** Most records. */
  readonly most: number;
}

/**
 * What a control file makes of a sample, without a database.
 *
 * @throws InvalidFileError `invalid-control-file` with every problem; `unknown-file`; ReadError where the sample cannot be
 *   read on
 */
export async function explainSample(
  { language, limits }: { readonly language: ControlLanguage; readonly limits: ReadLimits },
  { control: text, file: wanted, content, most }: Sample,
): Promise<readonly Explained[]> {
  const control = readControlFile(text, language, 'The control file');
  const entry = wanted === undefined ? control.files[0] : control.files.find(({ name }) => name === wanted);
  if (entry === undefined) {
    const known = control.files.map(({ name }) => name).join(', ');
    throw new UserSyncError('unknown-file', `The control file has no file named ${wanted ?? ''}. It lists: ${known}.`, {
      kind: 'usage',
    });
  }
  const explainer = new Explainer(control, language);
  const read = language.createReader({ read: entry.read, ...entry.options }, limits);
  const explained: Explained[] = [];
  for await (const items of read(Readable.from([Buffer.from(content)]), new AbortController().signal)) {
    for (const item of items) {
      if (explained.length === most) return explained;
      explained.push(explainer.explain(entry.name, item));
    }
  }
  return explained;
}

/**
 * How the record that was last received from somebody is mapped, by the control file of its run.
 *
 * @returns undefined when that control file cannot be read any more, or the record is none that can be mapped
 */
export async function explainReceived(context: SyncContext, received: Received): Promise<Explained | undefined> {
  const run = await findRun(context.database, received.run);
  const row = run?.controlId == null ? undefined : await controlFile(context.database, run.controlId);
  if (row === undefined) return undefined;
  try {
    const { file, record, line, raw } = received;
    const explainer = new Explainer(readControlRow(row, context.language), context.language);
    // What was received is kept as JSON, whatever its file was; the reader knows how to treat numbers.
    const read = context.language.createReader({ read: 'json' }, context.limits);
    for await (const [item] of read(Readable.from([Buffer.from(`[${raw}]`)]), new AbortController().signal)) {
      if (item !== undefined) return explainer.explain(file, { ...item, position: { record, line, byte: 0 } });
    }
    return undefined;
  } catch {
    // The model or the plugins have changed since, or the record was too damaged to be kept as one.
    return undefined;
  }
}
