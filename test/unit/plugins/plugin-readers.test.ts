import { expect } from 'chai';
import { gzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../src/lib/package-root.js';
import { parseModel } from '../../../src/model/parse-model.js';
import { controlLanguage, type ControlLanguage } from '../../../src/plugins/control-language.js';
import { DEFAULT_LIMITS, type ReadItem, type ReadLimits } from '../../../src/readers/reader.js';
import type { FileFormat } from '../../../src/readers/registry.js';
import { validateControl } from '../../../src/sync/control.js';
import { caught, loaded } from './plugin-modules.js';

const model = parseModel(readFileSync(join(packageRoot(), 'config', 'model.json'), 'utf8'), 'the model');

/** A format with this code in its `read` function. */
async function languageWith(body: string): Promise<ControlLanguage> {
  const plugins = await loaded({
    testing: `
      const POSITION = { record: 1, line: 1, byte: 0 };
      const record = (value, position = POSITION) => ({ kind: 'record', position, value });
      export default { readers: { 'x-lines': {
        description: 'Lines.',
        options: [
          { name: 'sep', type: 'string', required: true, description: 'What separates.' },
          { name: 'charset', type: 'charset', description: 'The charset.' },
          { name: 'strict', type: 'boolean', description: 'Whether to be strict.' },
        ],
        read(options, limits, context) { ${body} },
      } } };`,
  });
  return controlLanguage(model, plugins);
}

interface Given {
  readonly bytes?: readonly Uint8Array[] | AsyncIterable<Uint8Array>;
  readonly format?: Partial<FileFormat>;
  readonly limits?: Partial<ReadLimits>;
  readonly signal?: AbortSignal;
}

async function read(body: string, given: Given = {}): Promise<ReadItem[]> {
  const language = await languageWith(body);
  const format = { read: 'x-lines', sep: ';', ...given.format };
  const reader = language.createReader(format, { ...DEFAULT_LIMITS, ...given.limits });
  const source = given.bytes ?? [];
  const bytes = Symbol.asyncIterator in source ? source : pieces(source);
  const items: ReadItem[] = [];
  for await (const batch of reader(bytes, given.signal ?? new AbortController().signal)) items.push(...batch);
  return items;
}

async function* pieces(all: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* all;
}

/** A reader that gives these items. */
function giving(items: string): string {
  return `return async function* (bytes) { for await (const piece of bytes); yield [${items}]; };`;
}

/** Gives what it was handed as one record. */
const ECHO = `
  const decoder = new TextDecoder(options.charset);
  return async function* (bytes, signal) {
    let text = '';
    for await (const piece of bytes) text += decoder.decode(piece, { stream: true });
    yield [record({ text, options: JSON.stringify(options), limit: String(limits.depth), aborted: String(signal.aborted) })];
  };`;

describe('readers of plugins', () => {
  it('get the options of the control file, the caps, and the bytes', async () => {
    const bytes = [Buffer.from('ab'), Buffer.from('c')];
    const [item] = await read(ECHO, { bytes, format: { strict: true, nonsense: 'x' } });
    expect(item?.value).to.deep.equal({
      text: 'abc',
      options: '{"sep":";","strict":true}',
      limit: '64',
      aborted: 'false',
    });
  });

  it('get charsets by a name that the platform knows', async () => {
    const [item] = await read(ECHO, { bytes: [Buffer.from([0xe9, 0x80])], format: { charset: 'Cp1252' } });
    expect(item?.value?.['text']).to.equal('é€');
  });

  it('get compressed files decompressed, under the caps for files', async () => {
    const [item] = await read(ECHO, { bytes: [gzipSync('hello')] });
    expect(item?.value?.['text']).to.equal('hello');
    const large = await caught(read(ECHO, { bytes: [gzipSync('x'.repeat(1000))], limits: { fileBytes: 100 } }));
    expect(large).to.include({ code: 'file-too-large' });
  });

  it('do not hide that a file is cut off, although they stop before or catch it', async () => {
    const bytes = [gzipSync('x'.repeat(100_000)).subarray(0, 60)];
    for (const body of [
      `return async function* (bytes) { yield [record({ a: 'b' })]; };`,
      `return async function* (bytes) { try { for await (const piece of bytes); } catch {} };`,
      `return async function* (bytes) { try { for await (const piece of bytes); } catch (e) { throw new Error('x'); } };`,
    ]) {
      expect(await caught(read(body, { bytes })), body).to.include({ code: 'truncated-file' });
    }
  });

  it('are told by their name and that of the plugin when they throw, without what the error says', async () => {
    for (const body of [
      `throw new TypeError('secret');`,
      `return () => { throw new TypeError('secret'); };`,
      `return async function* () { yield [record({ a: 'b' })]; throw new TypeError('secret'); };`,
    ]) {
      const error = await caught(read(body));
      expect(error, body).to.include({ code: 'reader-failed' });
      expect(error.message).to.match(/format x-lines of plugin testing failed: TypeError at .*testing\.mjs:\d+:\d+/);
      expect(error.message).to.not.include('secret');
    }
    expect(await caught(read(`return () => 5;`))).to.include({ code: 'reader-failed' });
    expect(await caught(read(`return async function* () { yield { a: 1 }; };`))).to.include({ code: 'reader-failed' });
  });

  it('say that a file cannot be read, with its place', async () => {
    const body = `return async function* () { context.fail('No end mark; send it again.', { line: 7 }); };`;
    const error = await caught(read(body));
    expect(error).to.include({ code: 'malformed-file', message: 'No end mark; send it again.' });
    expect(error.context).to.deep.equal({ line: 7 });
  });

  it('keep records, without the text that they say they were made of', async () => {
    const items = await read(giving(`{ ...record({ a: 'b', n: [1, { c: null }] }), raw: '{"forged":1}' }`));
    expect(items).to.deep.equal([
      { kind: 'record', position: { record: 1, line: 1, byte: 0 }, value: { a: 'b', n: [1, { c: null }] } },
    ]);
  });

  it('may reject records, by known codes or one for all plugins', async () => {
    const items = await read(
      giving(`
        { kind: 'rejected', position: POSITION, error: { code: 'invalid-encoding', message: 'Bad.', source: 'a' }, value: { id: 'x', list: [] } },
        { kind: 'rejected', position: POSITION, error: { code: 'my-own', message: 'Why\\0.' } },
        { kind: 'rejected', position: POSITION }`),
    );
    expect(items.map((item) => item.kind === 'rejected' && [item.error.code, item.error.message])).to.deep.equal([
      ['invalid-encoding', 'Bad.'],
      ['rejected-by-plugin', 'Why\u2400.'],
      ['rejected-by-plugin', 'A plugin rejected the record without saying why.'],
    ]);
    expect({ ...items[0]?.value }).to.deep.equal({ id: 'x' });
  });

  const bad: readonly (readonly [string, string, string])[] = [
    ['no object', `5`, 'invalid-record'],
    ['of no kind', `{ position: POSITION, value: {} }`, 'invalid-record'],
    ['without a value', `{ kind: 'record', position: POSITION }`, 'invalid-record'],
    ['whose value is a list', `record([1])`, 'invalid-record'],
    ['whose value is an instance of a class', `record(new Map())`, 'invalid-record'],
    ['with undefined', `record({ id: 'x', a: undefined })`, 'invalid-record'],
    ['with a date', `record({ id: 'x', a: { b: new Date(0) } })`, 'invalid-record'],
    ['with a function', `record({ id: 'x', a: () => 1 })`, 'invalid-record'],
    ['with a big integer', `record({ id: 'x', a: [1n] })`, 'invalid-record'],
    ['with a null character', `record({ id: 'x', a: 'b\\0' })`, 'null-character'],
    ['with half a character in a name', `record({ id: 'x', ['a\\ud800']: '' })`, 'null-character'],
    ['that is too deep', `record({ id: 'x', a: { b: { c: { d: 1 } } } })`, 'too-deep'],
    ['that contains itself', `(() => { const r = record({ id: 'x' }); r.value.r = r.value; return r; })()`, 'too-deep'],
    ['with too many names', `record({ id: 'x', a: { b: 1, c: 2, d: 3, e: 4, f: 5 } })`, 'too-many-keys'],
    ['that is too large', `record({ id: 'x', a: 'y'.repeat(5000) })`, 'record-too-large'],
  ];
  for (const [what, item, code] of bad) {
    it(`cannot break anything with a record ${what}: it is rejected`, async () => {
      const limits = { depth: 3, keys: 6, recordBytes: 4096 };
      const [first, second] = await read(giving(`${item}, record({ ok: 'yes' }, { record: 2, line: 2, byte: 9 })`), {
        limits,
      });
      expect(first?.kind === 'rejected' && first.error.code).to.equal(code);
      expect(first?.position).to.deep.equal({ record: 1, line: 1, byte: 0 });
      if (item.includes("id: 'x'")) expect(first?.value?.['id']).to.equal('x');
      expect(second).to.deep.include({ kind: 'record', position: { record: 2, line: 2, byte: 9 } });
    });
  }

  it('cannot break anything with positions: records are counted then', async () => {
    const items = await read(
      giving(
        `record({}, { record: -1, line: 1.5, byte: NaN }), record({}, null), record({}, { record: 2 ** 40, line: '3', byte: 5 })`,
      ),
    );
    expect(items.map(({ position }) => position)).to.deep.equal([
      { record: 1, line: 1, byte: 0 },
      { record: 2, line: 2, byte: 0 },
      { record: 3, line: 3, byte: 5 },
    ]);
  });

  it('are stopped by the signal, which counts more than what they make of it', async () => {
    const stop = new AbortController();
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('abcd');
      setImmediate(() => {
        stop.abort(new Error('stopped'));
      });
      await new Promise(() => undefined);
    }
    const body = `return async function* (bytes) { try { for await (const piece of bytes); } catch { throw new Error('own'); } };`;
    expect((await caught(read(body, { bytes: endless(), signal: stop.signal }))).message).to.equal('stopped');
  });

  it('are closed, and the file with them, when nobody wants more', async () => {
    let closed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.from('abcd');
      } finally {
        closed = true;
      }
    }
    const language = await languageWith(
      `return async function* (bytes) { for await (const piece of bytes) yield [record({})]; };`,
    );
    const reader = language.createReader({ read: 'x-lines', sep: ';' }, DEFAULT_LIMITS);
    for await (const batch of reader(source(), new AbortController().signal)) if (batch.length > 0) break;
    expect(closed).to.equal(true);
  });
});

describe('the check of control files', () => {
  function problems(language: ControlLanguage, file: object): string[] {
    const instructions = [{ source: 'u', destination: 'user', name: 'username' }];
    const control = { dataImportControlFileVersion: 0, model: 'haplo:user-sync', files: { users: file }, instructions };
    return validateControl(JSON.stringify(control), language).problems.map(({ code, pointer }) => `${code} ${pointer}`);
  }

  it('knows formats of plugins with their options', async () => {
    const language = await languageWith('');
    expect(problems(language, { read: 'x-lines', sep: '|', charset: 'latin1', strict: false })).to.deep.equal([]);
    expect(problems(language, { read: 'x-lines' })).to.deep.equal(['missing-key /files/users/sep']);
    expect(problems(language, { read: 'x-lines', sep: '', charset: 'nonsense', strict: 'yes', more: 1 })).to.deep.equal(
      [
        'invalid-option /files/users/sep',
        'unknown-charset /files/users/charset',
        'wrong-type /files/users/strict',
        'unknown-key /files/users/more',
      ],
    );
    expect(problems(controlLanguage(model), { read: 'x-lines' })).to.deep.equal(['unknown-reader /files/users/read']);
  });
});
