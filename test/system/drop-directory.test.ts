import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { access, link, mkdir, open, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { BatchFormat } from '../support/batch-formats.js';
import { crowd } from '../support/crowd.js';
import { eventually } from '../support/eventually.js';
import { FeedsSite } from '../support/feeds-site.js';
import { RunningDaemon } from '../support/running-daemon.js';

const run = promisify(execFile);

const { JSON: JSON_ARRAY, TSV, XML } = BatchFormat;

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

  let feeds: FeedsSite;

  before(async () => {
    const settings = Object.entries(FEEDS).map(([name, own]) => [name, { control: './json.json', ...own }] as const);
    feeds = await FeedsSite.open(Object.fromEntries(settings), {
      formats: { json: { read: JSON_ARRAY.read }, tsv: { read: TSV.read }, xml: { read: XML.read } },
    });
  });

  after(() => feeds?.[Symbol.asyncDispose]());

  for (const [feed, what, format, empty] of [
    ['nothing', 'no bytes', JSON_ARRAY, ''],
    ['no-records', 'an empty array', JSON_ARRAY, '[]'],
    ['no-children', 'a root without children', XML, '<users></users>'],
    ['no-lines', 'a header alone', TSV, TSV.write([])],
  ] as const) {
    it(`with ${what} are held as an empty batch, and nobody is blocked`, async () => {
      const batch = crowd(feed, 10, 'before');
      await feeds.begin(feed, batch, format);
      await feeds.drop(feed, 'users', empty);
      const held = await feeds.daemon.runEnds(2, feed);
      expect(held.status).to.equal('held');
      expect(held.breached).to.include('empty');
      await feeds.expectPeople(feed, batch);
    });
  }

  for (const [feed, format, end] of [
    ['cut-json', JSON_ARRAY, ']'],
    ['cut-xml', XML, '</users>\n'],
  ] as const) {
    it(`that were cut off fail with the place, wherever it was, and change nothing: ${feed}`, async () => {
      const before = crowd(feed, 10, 'before');
      await feeds.begin(feed, before, format);
      const whole = format.write(crowd(feed, 10, 'after'));
      for (const [index, length] of [whole.length - end.length, whole.length / 2, 20].entries()) {
        await feeds.drop(feed, 'users', whole.slice(0, length));
        const failed = await feeds.daemon.runEnds(index + 2, feed);
        expect(failed).to.include({ status: 'failed', failureCode: 'truncated-file' });
        expect(failed.failureMessage).to.match(/^users: .*(record|line) \d+|^users: .*root's end/);
      }
      await feeds.expectPeople(feed, before);
    });
  }

  it('that were cut off at the end of a line are held by the guards, and not even taken beside a sidecar', async () => {
    const before = crowd('cut-tsv', 100, 'before');
    await feeds.begin('cut-tsv', before, TSV);
    const whole = TSV.write(crowd('cut-tsv', 100, 'before').concat(crowd('cut-tsv-more', 5, 'before')));
    const part = whole.split('\n').slice(0, 61).join('\n') + '\n';
    await feeds.drop('cut-tsv', 'users', part);
    const held = await feeds.daemon.runEnds(2, 'cut-tsv');
    expect(held.status).to.equal('held');
    expect(held.breached).to.include.members(['blocked', 'file-size', 'record-count']);
    await feeds.expectPeople('cut-tsv', before);

    await feeds.drop('cut-tsv', 'users.sha256', createHash('sha256').update(whole).digest('hex'));
    await feeds.drop('cut-tsv', 'users', part);
    // What comes later is taken sooner.
    await feeds.drop('cut-tsv', 'probe', '');
    await feeds.daemon.quarantines(1, 'cut-tsv');
    expect(await feeds.left('cut-tsv')).to.deep.equal(['users', 'users.sha256']);
    expect(await feeds.daemon.runs('cut-tsv')).to.have.length(2);
    await feeds.drop('cut-tsv', 'users', whole);
    const [, superseded, ended] = await feeds.daemon.runsEnd(3, 'cut-tsv');
    expect([superseded!.status, ended!.status]).to.deep.equal(['cancelled', 'complete']);
    expect(ended!.counts).to.include({ records: 105, added: 5, unchanged: 100 });
  });

  it('with zeros where there should be text, as after a crash of the sender, fail and change nothing', async () => {
    const before = crowd('zeros', 10, 'before');
    await feeds.begin('zeros', before);
    const whole = Buffer.from(JSON_ARRAY.write(crowd('zeros', 10, 'after')));
    const withHole = Buffer.from(whole).fill(0, 300, 900);
    for (const [index, content] of [Buffer.concat([whole, Buffer.alloc(4096)]), withHole].entries()) {
      await feeds.drop('zeros', 'users', content);
      const failed = await feeds.daemon.runEnds(index + 2, 'zeros');
      expect(failed.status).to.equal('failed');
      expect(failed.failureCode).to.be.oneOf(['malformed-file', 'trailing-data']);
      expect(failed.failureMessage).to.match(/^users: \S/);
    }
    // All of it a hole: the size was set, and nothing was written.
    const sparse = await open(feeds.pathOf('zeros', '.users'), 'w');
    await sparse.truncate(64 * 1024 * 1024);
    await sparse.close();
    expect((await feeds.takeWritten('zeros')).status).to.equal('failed');
    await feeds.expectPeople('zeros', before);
  });

  it('with a null character lose the record that has it, whose user stays, and no other', async () => {
    const before = crowd('null-character', 10, 'before');
    await feeds.begin('null-character', before, TSV);
    const after = crowd('null-character', 10, 'after');
    await feeds.drop('null-character', 'users', TSV.write(after).replace('First3\t', 'Fir\0t3\t'));
    const ended = await feeds.daemon.runEnds(2, 'null-character');
    expect(ended.status).to.equal('complete');
    expect(ended.counts).to.include({ records: 10, updated: 9, rejected: 1, blocked: 0 });
    await feeds.expectPeople('null-character', [...after.slice(0, 2), before[2]!, ...after.slice(3)]);
  });

  it('with the same bytes under a new name are nothing new, and with new bytes under the same name are', async () => {
    const batch = crowd('again', 10, 'before');
    await feeds.begin('again', batch);
    await feeds.drop('again', 'users.2026-11-22.json', JSON_ARRAY.write(batch));
    expect(await feeds.daemon.runEnds(2, 'again')).to.deep.include({
      status: 'complete',
      outcome: 'nothing-new',
      files: ['users.2026-11-22.json'],
    });
    await feeds.drop('again', 'users.2026-11-22.json', JSON_ARRAY.write(crowd('again', 10, 'after')));
    expect(await feeds.daemon.runEnds(3, 'again')).to.include({ status: 'complete', outcome: 'applied' });
    await feeds.expectPeople('again', crowd('again', 10, 'after'));
  });

  it('that are gzip may have several members, and fail when cut off, damaged or out of proportion', async () => {
    const before = crowd('zipped', 10, 'before');
    const text = JSON_ARRAY.write(before);
    await feeds.drop(
      'zipped',
      'users.json.gz',
      Buffer.concat([gzipSync(text.slice(0, 500)), gzipSync(text.slice(500))]),
    );
    expect((await feeds.daemon.runEnds(1, 'zipped')).status).to.equal('complete');
    await feeds.expectPeople('zipped', before);
    const zipped = gzipSync(JSON_ARRAY.write(crowd('zipped', 10, 'after')));
    const damaged = Buffer.from(zipped);
    damaged.writeUInt32LE(0, damaged.length - 8);
    for (const [index, [content, code]] of (
      [
        [zipped.subarray(0, zipped.length / 2), 'truncated-file'],
        [damaged, 'gzip-damaged'],
        [gzipSync(`[${' '.repeat(50_000_000)}]`), 'gzip-bomb'],
      ] as const
    ).entries()) {
      await feeds.drop('zipped', 'users.json.gz', content);
      expect(await feeds.daemon.runEnds(index + 2, 'zipped'), code).to.include({ status: 'failed', failureCode: code });
    }
    await feeds.expectPeople('zipped', before);
  });

  it('that are no files, or have impossible names, are set aside or left, and hold nothing up', async () => {
    const secret = join(feeds.site.folder, 'secret.json');
    await writeFile(secret, JSON_ARRAY.write(crowd('hostile', 10, 'secret')));
    const socket = createServer().listen(feeds.pathOf('hostile', 'socket'));
    await once(socket, 'listening');
    await symlink(secret, feeds.pathOf('hostile', 'users.link.json'));
    await link(secret, feeds.pathOf('hostile', 'users.hard.json'));
    for (let index = 0; index < 5; index += 1) await run('mkfifo', [feeds.pathOf('hostile', `users.${index}.json`)]);
    await mkdir(feeds.pathOf('hostile', 'users.json'));
    const badNames = ['users\n{"level":"error"}.json', 'users\u001b[2J.json', '<b>users.json'];
    for (const name of badNames) await writeFile(feeds.pathOf('hostile', name), '[]');
    await writeFile(Buffer.concat([Buffer.from(feeds.pathOf('hostile', 'users.')), Buffer.from([0xff, 0xfe])]), '[]');
    const batch = crowd('hostile', 10, 'good');
    await feeds.drop('hostile', 'users.good.json', JSON_ARRAY.write(batch));

    const ended = await feeds.daemon.runEnds(1, 'hostile');
    expect(ended).to.deep.include({ status: 'complete', files: ['users.good.json'] });
    await feeds.expectPeople('hostile', batch);
    const records = await feeds.daemon.quarantines(12, 'hostile');
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
    // What was taken is removed while its run goes on.
    await eventually('nothing but the folder that is called like a file', async () => {
      const left = await feeds.left('hostile');
      return (left.length === 1 && left[0] === 'users.json') || undefined;
    });
    expect(await readFile(secret, 'utf8')).to.include('secret');
    socket.close();
    const messages = feeds.daemon.log.filter(({ feed }) => feed === 'hostile').map(({ message }) => message);
    expect(messages.filter((message) => message.includes('\n') || message.includes('\u001b'))).to.deep.equal([]);
  });

  it('are found again when the directory was removed and made anew', async () => {
    const batch = crowd('removed', 10, 'before');
    await feeds.begin('removed', batch);
    await rm(feeds.pathOf('removed'), { recursive: true });
    await feeds.daemon.logged(/^The drop directory .* cannot be looked through: it is not there/, 'removed');
    await mkdir(feeds.pathOf('removed'));
    await feeds.drop('removed', 'users', JSON_ARRAY.write(crowd('removed', 10, 'after')));
    expect((await feeds.daemon.runEnds(2, 'removed')).status).to.equal('complete');
    await feeds.expectPeople('removed', crowd('removed', 10, 'after'));
  });

  it('wait for a control file, which is said once, and for each other, until a control file lists no more', async () => {
    const control = JSON.parse(await readFile(join(feeds.site.folder, 'json.json'), 'utf8')) as object;
    const batch = crowd('waiting', 10, 'first');
    await feeds.drop('waiting', 'users', JSON_ARRAY.write(batch));
    const isWaiting = /^The file users waits: the feed has no control file yet/;
    await feeds.daemon.logged(isWaiting, 'waiting');
    const files = { users: { read: 'json' }, others: { read: 'json' } };
    await feeds.drop('waiting', '_control.json', JSON.stringify({ ...control, files }));
    await feeds.daemon.logged(/^Received users; .* still missing: others/, 'waiting');
    const waits = feeds.daemon.log.filter(({ feed, message }) => feed === 'waiting' && isWaiting.test(message));
    expect(waits).to.have.length(1);
    expect((await feeds.daemon.runs('waiting')).map(({ status }) => status)).to.deep.equal(['uploading']);
    await feeds.drop('waiting', '_control.json', JSON.stringify(control));
    expect(await feeds.daemon.runEnds(1, 'waiting')).to.deep.include({ status: 'complete', files: ['users'] });
    await feeds.expectPeople('waiting', batch);
  });

  it('are not looked for in a directory that the daemon made itself, where a mount may be missing', async () => {
    await feeds.daemon.logged(/^The drop directory .* cannot be looked through: it is not there/, 'elsewhere');
    const isThere = await access(join(feeds.site.folder, 'variant')).then(
      () => true,
      () => false,
    );
    expect(isThere).to.equal(false);
  });

  it('are taken in when they came while no daemon was there', async () => {
    await feeds.daemon.stop();
    const batch = crowd('restarted', 10, 'restarted');
    await feeds.drop('restarted', 'users', JSON_ARRAY.write(batch));
    await using daemon = await RunningDaemon.start(feeds.site, ['restarted']);
    expect((await daemon.runEnds(1, 'restarted')).status).to.equal('complete');
    await feeds.expectPeople('restarted', batch);
    await eventually('an empty directory', async () => (await feeds.left('restarted')).length === 0 || undefined);
  });
});
