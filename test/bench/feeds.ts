import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DemoRecord } from '../../src/cli/demo/people.js';
import { packageRoot } from '../../src/lib/package-root.js';
import { compileControlFile, type CompiledMapping } from '../../src/mapping/compile.js';
import { validateControlFile } from '../../src/mapping/control-file.js';
import type { Model } from '../../src/model/model.js';
import { READER_FORMATS } from '../../src/readers/registry.js';
import { personOf, recordsOf, revisionIn, type Batch, type People } from './feed.js';
import { READ, writeFeedFile, type Format } from './feed-file.js';
import { writePreparedRows } from './prepared-rows.js';

/** Most people whom the contestant that goes row by row is asked to work on. */
const SAMPLE = 2000;

/** The files that contestants read: each is written when it is first asked for, and stays for all rounds. */
export class Feeds {
  readonly #folder: string;
  readonly #model: Model;
  readonly #signal: AbortSignal;
  readonly people: People;
  #mapping: CompiledMapping | undefined;

  constructor(folder: string, people: People, model: Model, signal: AbortSignal) {
    this.#folder = folder;
    this.people = people;
    this.#model = model;
    this.#signal = signal;
  }

  /** The example that is shipped, for files of a format. */
  async controlText(format: Format): Promise<string> {
    const text = await readFile(join(packageRoot(), 'config', 'examples', 'control.json'), 'utf8');
    return JSON.stringify({ ...(JSON.parse(text) as object), files: { users: { read: READ[format] } } }, null, 2);
  }

  async mapping(): Promise<CompiledMapping> {
    if (this.#mapping !== undefined) return this.#mapping;
    const { control } = validateControlFile(await this.controlText('json'), this.#model, READER_FORMATS);
    if (control === null) throw new Error('the example of a control file has problems');
    this.#mapping = compileControlFile(control, this.#model);
    return this.#mapping;
  }

  async file(batch: Batch, format: Format): Promise<string> {
    return this.#write(`${batch}.${format}`, format, batch, recordsOf(batch, this.people));
  }

  /** The rows of a batch's JSON file for `COPY`. */
  async preparedRows(batch: Batch): Promise<string> {
    const path = join(this.#folder, `${batch}.rows`);
    if (!existsSync(path)) {
      const feed = await this.file(batch, 'json');
      await writePreparedRows(feed, path, await this.mapping(), this.#model, this.#signal);
    }
    return path;
  }

  /** Records of a batch from everywhere in it; of the first one people who are in no batch, as all are new to it. */
  async sample(batch: Batch): Promise<{ file: string; records: number }> {
    const records = sampleOf(batch, this.people);
    const file = await this.#write(`${batch}.sample`, 'json', batch, records);
    return { file, records: records.length };
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #write(name: string, format: Format, batch: Batch, records: Iterable<DemoRecord>): Promise<string> {
    const path = join(this.#folder, name);
    if (!existsSync(path)) await writeFeedFile(path, format, batch, records, this.#signal);
    return path;
  }
}

function sampleOf(batch: Batch, people: People): DemoRecord[] {
  const size = Math.min(SAMPLE, people.users);
  return Array.from({ length: size }, (_, index) => {
    if (batch === 'first') return personOf(people.seed, people.users * 2 + index, 0);
    const number = Math.floor((index * people.users) / size);
    return personOf(people.seed, number, revisionIn(batch, people, number) ?? 0);
  });
}
