import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CompiledMapping } from '../../src/mapping/compile.js';
import { PatchBuilder } from '../../src/mapping/patch.js';
import type { Model } from '../../src/model/model.js';
import { DEFAULT_LIMITS, type ReadItem } from '../../src/readers/reader.js';
import { createReader } from '../../src/readers/registry.js';
import { shortDigest } from '../../src/sync/recognition.js';
import { escapeForCopy, rawText } from '../../src/sync/stage-rows.js';

/** What the product makes of a record, as `PatchBuilder` says it; the fields that the benchmark's control file sets. */
export interface MappedUser {
  readonly user: {
    readonly email: string;
    readonly title: string | null;
    readonly nameFirst: string;
    readonly nameLast: string;
    readonly groups: readonly string[];
  };
  readonly tags: Readonly<Record<string, string>>;
  readonly types: readonly string[];
  readonly profile: Readonly<Record<string, unknown>>;
}

const PIECE_CHARACTERS = 1024 * 1024;

/**
 * Writes what hand-written SQL begins with: the records of a JSON feed, read, mapped and given their digests by the
 * product's own code, as a file in the text format of `COPY`. The columns are those of `floor/make-stage`.
 */
export async function writePreparedRows(
  feedFile: string,
  rowsFile: string,
  mapping: CompiledMapping,
  model: Model,
  signal: AbortSignal,
): Promise<void> {
  const batches = createReader({ read: 'json' }, DEFAULT_LIMITS)(createReadStream(feedFile), signal);
  const lines = linesOf(batches, mapping, new PatchBuilder(model, mapping.mentioned));
  await pipeline(Readable.from(lines), createWriteStream(rowsFile), { signal });
}

async function* linesOf(batches: AsyncIterable<readonly ReadItem[]>, mapping: CompiledMapping, patches: PatchBuilder) {
  const encoder = new RowEncoder();
  let text = '';
  for await (const items of batches) {
    for (const item of items) text += encoder.line(item, mapping, patches);
    if (text.length > PIECE_CHARACTERS) {
      yield text;
      text = '';
    }
  }
  yield text;
}

class RowEncoder {
  #seq = 0;

  line(item: ReadItem, mapping: CompiledMapping, patches: PatchBuilder): string {
    const outcome = item.kind === 'record' ? mapping.map(item.value) : undefined;
    if (item.kind !== 'record' || outcome?.accepted !== true || outcome.errors.length > 0) {
      throw new Error(`the generator made a bad record: number ${item.position.record}`);
    }
    const { position, value, raw } = item;
    const mapped = patches.build(outcome);
    const cells = [
      ...[this.#seq, 0, position.record, position.line, position.byte].map(String),
      escapeForCopy(outcome.username),
      shortDigest(mapped),
      ...columnsOf(JSON.parse(mapped) as MappedUser),
      escapeForCopy(rawText(value, raw)),
    ];
    this.#seq += 1;
    return `${cells.join('\t')}\n`;
  }
}

function columnsOf({ user, tags, types, profile }: MappedUser): string[] {
  return [
    escapeForCopy(user.email),
    user.title === null ? '\\N' : escapeForCopy(user.title),
    escapeForCopy(user.nameFirst),
    escapeForCopy(user.nameLast),
    escapeForCopy(arrayText(user.groups)),
    escapeForCopy(JSON.stringify(tags)),
    escapeForCopy(arrayText(types)),
    escapeForCopy(JSON.stringify(profile)),
  ];
}

/** An array as Postgres reads it, which quotes as JSON does. */
function arrayText(values: readonly string[]): string {
  return `{${values.map((value) => JSON.stringify(value)).join(',')}}`;
}
