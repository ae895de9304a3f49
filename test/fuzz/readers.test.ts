import { expect } from 'chai';
import fc from 'fast-check';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gunzipSync } from 'node:zlib';
import { RECORD_ERROR_CODES, type InputRecord, type JsonValue } from '../../src/domain/record.js';
import { UserSyncError } from '../../src/lib/errors.js';
import { ReadError, type ReadItem, type ReadLimits } from '../../src/readers/reader.js';
import { createReader, type FileFormat } from '../../src/readers/registry.js';
import { readDocuments, tableRows } from '../support/docs-markdown.js';
import { cut, read, type Outcome } from '../unit/readers/reading.js';
import { SAMPLE_FORMATS, type Fields } from '../unit/readers/sample-formats.js';
import { fuzz, FUZZ_TIMEOUT_MS } from './fuzzing.js';
import { asItIs, compressed, mutations, nastyBytes, pieceSizes, shown } from './mutations.js';

/** Anything that does not end within this is taken for hanging: all of it together takes a hundredth. */
const MAX_CASE_MS = 3000;
/** Small, so that records of a few lines run into them. */
const LIMITS: ReadLimits = { recordBytes: 300, depth: 4, keys: 6, fileBytes: 200_000, gzipRatio: 50 };
const LONGEST_QUOTE = 200;
const CHARSETS = [
  'utf-8',
  'us-ascii',
  'windows-1252',
  'iso-8859-15',
  'koi8-r',
  'shift_jis',
  'gb18030',
  'big5',
  'euc-kr',
  'utf-16le',
  'utf-16be',
];

const DOCUMENTED = (tableRows(readDocuments().get('docs/errors.md') ?? '').get('Files') ?? []).map((row) =>
  row[0]?.replaceAll('`', ''),
);

const charset = fc.constantFrom(undefined, ...CHARSETS);
const format: fc.Arbitrary<FileFormat> = fc
  .oneof(
    fc.record({ read: fc.constantFrom('json', 'xml-text-of-children', 'xml-attributes'), singleRecord: fc.boolean() }),
    fc.constant({ read: 'jsonl' }),
    fc.record({ read: fc.constant('tsv-with-name-row'), charset, separator: fc.constantFrom('\t', '|', '::', 'aab') }),
    fc.record({ read: fc.constant('csv'), charset, delimiter: fc.constantFrom(',', ';', '|', '||', 'aab', 'é') }),
  )
  .map(
    (given) =>
      Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as unknown as FileFormat,
  );

const text = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', ' ', '"', ',', '|', '<', '&', '\\', 'é', '漢', '😀'), maxLength: 12 }),
  fc.constantFrom('x'.repeat(350), 'y'.repeat(120), 'ann@example.org'),
);
const people: fc.Arbitrary<Fields[]> = fc.array(
  fc.dictionary(fc.constantFrom('user', 'name', 'mail', 'a', 'b', 'c', 'd', 'e'), text, {
    minKeys: 1,
    noNullPrototype: true,
  }),
  { maxLength: 6 },
);

/** A file as its system writes it, in its charset as far as that is easy to write. */
function written(format: FileFormat, records: readonly Fields[]): Buffer {
  const { write } = SAMPLE_FORMATS.find((sample) => sample.format.read === format.read)!;
  const separator = format.separator ?? format.delimiter;
  const plain = write(records).text;
  const own = separator === undefined ? plain : plain.replaceAll(/[\t,]/g, separator);
  if (format.charset === 'utf-16le' || format.charset === 'utf-16be') {
    const bytes = Buffer.from(own, 'utf16le');
    return format.charset === 'utf-16be' ? bytes.swap16() : bytes;
  }
  return Buffer.from(own, format.charset === undefined || format.charset === 'utf-8' ? 'utf8' : 'latin1');
}

interface Case {
  readonly format: FileFormat;
  readonly bytes: Buffer;
  readonly sizes: readonly number[];
}

const noise = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: nastyBytes },
      fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
    ),
    {
      maxLength: 60,
    },
  )
  .map((parts) => Buffer.concat(parts));
const file = (own: FileFormat): fc.Arbitrary<Buffer> => people.map((records) => written(own, records));
const anyFile = format.chain(file);

/** What was written well and came to harm, or never was. */
const contents = (own: FileFormat): fc.Arbitrary<Buffer> =>
  fc
    .tuple(
      fc.oneof({ weight: 1, arbitrary: noise }, { weight: 4, arbitrary: file(own) }),
      fc.option(mutations({ others: fc.oneof(anyFile, noise) }), { nil: asItIs, freq: 6 }),
      fc.oneof({ weight: 5, arbitrary: fc.constant(asItIs) }, { weight: 1, arbitrary: compressed }),
    )
    .map(([bytes, mutate, pack]) => pack(mutate(bytes)));

const cases: fc.Arbitrary<Case> = format
  .chain((own) => fc.record({ format: fc.constant(own), bytes: contents(own), sizes: pieceSizes }))
  .map((one) => ({
    ...one,
    [fc.toStringMethod]: () => `${JSON.stringify(one.format)} in pieces of ${one.sizes.join()}: ${shown(one.bytes)}`,
  }));

describe('The readers, whatever bytes come', function () {
  this.timeout(FUZZ_TIMEOUT_MS);

  it('end in time with records within their limits, errors that are documented, and the place of each', async () => {
    const seen = { records: 0, rejected: 0, failed: 0 };
    await fuzz('readers', { atLeast: 50 }, cases, async ({ format, bytes, sizes }) => {
      const start = performance.now();
      const outcome = await read(format, cut(bytes, sizes), LIMITS);
      const whole = await read(format, bytes, LIMITS);
      expect(performance.now() - start, 'milliseconds').to.be.lessThan(MAX_CASE_MS);
      const size = sizeOf(bytes);
      for (const one of [outcome, whole]) {
        checkItems(one.items, size);
        checkError(one.error, size);
      }
      expectSame(outcome, whole, looksCompressed(bytes));
      seen.records += outcome.items.filter((item) => item.kind === 'record').length;
      seen.rejected += outcome.items.filter((item) => item.kind === 'rejected').length;
      if (outcome.error !== undefined) seen.failed++;
    });
    // How many is up to chance; that there are some shows that the property is about something.
    for (const [what, count] of Object.entries(seen)) expect(count, what).to.be.greaterThan(5);
  });

  it('hold one record and no more, however long the file goes on', async () => {
    const fragment = format.chain((own) =>
      fc.record({
        format: fc.constant(own),
        bytes: fc.oneof(noise, contents(own)),
        head: file(own),
        sizes: pieceSizes,
      }),
    );
    const gc = collector();
    let toTheEnd = 0;
    await fuzz('memory of readers', { share: 0.75, atLeast: 20 }, fragment, async ({ format, head, bytes }) => {
      const piece = Buffer.concat(Array<Buffer>(Math.ceil(PIECE_BYTES / Math.max(1, bytes.length))).fill(bytes));
      const growth = async (): Promise<number> => {
        const held: number[] = [];
        async function* endless(): AsyncGenerator<Buffer> {
          yield head;
          for (let read = 0; read < LONG_BYTES && piece.length > 0; read += piece.length) {
            if (read >= LONG_BYTES / 4 && held.length === 0) held.push(gc());
            yield piece;
          }
          held.push(gc());
          toTheEnd++;
        }
        await drain(format, endless());
        return (held[1] ?? 0) - (held[0] ?? Infinity);
      };
      const costly = piece.filter((byte) => COSTLY.includes(byte)).length / PIECE_BYTES;
      const allowed = SPARE_BYTES + costly * LONG_BYTES * BYTES_EACH;
      // The engine allocates for itself, but not each time.
      let grown = await growth();
      if (grown >= allowed) grown = await growth();
      expect(grown, `bytes held of ${shown(bytes)} as ${JSON.stringify(format)}`).to.be.lessThan(allowed);
    });
    expect(toTheEnd, 'files read to the end').to.be.greaterThan(5);
  });
});

/** Small, as a batch of records is what a piece has of them. */
const PIECE_BYTES = 4 * 1024;
const LONG_BYTES = 3 * 1024 * 1024;
const SPARE_BYTES = 1024 * 1024;
/**
 * `<`, `[`, `{` and the ends of lines: of elements and brackets that are open readers remember something, up to a million
 * of them, and the engine does for a while of each line that it could not parse.
 */
const COSTLY = [0x3c, 0x5b, 0x7b, 0x0a, 0x0d];
const BYTES_EACH = 16;

async function drain(format: FileFormat, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const limits = { ...LIMITS, fileBytes: Infinity };
  try {
    for await (const batch of createReader(format, limits)(bytes, new AbortController().signal)) {
      expect(batch.length).to.be.greaterThan(0);
    }
  } catch (error) {
    expect(isOfControlFile(error) || error instanceof ReadError, String(error)).to.equal(true);
  }
}

/** What collects garbage and says how many bytes are in use then. */
function collector(): () => number {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  return () => {
    gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
}

/** Of the file as it is read; as much as may be, when nobody can tell. */
function sizeOf(bytes: Buffer): number {
  if (!looksCompressed(bytes)) return bytes.length;
  try {
    return gunzipSync(bytes).length;
  } catch {
    return LIMITS.fileBytes;
  }
}

function looksCompressed(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function checkItems(items: readonly ReadItem[], size: number): void {
  let before = { record: 0, line: 1, byte: -1 };
  for (const item of items) {
    const { position } = item;
    expect(position.record, 'record').to.equal(before.record + 1);
    expect(position.line, 'line').to.be.at.least(before.line);
    expect(position.byte, 'byte').to.be.greaterThan(before.byte).and.lessThan(size);
    before = position;
    if (item.kind === 'rejected') {
      const { code, message, source = '', value = '' } = item.error;
      expect(RECORD_ERROR_CODES).to.include(code);
      expect(message).not.to.equal('');
      expect(Math.max(source.length, value.length)).to.be.at.most(LONGEST_QUOTE);
    } else {
      expect(Buffer.byteLength(item.raw ?? '')).to.be.at.most(LIMITS.recordBytes);
      expectWithinLimits(item.value);
      expect(textIn(Object.values(item.value)).length).to.be.at.most(LIMITS.recordBytes);
    }
    expect(textIn(item.value ?? {}), 'what cannot be stored').not.to.match(/\0|\p{Surrogate}/u);
  }
}

function checkError(error: unknown, size: number): void {
  if (error === undefined || isOfControlFile(error)) return;
  if (!(error instanceof ReadError)) throw error;
  expect(DOCUMENTED).to.include(error.code);
  expect(error.message).to.match(/[.)]$/);
  const { byte = -1, line = 1, record = 0 } = error.place;
  // Half a unit of UTF-16 at the end counts as a whole one.
  expect(byte, 'byte of the error').to.be.within(0, size + (size % 2));
  expect(line, 'line of the error').to.be.at.least(1);
  expect(record, 'record of the error').to.be.at.least(0);
}

/** A delimiter may turn out not to be writable in the charset of the file: that has no place in it. */
function isOfControlFile(error: unknown): boolean {
  return error instanceof UserSyncError && error.code === 'bad-separator';
}

/** However the file was cut. How far a damaged gzip can be read is up to the pieces it comes in. */
function expectSame(outcome: Outcome, whole: Outcome, isCompressed: boolean): void {
  const told = ({ error }: Outcome): unknown =>
    error instanceof ReadError ? { message: error.message, ...error.place } : String(error);
  const isDamaged = isCompressed && whole.error !== undefined;
  const count = isDamaged ? Math.min(outcome.items.length, whole.items.length) : Infinity;
  expect(outcome.items.slice(0, count)).to.deep.equal(whole.items.slice(0, count));
  if (isDamaged) expect(outcome.error === undefined).to.equal(false);
  else expect(told(outcome)).to.deep.equal(told(whole));
}

function expectWithinLimits(record: InputRecord): void {
  expect(keysIn(record), 'names').to.be.at.most(LIMITS.keys);
  expect(depthOf(record), 'levels').to.be.at.most(LIMITS.depth);
}

function keysIn(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0;
  const parts = Object.values<JsonValue>(value);
  return (Array.isArray(value) ? 0 : parts.length) + parts.reduce<number>((sum, part) => sum + keysIn(part), 0);
}

function depthOf(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values<JsonValue>(value).map(depthOf));
}

/** All text of a value, names included. */
function textIn(value: JsonValue): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  return Object.entries<JsonValue>(value)
    .map(([name, part]) => (Array.isArray(value) ? '' : name) + textIn(part))
    .join('');
}
