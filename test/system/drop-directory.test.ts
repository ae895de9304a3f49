import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { access, link, mkdir, open, readFile, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { Site, type Person } from '../support/cli.js';
import { crowd } from '../support/crowd.js';
import { eventually } from '../support/eventually.js';
import { RunningDaemon } from '../support/running-daemon.js';

const run = promisify(execFile);

const json = (batch: readonly Person[]): string => JSON.stringify(batch);

const tsv = (batch: readonly Person[]): string => {
  const names = Object.keys(crowd('', 1, '')[0]!);
  return [names, ...batch.map((one) => names.map((name) => one[name]))].map((row) => `${row.join('\t')}\n`).join('');
};

const xml = (batch: readonly Person[]): string => {
  const children = (one: Person): string =>
    Object.entries(one)
      .map(([name, value]) => `<${name}>${value}</${name}>`)
      .join('');
  return `<users>\n${batch.map((one) => `<user>${children(one)}</user>\n`).join('')}</users>\n`;
};

const FORMATS = { json: 'json', xml: 'xml-text-of-children', tsv: 'tsv-with-name-row' };

/** Each test has a feed of its own. The first run would be held; everything else is as a careful operator has it. */
const FEEDS: Readonly<Record<string, object>> = {
  nothing: {},
  'no-records': {},
  'no-children': { control: './xml.json' },
  'no-lines': { control: './tsv.json' },
  'cut-json': {},
  'cut-xml': { control: './xml.json' },
  'cut-tsv': { control: './tsv.json' },
  zeros: {},
  'null-character': { control: './tsv.json' },
  again: {},
  zipped: {},
  hostile: {},
  removed: {},
  waiting: { control: undefined },
  elsewhere: { dropDirectory: './variant' },
  restarted: {},
};

describe('files in the drop directory of a daemon', function () {
  this.timeout(60_000);

  let site: Site;
  let daemon: RunningDaemon;

  before(async () => {
    const feeds = Object.entries(FEEDS).map(([name, settings]) => {
      const usual = { control: './json.json', settleMs: 0, scanIntervalMs: 1000, guards: { 'first-run': 'off' } };
      return [name, { ...usual, ...settings }] as const;
    });
    site = await Site.open({ config: { feeds: { default: {}, ...Object.fromEntries(feeds) } } });
    const template = await site.control();
    for (const [name, read] of Object.entries(FORMATS)) {
      await site.write(`${name}.json`, JSON.stringify({ ...template, files: { users: { read } } }));
    }
    daemon = await RunningDaemon.start(site, Object.keys(FEEDS));
    // On duty first, then the directories are made.
    for (const [feed, settings] of Object.entries(FEEDS)) {
      if ('dropDirectory' in settings) continue;
      await eventually(`the drop directory of ${feed}`, async () => {
        const isThere = await access(pathOf(feed)).then(
          () => true,
          () => false,
        );
        return isThere || undefined;
      });
    }
  });

  after(async () => {
    await daemon?.[Symbol.asyncDispose]();
    await site?.[Symbol.asyncDispose]();
  });

  const pathOf = (feed: string, name = ''): string => join(site.folder, 'var', 'drop', feed, name);

  const left = async (feed: string): Promise<string[]> => (await readdir(pathOf(feed))).sort();

  /** Puts a whole file into place, as a careful sender does. */
  async function drop(feed: string, name: string, content: string | Uint8Array): Promise<void> {
    const unfinished = pathOf(feed, `.${name}`);
    await writeFile(unfinished, content);
    await rename(unfinished, pathOf(feed, name));
  }

  async function expectPeople(feed: string, batch: readonly Person[]): Promise<void> {
    const seen = await site.query(`
      select username as "USERNAME", profile #>> '{std:attribute:job-title,0,value}' as "JOB_TITLE"
      from directory.users where feed = '${feed}' and is_active and in_feed`);
    expect(seen).to.have.deep.members(batch.map(({ USERNAME, JOB_TITLE }) => ({ USERNAME, JOB_TITLE })));
  }

  /** A first batch that is applied. */
  async function begin(feed: string, batch: readonly Person[], write: (batch: readonly Person[]) => string = json) {
    await drop(feed, 'users', write(batch));
    expect(await daemon.runEnds(1, feed), feed).to.include({ status: 'complete', outcome: 'applied' });
    await expectPeople(feed, batch);
  }

  for (const [feed, what, write, empty] of [
    ['nothing', 'no bytes', json, ''],
    ['no-records', 'an empty array', json, '[]'],
    ['no-children', 'a root without children', xml, '<users></users>'],
    ['no-lines', 'a header alone', tsv, tsv([])],
  ] as const) {
    it(`with ${what} are held as an empty batch, and nobody is blocked`, async () => {
      const batch = crowd(feed, 10, 'before');
      await begin(feed, batch, write);
      await drop(feed, 'users', empty);
      const held = await daemon.runEnds(2, feed);
      expect(held.status).to.equal('held');
      expect(held.breached).to.include('empty');
      await expectPeople(feed, batch);
    });
  }

  for (const [feed, write, end] of [
    ['cut-json', json, ']'],
    ['cut-xml', xml, '</users>\n'],
  ] as const) {
    it(`that were cut off fail with the place, wherever it was, and change nothing: ${feed}`, async () => {
      const before = crowd(feed, 10, 'before');
      await begin(feed, before, write);
      const whole = write(crowd(feed, 10, 'after'));
      for (const [index, length] of [whole.length - end.length, whole.length / 2, 20].entries()) {
        await drop(feed, 'users', whole.slice(0, length));
        const failed = await daemon.runEnds(index + 2, feed);
        expect(failed).to.include({ status: 'failed', failureCode: 'truncated-file' });
        expect(failed.failureMessage).to.match(/^users: .*(record|line) \d+|^users: .*root's end/);
      }
      await expectPeople(feed, before);
    });
  }

  it('that were cut off at the end of a line are held by the guards, and not even taken beside a sidecar', async () => {
    const before = crowd('cut-tsv', 100, 'before');
    await begin('cut-tsv', before, tsv);
    const whole = tsv(crowd('cut-tsv', 100, 'before').concat(crowd('cut-tsv-more', 5, 'before')));
    const part = whole.split('\n').slice(0, 61).join('\n') + '\n';
    await drop('cut-tsv', 'users', part);
    const held = await daemon.runEnds(2, 'cut-tsv');
    expect(held.status).to.equal('held');
    expect(held.breached).to.include.members(['blocked', 'file-size', 'record-count']);
    await expectPeople('cut-tsv', before);

    await drop('cut-tsv', 'users.sha256', createHash('sha256').update(whole).digest('hex'));
    await drop('cut-tsv', 'users', part);
    // What comes later is taken sooner.
    await drop('cut-tsv', 'probe', '');
    await daemon.quarantines(1, 'cut-tsv');
    expect(await left('cut-tsv')).to.deep.equal(['users', 'users.sha256']);
    expect(await daemon.runs('cut-tsv')).to.have.length(2);
    await drop('cut-tsv', 'users', whole);
    const [, superseded, ended] = await daemon.runsEnd(3, 'cut-tsv');
    expect([superseded!.status, ended!.status]).to.deep.equal(['cancelled', 'complete']);
    expect(ended!.counts).to.include({ records: 105, added: 5, unchanged: 100 });
  });

  it('with zeros where there should be text, as after a crash of the sender, fail and change nothing', async () => {
    const before = crowd('zeros', 10, 'before');
    await begin('zeros', before);
    const whole = Buffer.from(json(crowd('zeros', 10, 'after')));
    const withHole = Buffer.from(whole).fill(0, 300, 900);
    for (const [index, content] of [Buffer.concat([whole, Buffer.alloc(4096)]), withHole].entries()) {
      await drop('zeros', 'users', content);
      const failed = await daemon.runEnds(index + 2, 'zeros');
      expect(failed.status).to.equal('failed');
      expect(failed.failureCode).to.be.oneOf(['malformed-file', 'trailing-data']);
      expect(failed.failureMessage).to.match(/^users: \S/);
    }
    // All of it a hole: the size was set, and nothing was written.
    const sparse = await open(pathOf('zeros', '.users'), 'w');
    await sparse.truncate(64 * 1024 * 1024);
    await sparse.close();
    await rename(pathOf('zeros', '.users'), pathOf('zeros', 'users'));
    expect((await daemon.runEnds(4, 'zeros')).status).to.equal('failed');
    await expectPeople('zeros', before);
  });

  it('with a null character lose the record that has it, whose user stays, and no other', async () => {
    const before = crowd('null-character', 10, 'before');
    await begin('null-character', before, tsv);
    const after = crowd('null-character', 10, 'after');
    await drop('null-character', 'users', tsv(after).replace('First3\t', 'Fir\0t3\t'));
    const ended = await daemon.runEnds(2, 'null-character');
    expect(ended.status).to.equal('complete');
    expect(ended.counts).to.include({ records: 10, updated: 9, rejected: 1, blocked: 0 });
    await expectPeople('null-character', [...after.slice(0, 2), before[2]!, ...after.slice(3)]);
  });

  it('with the same bytes under a new name are nothing new, and with new bytes under the same name are', async () => {
    const batch = crowd('again', 10, 'before');
    await begin('again', batch);
    await drop('again', 'users.2026-11-22.json', json(batch));
    expect(await daemon.runEnds(2, 'again')).to.deep.include({
      status: 'complete',
      outcome: 'nothing-new',
      files: ['users.2026-11-22.json'],
    });
    await drop('again', 'users.2026-11-22.json', json(crowd('again', 10, 'after')));
    expect(await daemon.runEnds(3, 'again')).to.include({ status: 'complete', outcome: 'applied' });
    await expectPeople('again', crowd('again', 10, 'after'));
  });

  it('that are gzip may have several members, and fail when cut off, damaged or out of proportion', async () => {
    const before = crowd('zipped', 10, 'before');
    const text = json(before);
    await drop('zipped', 'users.json.gz', Buffer.concat([gzipSync(text.slice(0, 500)), gzipSync(text.slice(500))]));
    expect((await daemon.runEnds(1, 'zipped')).status).to.equal('complete');
    await expectPeople('zipped', before);
    const zipped = gzipSync(json(crowd('zipped', 10, 'after')));
    const damaged = Buffer.from(zipped);
    damaged.writeUInt32LE(0, damaged.length - 8);
    for (const [index, [content, code]] of (
      [
        [zipped.subarray(0, zipped.length / 2), 'truncated-file'],
        [damaged, 'gzip-damaged'],
        [gzipSync(`[${' '.repeat(50_000_000)}]`), 'gzip-bomb'],
      ] as const
    ).entries()) {
      await drop('zipped', 'users.json.gz', content);
      expect(await daemon.runEnds(index + 2, 'zipped'), code).to.include({ status: 'failed', failureCode: code });
    }
    await expectPeople('zipped', before);
  });

  it('that are no files, or have impossible names, are set aside or left, and hold nothing up', async () => {
    const secret = join(site.folder, 'secret.json');
    await writeFile(secret, json(crowd('hostile', 10, 'secret')));
    const socket = createServer().listen(pathOf('hostile', 'socket'));
    await once(socket, 'listening');
    await symlink(secret, pathOf('hostile', 'users.link.json'));
    await link(secret, pathOf('hostile', 'users.hard.json'));
    for (let index = 0; index < 5; index += 1) await run('mkfifo', [pathOf('hostile', `users.${index}.json`)]);
    await mkdir(pathOf('hostile', 'users.json'));
    const badNames = ['users\n{"level":"error"}.json', 'users\u001b[2J.json', '<b>users.json'];
    for (const name of badNames) await writeFile(pathOf('hostile', name), '[]');
    await writeFile(Buffer.concat([Buffer.from(pathOf('hostile', 'users.')), Buffer.from([0xff, 0xfe])]), '[]');
    const batch = crowd('hostile', 10, 'good');
    await drop('hostile', 'users.good.json', json(batch));

    const ended = await daemon.runEnds(1, 'hostile');
    expect(ended).to.deep.include({ status: 'complete', files: ['users.good.json'] });
    await expectPeople('hostile', batch);
    const records = await daemon.quarantines(12, 'hostile');
    const reasons = Object.fromEntries(records.map(({ originalFilename, reason }) => [originalFilename, reason]));
    expect(reasons).to.deep.equal({
      socket: 'special-file',
      'users.link.json': 'link',
      'users.hard.json': 'hard-link',
      ...Object.fromEntries(Array.from({ length: 5 }, (_, index) => [`users.${index}.json`, 'special-file'])),
      'users\\u000a{"level":"error"}.json': 'bad-name',
      'users\\u001b[2J.json': 'bad-name',
      '<b>users.json': 'bad-name',
      'users.\\xff\\xfe': 'bad-name',
    });
    expect(await left('hostile')).to.deep.equal(['users.json']);
    expect(await readFile(secret, 'utf8')).to.include('secret');
    socket.close();
    const messages = daemon.log.filter(({ feed }) => feed === 'hostile').map(({ message }) => message);
    expect(messages.filter((message) => message.includes('\n') || message.includes('\u001b'))).to.deep.equal([]);
  });

  it('are found again when the directory was removed and made anew', async () => {
    const batch = crowd('removed', 10, 'before');
    await begin('removed', batch);
    await rm(pathOf('removed'), { recursive: true });
    await daemon.logged(/^The drop directory .* cannot be looked through: it is not there/, 'removed');
    await mkdir(pathOf('removed'));
    await drop('removed', 'users', json(crowd('removed', 10, 'after')));
    expect((await daemon.runEnds(2, 'removed')).status).to.equal('complete');
    await expectPeople('removed', crowd('removed', 10, 'after'));
  });

  it('wait for a control file, which is said once, and for each other, until a control file lists no more', async () => {
    const control = JSON.parse(await readFile(join(site.folder, 'json.json'), 'utf8')) as object;
    const batch = crowd('waiting', 10, 'first');
    await drop('waiting', 'users', json(batch));
    const isWaiting = /^The file users waits: the feed has no control file yet/;
    await daemon.logged(isWaiting, 'waiting');
    const files = { users: { read: 'json' }, others: { read: 'json' } };
    await drop('waiting', '_control.json', JSON.stringify({ ...control, files }));
    await daemon.logged(/^Received users; .* still missing: others/, 'waiting');
    const waits = daemon.log.filter(({ feed, message }) => feed === 'waiting' && isWaiting.test(message));
    expect(waits).to.have.length(1);
    expect((await daemon.runs('waiting')).map(({ status }) => status)).to.deep.equal(['uploading']);
    await drop('waiting', '_control.json', JSON.stringify(control));
    expect(await daemon.runEnds(1, 'waiting')).to.deep.include({ status: 'complete', files: ['users'] });
    await expectPeople('waiting', batch);
  });

  it('are not looked for in a directory that the daemon made itself, where a mount may be missing', async () => {
    await daemon.logged(/^The drop directory .* cannot be looked through: it is not there/, 'elsewhere');
    const isThere = await access(join(site.folder, 'variant')).then(
      () => true,
      () => false,
    );
    expect(isThere).to.equal(false);
  });

  it('are taken in when they came while no daemon was there', async () => {
    await daemon.stop();
    const batch = crowd('restarted', 10, 'restarted');
    await drop('restarted', 'users', json(batch));
    daemon = await RunningDaemon.start(site, ['restarted']);
    expect((await daemon.runEnds(1, 'restarted')).status).to.equal('complete');
    await expectPeople('restarted', batch);
    await eventually('an empty directory', async () => (await left('restarted')).length === 0 || undefined);
  });
});
