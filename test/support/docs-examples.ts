import { expect } from 'chai';
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import type { InputRecord, JsonValue } from '../../src/domain/record.js';
import { compileControlFile } from '../../src/mapping/compile.js';
import type { ExistingUser } from '../../src/mapping/existing.js';
import { previewOutcome, type PreviewLine } from '../../src/mapping/preview.js';
import type { Model } from '../../src/model/model.js';
import { parseModel } from '../../src/model/parse-model.js';
import { DEFAULT_LIMITS } from '../../src/readers/reader.js';
import { createReader, type FileFormat } from '../../src/readers/registry.js';
import { controlLanguage } from '../../src/plugins/control-language.js';
import { readControlFile, validateControl } from '../../src/sync/control.js';
import type { Fence } from './docs-markdown.js';

/** What stands before the instructions of a short example, and the values that its records have besides. */
const USUAL_INSTRUCTIONS: readonly JsonValue[] = [
  { source: 'id', destination: 'user', name: 'username' },
  { source: 'first', destination: 'user', name: 'nameFirst' },
  { source: 'last', destination: 'user', name: 'nameLast' },
  { source: 'mail', destination: 'user', name: 'email' },
];
const USUAL_RECORD: InputRecord = { id: 'jbloggs', first: 'Joe', last: 'Bloggs', mail: 'joe@example.org' };

/** Of a user whom the directory has; a document shows what matters. */
const EMPTY_USER: ExistingUser = { user: {}, tags: {}, dictionaries: {}, profile: {}, profileRef: null, objects: [] };

/** Lists of a model that a document adds to those of the shipped one. */
export type ModelPart = Readonly<Record<string, readonly JsonValue[]>>;

/** A control file of a document with a record and what the document says becomes of it. */
export interface MappingExample {
  readonly line: number;
  /** What the document has added to the model so far. */
  readonly modelParts: readonly ModelPart[];
  readonly control: string;
  readonly record: InputRecord;
  /** What the directory holds for the user; undefined: nobody. */
  readonly existing: ExistingUser | undefined;
  readonly result: Readonly<Record<string, JsonValue>>;
}

/** A control file of a document with the codes of the problems that the document says it has. */
export interface ProblemExample {
  readonly line: number;
  readonly modelParts: readonly ModelPart[];
  readonly control: string;
  readonly problems: readonly string[];
}

/** A file of a document with the records that the document says are in it. */
export interface FormatExample {
  readonly line: number;
  readonly format: FileFormat;
  readonly text: string;
  readonly records: readonly InputRecord[];
}

export interface Examples {
  readonly mappings: readonly MappingExample[];
  readonly problems: readonly ProblemExample[];
  readonly formats: readonly FormatExample[];
}

/**
 * Reads fences in their order: a control file (or instructions), then records, each with its result. What is added to the
 * model is there for all that follows; what the directory holds, for the next record alone.
 */
export function examplesOf(fences: readonly Fence[]): Examples {
  const mappings: MappingExample[] = [];
  const problems: ProblemExample[] = [];
  const formats: FormatExample[] = [];
  let control = '';
  let usual: InputRecord = {};
  let modelParts: readonly ModelPart[] = [];
  let existing: ExistingUser | undefined;
  let record: InputRecord | undefined;
  let file: { format: FileFormat; text: string } | undefined;
  for (const { info, text, line } of fences) {
    const format = formatOf(info);
    if (format !== undefined) file = { format, text };
    else if (info === 'json records') {
      if (file === undefined) throw new Error(`line ${line}: records without a file before them`);
      formats.push({ line, ...file, records: JSON.parse(text) as InputRecord[] });
      file = undefined;
    } else if (info === 'json control-file') {
      control = text;
      usual = {};
    } else if (info === 'json instructions') {
      control = wrapped(JSON.parse(text) as JsonValue[]);
      usual = USUAL_RECORD;
    } else if (info === 'json problems') {
      problems.push({ line, modelParts, control, problems: JSON.parse(text) as string[] });
    } else if (info === 'json model-part') {
      modelParts = [...modelParts, JSON.parse(text) as ModelPart];
    } else if (info === 'json directory') {
      existing = { ...EMPTY_USER, ...(JSON.parse(text) as Partial<ExistingUser>) };
    } else if (info === 'json record') {
      record = { ...usual, ...(JSON.parse(text) as InputRecord) };
    } else if (info === 'json result') {
      if (record === undefined) throw new Error(`line ${line}: a result without a record before it`);
      const result = JSON.parse(text) as MappingExample['result'];
      mappings.push({ line, modelParts, control, record, existing, result });
      record = undefined;
      existing = undefined;
    } else {
      throw new Error(`line ${line}: nothing checks a fence of ${JSON.stringify(info)}`);
    }
  }
  return { mappings, problems, formats };
}

/** @param path of a model file */
export function modelWith(path: string, parts: readonly ModelPart[]): Model {
  const file = JSON.parse(readFileSync(path, 'utf8')) as Record<string, JsonValue[]>;
  for (const part of parts) {
    for (const [list, more] of Object.entries(part)) file[list] = [...(file[list] ?? []), ...more];
  }
  return parseModel(JSON.stringify(file), path);
}

type RunnableExample = Pick<MappingExample, 'control' | 'record'> & Partial<Pick<MappingExample, 'existing'>>;

export function runMapping({ control, record, existing }: RunnableExample, model: Model): PreviewLine {
  const mapping = compileControlFile(readControlFile(control, controlLanguage(model)), model);
  return previewOutcome('users', { record: 1, line: 1, byte: 0 }, mapping.map(record, existing));
}

export function problemCodes(control: string, model: Model): string[] {
  return validateControl(control, controlLanguage(model)).problems.map((problem) => problem.code);
}

export async function readAll(format: FileFormat, text: string): Promise<JsonValue[]> {
  const reading = createReader(format, DEFAULT_LIMITS)(bytesOf(text), new AbortController().signal);
  const records: JsonValue[] = [];
  for await (const items of reading) {
    for (const item of items) {
      if (item.kind === 'rejected') throw new Error(item.error.message);
      records.push({ ...item.value });
    }
  }
  return records;
}

/** A document shows what matters: members of `user` and of errors may be left out, everything else is whole. */
export function expectShown(line: PreviewLine, shown: MappingExample['result']): void {
  for (const [key, value] of Object.entries(shown)) {
    const actual = line[key as keyof PreviewLine];
    if (key === 'user') expect(actual, key).to.deep.include(value);
    else if (key === 'errors') {
      const errors = value as readonly object[];
      expect(line.errors, key).to.have.length(errors.length);
      errors.forEach((error, index) => expect(line.errors[index], `errors/${index}`).to.deep.include(error));
    } else expect(actual, key).to.deep.equal(value);
  }
}

function wrapped(instructions: readonly JsonValue[]): string {
  return JSON.stringify({
    dataImportControlFileVersion: 0,
    model: 'haplo:user-sync',
    files: { users: { read: 'json' } },
    instructions: [...USUAL_INSTRUCTIONS, ...instructions],
  });
}

/** `csv read=csv delimiter=;` */
function formatOf(info: string): FileFormat | undefined {
  const options = Object.fromEntries(
    info
      .split(' ')
      .filter((word) => word.includes('='))
      .map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  ) as Partial<FileFormat>;
  return options.read === undefined ? undefined : { ...options, read: options.read };
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
