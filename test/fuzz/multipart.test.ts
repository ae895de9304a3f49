import { expect } from 'chai';
import fc from 'fast-check';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { packageRoot } from '../../src/lib/package-root.js';
import { record } from '../support/daemon-site.js';
import { eventually } from '../support/eventually.js';
import { HttpSite } from '../support/http-site.js';
import { API, basic, storedFiles, Uploader, type Answer } from '../support/upload.js';
import { cut } from '../unit/readers/reading.js';
import { fuzz, FUZZ_TIMEOUT_MS } from './fuzzing.js';
import { asItIs, mutations, nastyBytes, pieceSizes, shown } from './mutations.js';

const MAX_CASE_MS = 5000;
const FILE_BYTES = 3000;
/** What a script may be told of an upload. */
const STATUSES = [200, 400, 413];
const TYPES = /^(?:text\/plain|application\/json); charset=utf-8$/;
/** Stacks, names of our files, or of the folders that they are in. */
const TELLS_TOO_MUCH = /\n\s+at |node_modules|\.js:\d|\.ts:\d|\/(?:dist|tmp|var|src)\//;

const TOKENS = [
  ...['\r\n', '\n', '\r\n\r\n', '--b', '--b--', '\r\n--b\r\n', '\r\n--b--\r\n', '--', 'b', ';', '"', '\\"', '=', ': '],
  ...['content-disposition: form-data; name="name"', 'content-disposition: form-data; name="file"; filename="x"'],
  ...['name="__proto__"', 'filename=', "filename*=utf-8''%ff%00", 'filename="../../etc/passwd"', 'name="name"'],
  ...['content-transfer-encoding: base64\r\n', 'content-type: text/html; charset=utf-7\r\n', 'content-length: 99\r\n'],
  ...['x'.repeat(FILE_BYTES), 'a: b\r\n'.repeat(300)],
].map((token) => Buffer.from(token));

const CONTENT_TYPES = [
  ...Array<string>(8).fill('multipart/form-data; boundary=b'),
  ...[
    'multipart/form-data; boundary="b"',
    'multipart/form-data;boundary=b;charset=x',
    'multipart/form-data; boundary=',
  ],
  ...['multipart/form-data', `multipart/form-data; boundary=${'b'.repeat(500)}`, 'multipart/mixed; boundary=b'],
  ...[
    'application/json',
    'text/plain',
    'application/x-www-form-urlencoded',
    '',
    'multipart/form-data; boundary=b\\"\xe9',
  ],
];

const control = readFileSync(join(packageRoot(), 'config', 'examples', 'control.json'), 'utf8');
const names = fc.constantFrom('users', 'users', 'users', 'people', '_control', '../users', '', 'ü', 'u'.repeat(1200));
const contents = fc.constantFrom(JSON.stringify([record('ada')]), '[]', '', control, '--b', '\r\n--');
const filenames = fc.constantFrom(
  'users.json',
  'a"b',
  '',
  '..\\x',
  'é漢.json',
  `${'n'.repeat(400)}.json`,
  '\u001b[31m\u0007',
);

const part: fc.Arbitrary<string> = fc.oneof(
  names.map((name) => `content-disposition: form-data; name="name"\r\n\r\n${name}`),
  fc
    .tuple(fc.constantFrom('file', 'file', 'file', 'upload', 'name'), filenames, contents)
    .map(
      ([field, filename, content]) =>
        `content-disposition: form-data; name="${field}"; filename="${filename}"\r\ncontent-type: application/json\r\n\r\n${content}`,
    ),
);

/** Mostly what an upload is: a name and a file. */
const form = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(part, part) },
  { weight: 1, arbitrary: fc.array(part, { maxLength: 30 }) },
);
const body = form.map((parts) => Buffer.from(`${parts.map((one) => `--b\r\n${one}\r\n`).join('')}--b--\r\n`));
const noise = fc.array(nastyBytes, { maxLength: 40 }).map((parts) => Buffer.concat(parts));
const tokens = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...TOKENS) }, { weight: 1, arbitrary: nastyBytes });

interface Case {
  readonly type: string;
  readonly bytes: Buffer;
  readonly sizes: readonly number[];
  /** The sender goes away at the end, as if more were to come. */
  readonly breaksOff: boolean;
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    type: fc.constantFrom(...CONTENT_TYPES),
    body: fc.oneof({ weight: 6, arbitrary: body }, { weight: 1, arbitrary: noise }),
    mutate: fc.option(mutations({ others: body, tokens, most: 3 }), { nil: asItIs, freq: 3 }),
    sizes: pieceSizes,
    breaksOff: fc.integer({ min: 0, max: 9 }).map((number) => number === 0),
  })
  .map(({ type, body, mutate, sizes, breaksOff }) => {
    const bytes = mutate(body);
    const how = `${type}, in pieces of ${sizes.join()}${breaksOff ? ', breaking off' : ''}`;
    return Object.assign({ type, bytes, sizes, breaksOff }, { [fc.toStringMethod]: () => `${how}: ${shown(bytes)}` });
  });

/** Undefined: the sender went away. */
async function send(http: HttpSite, secret: string, one: Case, number: number): Promise<Answer | undefined> {
  const headers = {
    ...basic(secret),
    'content-type': one.type,
    // Each from an address of its own, of which none asks too often.
    'x-forwarded-for': `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`,
  };
  const url = new URL(`${API}/upload-file`, http.origin);
  const upload = request(url, { method: 'POST', agent: false, headers: headers });
  const answered = new Promise<IncomingMessage | undefined>((resolve) => {
    upload.once('response', resolve);
    upload.on('error', () => resolve(undefined));
  });
  for await (const piece of cut(one.bytes, one.sizes)) upload.write(piece);
  if (one.breaksOff) {
    upload.destroy();
    return undefined;
  }
  upload.end();
  const response = await answered;
  if (response === undefined) throw new Error('the connection ended without an answer');
  const text = await textOf(response);
  return { status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text };
}

/** Connections to a port that are open on our side; undefined where the system does not tell. */
function connectionsTo(origin: string): number | undefined {
  const port = Number(new URL(origin).port).toString(16).toUpperCase().padStart(4, '0');
  const tables = ['/proc/self/net/tcp', '/proc/self/net/tcp6'].filter((path) => existsSync(path));
  if (tables.length === 0) return undefined;
  const lines = tables.flatMap((path) => readFileSync(path, 'latin1').split('\n').slice(1));
  const [established, closeWait] = ['01', '08'];
  return lines.filter((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    return local?.endsWith(`:${port}`) === true && (state === established || state === closeWait);
  }).length;
}

/** Files below a folder that this process has open. */
function openFiles(folder: string): string[] {
  if (!existsSync('/proc/self/fd')) return [];
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const path = readlinkSync(join('/proc/self/fd', descriptor));
      return path.startsWith(join(folder, 'var', 'store')) ? [path] : [];
    } catch {
      return [];
    }
  });
}

describe('The upload API, whatever form is sent', function () {
  this.timeout(FUZZ_TIMEOUT_MS);

  it('answers in a few words, keeps nothing of what it refuses, and lets go of everything', async () => {
    await using http = await HttpSite.open({}, { trustProxy: true }, { more: { limits: { fileBytes: FILE_BYTES } } });
    const { secret } = await http.key('upload');
    const kept = new Set<string>();
    const seen = { taken: 0, refused: 0, broken: 0 };
    let number = 0;
    const { database } = http.app;
    const begun = (): Promise<unknown[]> => database.query(`select from sync.run where status <> 'cancelled'`);
    // What is uploaded next begins another batch.
    const endBatch = (): Promise<unknown[]> => database.query(`update sync.run set status = 'cancelled'`);
    const strangers = async (): Promise<string[]> =>
      (await storedFiles(http.site.path)).filter((name) => !kept.has(name));
    await fuzz('multipart bodies', { atLeast: 50 }, cases, async (one) => {
      const start = performance.now();
      const answer = await send(http, secret, one, number++);
      expect(performance.now() - start, 'milliseconds').to.be.lessThan(MAX_CASE_MS);
      if (answer === undefined) {
        // All that matters may have come before.
        await eventually('nothing is kept but what is used', async () => {
          for (const { digest } of await database.query<{ digest: string }>('select digest from sync.run_file'))
            kept.add(digest);
          return (await strangers()).length === 0 || undefined;
        });
        await endBatch();
        seen.broken++;
        return;
      }
      const { status, type, text } = answer;
      expect(STATUSES, text).to.include(status);
      expect(type).to.match(TYPES);
      expect(text).not.to.match(TELLS_TOO_MUCH);
      if (status === 200) {
        kept.add((JSON.parse(text) as { digest: string }).digest);
        await endBatch();
        seen.taken++;
      } else seen.refused++;
      expect(await begun(), 'batches begun').to.deep.equal([]);
      expect(await strangers()).to.deep.equal([]);
    });
    const uploader = new Uploader(http, { ...basic(secret), connection: 'close' });
    expect((await uploader.file('users', '[]')).status).to.equal(200);
    await eventually('connections end', async () => ((connectionsTo(http.origin) ?? 0) === 0 ? true : undefined));
    expect(openFiles(http.site.path)).to.deep.equal([]);
    expect(http.log.entries.filter(({ level }) => level === 'error')).to.deep.equal([]);
    for (const [what, count] of Object.entries(seen)) expect(count, what).to.be.greaterThan(2);
  });
});
