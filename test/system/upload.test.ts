import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { Site, people } from '../support/cli.js';
import { RunningDaemon } from '../support/running-daemon.js';

const run = promisify(execFile);

/** Megabytes of the large upload; UPLOAD_MIB asks for more. */
const LARGE_MIB = Number(process.env['UPLOAD_MIB'] ?? 256);

describe('uploads with curl', function () {
  this.timeout(120_000);

  let site: Site;
  let daemon: RunningDaemon;
  let origin: string;
  let key: string;

  beforeEach(async () => {
    site = await Site.open({ feed: { guards: 'off', settleMs: 0, scanIntervalMs: 100 } });
    daemon = await RunningDaemon.start(site);
    origin = (await daemon.logged(/^Listening/, null)).origin ?? '';
    const { stdout } = await site.call('keys', 'create', '--name', 'HR', '--json');
    key = (JSON.parse(stdout) as { secret: string }).secret;
  });

  afterEach(async () => {
    await daemon[Symbol.asyncDispose]();
    await site[Symbol.asyncDispose]();
  });

  it('send a batch, plain or compressed, and start it in each of the three forms', async () => {
    await writeFile(join(site.folder, 'users.json'), JSON.stringify(people(20)));
    const uploaded = JSON.parse((await upload('users.json')).body) as Record<string, unknown>;
    expect(uploaded).to.have.all.keys('digest', 'fileSize', 'filename');
    expect(uploaded['filename']).to.equal('users.json');
    const again = await upload('users.json');
    expect([again.status, again.body]).to.deep.equal(['400', again.body]);
    expect(again.body).to.match(/already/);
    const started = await curl('-X', 'POST', `${origin}/api/haplo-user-sync/start-sync/json`);
    expect(JSON.parse(started.body)).to.include({ error: false });
    expect((await daemon.runEnds(1)).counts).to.include({ added: 20 });
    await writeFile(join(site.folder, 'users.json.gz'), gzipSync(JSON.stringify(people(21))));
    await upload('users.json.gz', 'file-first');
    const xml = await curl('-X', 'POST', `${origin}/api/haplo-user-sync/start-sync/xml`);
    expect(xml.body).to.match(/^<\?xml [^]*<response><sync error="false" status="queued-for-apply">/);
    expect((await daemon.runEnds(2)).counts).to.include({ added: 1, unchanged: 20 });
    const plain = await curl('-X', 'POST', `${origin}/api/haplo-user-sync/start-sync`);
    expect([plain.status, plain.body.startsWith('missing-files')]).to.deep.equal(['400', true]);
  });

  it('are all answered, a hundred at once with as many looks at the status, while a batch is applied', async () => {
    await site.administer(
      `create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(0.01); return new; end $$;
       create trigger slow before insert on directory.account for each row execute function slow()`,
    );
    await writeFile(join(site.folder, 'users.json'), JSON.stringify(people(300)));
    await upload('users.json');
    await curl('-X', 'POST', `${origin}/api/haplo-user-sync/start-sync`);
    await daemon.logged(/^The run is applying/);
    await writeFile(join(site.folder, 'next.json'), JSON.stringify(people(301)));
    const uploads = Array.from({ length: 50 }, () => upload('next.json'));
    const looks = Array.from({ length: 50 }, async () => (await fetch(new URL('/status', origin))).status);
    const pages = Array.from({ length: 50 }, async () => (await fetch(new URL('/sign-in', origin))).status);
    const statuses = (await Promise.all(uploads)).map(({ status }) => status).sort();
    // One is the first; the others are told that the file has come already.
    expect(statuses).to.deep.equal(['200', ...Array.from({ length: 49 }, () => '400')]);
    expect(new Set(await Promise.all([...looks, ...pages]))).to.deep.equal(new Set([200]));
    await curl('-X', 'POST', `${origin}/api/haplo-user-sync/start-sync`);
    const [first, second] = await daemon.runsEnd(2);
    expect(first!.counts).to.include({ added: 300 });
    expect(second!.counts).to.include({ added: 1, unchanged: 300 });
  });

  it(`stream ${LARGE_MIB} MiB to the store without more memory`, async () => {
    const file = createWriteStream(join(site.folder, 'large.json'));
    const piece = Buffer.alloc(1024 ** 2, ' ');
    for (let written = 0; written < LARGE_MIB; written++) if (!file.write(piece)) await once(file, 'drain');
    file.end('[]');
    await once(file, 'close');
    await writeFile(join(site.folder, 'users.json'), '[]');
    const before = await peakMib();
    const { status, body } = await upload('large.json');
    expect(status, body).to.equal('200');
    expect((JSON.parse(body) as { fileSize: number }).fileSize).to.equal(LARGE_MIB * 1024 ** 2 + 2);
    const grown = (await peakMib()) - before;
    console.log(`      peak memory of the process: ${before} MiB before, ${before + grown} MiB after`);
    expect(grown).to.be.lessThan(64);
  });

  it('are refused without a key, with a wrong one, and for another feed, and leave nothing behind', async () => {
    await writeFile(join(site.folder, 'users.json'), '[]');
    const form = ['-F', 'name=users', '-F', `file=@${join(site.folder, 'users.json')}`];
    const url = `${origin}/api/haplo-user-sync/upload-file`;
    const none = await run('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', ...form, url]);
    expect(none.stdout).to.equal('401');
    const wrong = await run('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', '-u', 'haplo:wrong', ...form, url]);
    expect(wrong.stdout).to.equal('401');
    expect(await site.query('select from sync.run')).to.have.length(0);
  });

  /** As upload scripts call it: basic authentication, and the fields in either order. */
  async function upload(file: string, order: 'name-first' | 'file-first' = 'name-first'): Promise<Answer> {
    const fields = [
      ['-F', 'name=users'],
      ['-F', `file=@${join(site.folder, file)}`],
    ];
    if (order === 'file-first') fields.reverse();
    return curl(...fields.flat(), `${origin}/api/haplo-user-sync/upload-file`);
  }

  async function curl(...args: string[]): Promise<Answer> {
    const { stdout } = await run('curl', ['-s', '-w', '\n%{http_code}', '-u', `haplo:${key}`, ...args]);
    const at = stdout.lastIndexOf('\n');
    return { body: stdout.slice(0, at), status: stdout.slice(at + 1) };
  }

  async function peakMib(): Promise<number> {
    const status = await readFile(`/proc/${daemon.pid}/status`, 'utf8');
    return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
  }
});

interface Answer {
  readonly status: string;
  readonly body: string;
}
