import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { DEFAULT_LIMITS } from '../../../src/readers/reader.js';
import { createReader } from '../../../src/readers/registry.js';
import { brief, cut, failureOf, pieces, read, values } from './reading.js';
import { SAMPLE_FORMATS, type Fields } from './sample-formats.js';

const PEOPLE: readonly Fields[] = [
  { username: 'anna', name: 'Änna Çelik', note: 'a "quoted" & <odd> \\ value' },
  { username: 'bo', name: '漢字', note: '😀 \ufffd \u2028 end' },
  { username: 'cem', name: "O'Neil", note: 'x' },
];

/** Three records of which the middle one has the placeholder that a test replaces with something bad. */
const WITH_PLACEHOLDER: readonly Fields[] = [
  { username: 'anna', name: 'Änna' },
  { username: 'bo', name: 'PLACEHOLDER' },
  { username: 'cem', name: 'Cem' },
];

function usernames(items: Parameters<typeof brief>[0]): unknown[] {
  return items.map((item) => item.value?.['username']);
}

function replaced(text: string, replacement: Uint8Array): Buffer {
  const [before = '', after = ''] = text.split('PLACEHOLDER');
  return Buffer.concat([Buffer.from(before), replacement, Buffer.from(after)]);
}

/** A source that notes that it was closed, and may hang after its pieces. */
function observed(pieces: readonly Uint8Array[], hang: boolean) {
  const state = { closed: 0, taken: 0 };
  const iterator: AsyncIterator<Uint8Array> = {
    next() {
      const value = pieces[state.taken++];
      if (value !== undefined) return Promise.resolve({ done: false, value });
      return hang ? new Promise(() => undefined) : Promise.resolve({ done: true, value: undefined });
    },
    return() {
      state.closed++;
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  return { state, bytes: { [Symbol.asyncIterator]: () => iterator } };
}

for (const { format, write } of SAMPLE_FORMATS) {
  describe(`reading ${format.read}`, () => {
    const file = write(PEOPLE);
    const bytes = Buffer.from(file.text);

    it('gives the records as they were written', async () => {
      expect(await values(format, bytes)).to.deep.equal(PEOPLE);
    });

    it('gives the same when every byte comes by itself', async () => {
      expect(await values(format, pieces(bytes, 1))).to.deep.equal(PEOPLE);
    });

    it('gives the same items, positions included, however the file is cut into pieces', async () => {
      const whole = await read(format, bytes);
      await fc.assert(
        fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 }), async (sizes) => {
          expect((await read(format, cut(bytes, sizes))).items).to.deep.equal(whole.items);
        }),
        { seed: 7, numRuns: 60, interruptAfterTimeLimit: 1500 },
      );
    });

    it('tells record, line and byte of each record', async () => {
      const { items } = await read(format, pieces(bytes, 3));
      const expected = file.starts.map((start, index) => ({
        record: index + 1,
        line: (file.text.slice(0, start).match(/\r\n|\r|\n/g) ?? []).length + 1,
        byte: Buffer.byteLength(file.text.slice(0, start)),
      }));
      expect(items.map(({ position }) => position)).to.deep.equal(expected);
    });

    it('honours and drops a UTF-8 byte-order mark', async () => {
      const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]);
      const { items } = await read(format, pieces(marked, 1));
      expect(brief(items)).to.deep.equal(PEOPLE);
      expect(items[0]?.position.byte).to.equal(Buffer.byteLength(file.text.slice(0, file.starts[0])) + 3);
    });

    for (const order of ['little', 'big'] as const) {
      it(`reads UTF-16 with a ${order}-endian byte-order mark, and counts the bytes of the file`, async () => {
        const utf16 = Buffer.from(`\ufeff${file.text}`, 'utf16le');
        const { items, error } = await read(format, pieces(order === 'little' ? utf16 : utf16.swap16(), 3));
        expect(error).to.equal(undefined);
        expect(brief(items)).to.deep.equal(PEOPLE);
        expect(items.map(({ position }) => position.byte)).to.deep.equal(file.starts.map((start) => 2 + 2 * start));
      });
    }

    it('rejects only the record with half a surrogate pair in UTF-16', async () => {
      const utf16 = Buffer.from(`\ufeff${write(WITH_PLACEHOLDER).text}`, 'utf16le');
      const at = utf16.indexOf(Buffer.from('PLACEHOLDER', 'utf16le'));
      utf16.writeUInt16LE(0xd800, at);
      const { items, error } = await read(format, pieces(utf16, 5));
      expect(error).to.equal(undefined);
      expect(items.map((item) => item.kind)).to.deep.equal(['record', 'rejected', 'record']);
      expect(items[1]).to.have.nested.property('error.code', 'invalid-encoding');
      expect(items[1])
        .to.have.nested.property('error.message')
        .that.includes(`byte ${at} `)
        .and.includes('not valid utf-16le');
    });

    it('has no records and no error for an empty file, a lone byte-order mark and white space', async () => {
      for (const nothing of ['', '\ufeff', ' ', '\r\n \n', '\n\n\n\n\n']) {
        expect(await values(format, nothing), JSON.stringify(nothing)).to.deep.equal([]);
      }
      expect(await values(format, gzipSync(''))).to.deep.equal([]);
    });

    it('has no records and no error for a well-formed file without records', async () => {
      const empty = format.read.startsWith('xml') ? '<users>\n</users>' : write([]).text;
      expect(await values(format, empty)).to.deep.equal([]);
    });

    it('decompresses gzip by content, cut anywhere, in several members', async () => {
      const half = Math.floor(bytes.length / 2);
      const members = Buffer.concat([gzipSync(bytes.subarray(0, half)), gzipSync(bytes.subarray(half))]);
      expect(await values(format, members)).to.deep.equal(PEOPLE);
      expect(await values(format, pieces(members, 1))).to.deep.equal(PEOPLE);
      expect(await values(format, Buffer.concat([members, Buffer.alloc(700)]))).to.deep.equal(PEOPLE);
    });

    it('fails for gzip that is cut off, damaged, or followed by something else', async () => {
      const packed = gzipSync(bytes);
      expect((await failureOf(format, packed.subarray(0, packed.length - 5))).code).to.equal('truncated-file');
      const broken = Buffer.from(packed);
      broken.writeUInt32LE(1, packed.length - 8);
      expect((await failureOf(format, broken)).code).to.equal('gzip-damaged');
      for (const tail of ['garbage', '\0\0\0garbage']) {
        const followed = Buffer.concat([packed, Buffer.from(tail)]);
        expect((await failureOf(format, followed)).code).to.equal('gzip-damaged');
        expect((await failureOf(format, pieces(followed, 1))).code).to.equal('gzip-damaged');
      }
    });

    it('fails for gzip out of proportion and for files beyond the cap', async () => {
      const many = Array.from({ length: 40_000 }, () => ({ username: 'anna', name: 'x'.repeat(50) }));
      const packed = gzipSync(write(many).text);
      expect((await failureOf(format, packed, { gzipRatio: 20 })).code).to.equal('gzip-bomb');
      expect((await failureOf(format, packed, { gzipRatio: 1e6, fileBytes: 100_000 })).code).to.equal('file-too-large');
    });

    it('rejects only the record with bytes that are invalid in the charset, and tells their offset', async () => {
      const { text } = write(WITH_PLACEHOLDER);
      const file = replaced(text, Buffer.from([0x41, 0xe9, 0x20]));
      for (const size of [1, 7, 100_000]) {
        const { items, error } = await read(format, pieces(file, size));
        expect(error).to.equal(undefined);
        expect(usernames(items)).to.deep.equal(['anna', 'bo', 'cem']);
        expect(items.map((item) => item.kind)).to.deep.equal(['record', 'rejected', 'record']);
        expect(items[1]).to.have.nested.property('error.code', 'invalid-encoding');
        expect(items[1])
          .to.have.nested.property('error.message')
          .that.includes(`byte ${file.indexOf(0xe9)} `);
        expect(items[1]?.value).to.not.have.property('name');
      }
    });

    it('rejects only the record with a null character', async () => {
      const { items, error } = await read(
        format,
        write([...PEOPLE, { username: 'nil', name: 'a\0b' }, ...PEOPLE]).text,
      );
      expect(error).to.equal(undefined);
      expect(items.map((item) => (item.kind === 'record' ? 'record' : item.error.code))).to.deep.equal([
        'record',
        'record',
        'record',
        'null-character',
        'record',
        'record',
        'record',
      ]);
      expect(items[3]?.value).to.deep.equal({ username: 'nil' });
    });

    it('rejects only the record that is too large, and reads on behind it', async () => {
      const big = replaced(write(WITH_PLACEHOLDER).text, Buffer.alloc(5000, 'line\r\n'.replace(/\s/g, ' ')));
      for (const size of [1, 64, 100_000]) {
        const { items, error } = await read(format, pieces(big, size), { recordBytes: 1000 });
        expect(error).to.equal(undefined);
        expect(items.map((item) => item.kind)).to.deep.equal(['record', 'rejected', 'record']);
        expect(items[1]).to.have.nested.property('error.code', 'record-too-large');
        // Attributes stand in one tag, of which the parser gives nothing before its end.
        if (format.read !== 'xml-attributes') expect(usernames(items)).to.deep.equal(['anna', 'bo', 'cem']);
      }
    });

    it('takes names of Object.prototype for plain data', async () => {
      const odd = Object.fromEntries([
        ['__proto__', 'p'],
        ['constructor', 'c'],
        ['toString', 't'],
      ]) as Fields;
      const { items } = await read(format, write([{ ...odd, username: 'x' }, odd]).text);
      const second = items[1]?.value ?? {};
      expect(Object.keys(second).sort()).to.deep.equal(['__proto__', 'constructor', 'toString'].sort());
      expect(Object.getOwnPropertyDescriptor(second, '__proto__')?.value).to.equal('p');
      expect(({} as Record<string, unknown>)['p']).to.equal(undefined);
    });

    it('closes the source when the consumer stops early', async () => {
      for (const contents of [Buffer.from(write(manyPeople(2000)).text), gzipSync(write(manyPeople(2000)).text)]) {
        const { state, bytes } = observed([...slices(contents, 1000)], true);
        for await (const batch of createReader(format, DEFAULT_LIMITS)(bytes, new AbortController().signal)) {
          expect(batch.length).to.be.greaterThan(0);
          break;
        }
        expect(state.closed).to.equal(1);
      }
    });

    it('stops at once and closes the source when the signal aborts, even if the source hangs', async () => {
      for (const contents of [bytes.subarray(0, 20), gzipSync(bytes).subarray(0, 20)]) {
        const { state, bytes: source } = observed([contents], true);
        const abort = new AbortController();
        const reading = endOf(format.read, source, abort.signal);
        setImmediate(() => abort.abort(new Error('enough')));
        expect(await reading).to.equal('enough');
        expect(state.closed).to.equal(1);
      }
    });

    it('does not start when the signal was aborted before', async () => {
      const { state, bytes: source } = observed([bytes], false);
      expect(await endOf(format.read, source, AbortSignal.abort(new Error('never')))).to.equal('never');
      expect(state.taken).to.equal(0);
    });

    it("gives what was read before the source's own error, and then that error", async () => {
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield bytes.subarray(0, Buffer.byteLength(file.text.slice(0, file.starts[2])));
        throw new Error('disk on fire');
      }
      const { items, error } = await read(format, failing());
      expect(error).to.have.property('message', 'disk on fire');
      expect(usernames(items)).to.deep.equal(['anna', 'bo']);
    });

    it('gives batches of at most 2,000 records', async () => {
      const reader = createReader(format, DEFAULT_LIMITS);
      const source = pieces(write(manyPeople(9000)).text, 1 << 22);
      const sizes: number[] = [];
      for await (const batch of reader(source, new AbortController().signal)) sizes.push(batch.length);
      expect(Math.max(...sizes)).to.be.at.most(2000);
      expect(sizes.reduce((sum, size) => sum + size)).to.equal(9000);
    });

    it('uses no more memory for many records than for few', async function () {
      this.timeout(60_000);
      const block = write(manyPeople(500));
      const first = Buffer.byteLength(block.text.slice(0, block.starts[0]));
      const last = Buffer.byteLength(block.text.slice(0, block.text.trimEnd().lastIndexOf('\n') + 1));
      const head = Buffer.from(block.text).subarray(0, first);
      // From the second record to before the last one, so that separators stand where they belong.
      const second = Buffer.byteLength(block.text.slice(0, block.starts[1]));
      const end = Buffer.byteLength(block.text.slice(0, block.starts[498]));
      const body = Buffer.from(block.text).subarray(second, end);
      expect(last).to.be.greaterThan(end - 1);
      async function* endless(): AsyncGenerator<Uint8Array> {
        yield head;
        for (let i = 0; i < 200; i++) yield body;
        yield Buffer.from(block.text).subarray(second);
      }
      const heaps: number[] = [];
      let records = 0;
      for await (const batch of createReader(format, DEFAULT_LIMITS)(endless(), new AbortController().signal)) {
        for (const item of batch) if (item.kind === 'record') records++;
        if (records > 20_000 && heaps.length === 0) heaps.push(heapAfterCollection());
        if (records > 95_000 && heaps.length === 1) heaps.push(heapAfterCollection());
      }
      expect(records).to.equal(200 * 497 + 499);
      expect((heaps[1] ?? Infinity) - (heaps[0] ?? 0)).to.be.lessThan(3 * 1024 * 1024);
    });
  });
}

function manyPeople(count: number): Fields[] {
  return Array.from({ length: count }, (_, index) => ({ username: `user${index}`, name: `Näme ${index}`, note: 'y' }));
}

function* slices(bytes: Buffer, size: number): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

/** The message that reading ends with. */
async function endOf(format: string, source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<string> {
  try {
    for await (const batch of createReader({ read: format }, DEFAULT_LIMITS)(source, signal))
      expect(batch).to.be.an('array');
    return 'no error';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}
