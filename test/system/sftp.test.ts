import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { packageRoot } from '../../src/lib/package-root.js';
import { Site, type Person } from '../support/cli.js';
import { crowd } from '../support/crowd.js';
import { describeWherePossible } from '../support/where-possible.js';
import { eventually } from '../support/eventually.js';
import { RunningDaemon, type RunSeen } from '../support/running-daemon.js';
import type { SftpClient, Transfer } from '../support/sftp-client.js';
import {
  SSHD_CONFIG,
  SftpServer,
  effectiveSettings,
  missingForSftp,
  type SftpAccount,
} from '../support/sftp-server.js';
import { sshdBlockOf } from '../support/docs-sftp.js';

const run = promisify(execFile);

const SCAN_MS = 800;
const SETTLE_MS = 800;
/** For what a file takes from one process to the next on a busy machine; well below `LONG_MS`. */
const MARGIN_MS = 10_000;
/** A quiet period that no test waits for. */
const LONG_MS = 60_000;

/** 128 kB/s: about two seconds for a large batch. */
const SLOWLY = 1024;

const TWO_FILES = { staff: { read: 'json' }, students: { read: 'json' } };

/** Each test has a feed of its own, with an account of its own on the server. */
const FEEDS = {
  plain: {},
  slow: { settleMs: 2500 },
  resumed: { settleMs: LONG_MS },
  broken: {},
  renamed: {},
  marked: { settleMs: LONG_MS },
  sidecar: { settleMs: LONG_MS },
  zipped: {},
  many: {},
  signal: { start: 'on-signal', settleMs: 0 },
  pair: { control: undefined, settleMs: 0 },
  strange: { settleMs: 0 },
  locked: { settleMs: 0 },
  copied: {},
};

type Feed = keyof typeof FEEDS;

describeWherePossible(missingForSftp(), 'files that come by SFTP', describeSftp);

function describeSftp(this: Mocha.Suite): void {
  this.timeout(60_000);

  let server: SftpServer;
  let site: Site;
  let daemon: RunningDaemon;
  const measured: string[] = [];

  before(async () => {
    const names = Object.keys(FEEDS);
    server = await SftpServer.start(names);
    const feeds = Object.entries(FEEDS).map(([name, settings]) => {
      const usual = { control: './control.json', settleMs: SETTLE_MS, scanIntervalMs: SCAN_MS };
      const dropDirectory = server.accountOf(name).upload;
      return [name, { ...usual, dropDirectory, guards: 'off', ...settings }] as const;
    });
    const dataDir = join(server.folder, 'data');
    site = await Site.open({ config: { dataDir, feeds: { default: {}, ...Object.fromEntries(feeds) } } });
    daemon = await RunningDaemon.start(site, names, dataDir);
  });

  after(async () => {
    await daemon?.[Symbol.asyncDispose]();
    await site?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    for (const line of measured) console.log(`      file complete → run started: ${line}`);
  });

  const accountOf = (feed: Feed): SftpAccount => server.accountOf(feed);
  const clientOf = (feed: Feed): SftpClient => accountOf(feed).client;

  /** Writes a file for clients to send. */
  async function local(name: string, content: string | Uint8Array): Promise<string> {
    await writeFile(join(site.folder, name), content);
    return join(site.folder, name);
  }

  async function localBatch(feed: Feed, name: string, batch: readonly Person[]): Promise<string> {
    return local(`${feed}-${name}`, JSON.stringify(batch));
  }

  /** Sends what a feed without a quiet period takes at once: under a temporary name first. */
  const whole = (file: string, name: string): string[] => [`put ${file} ${name}.part`, `rename ${name}.part ${name}`];

  /** Names in the drop directory. */
  const left = async (feed: Feed): Promise<string[]> => (await readdir(accountOf(feed).upload)).sort();

  /** The drop directory is empty and the directory has these people, and no others. */
  async function expectTakenIn(feed: Feed, batch: readonly Person[]): Promise<void> {
    const seen = await site.query(`
      select username as "USERNAME", profile #>> '{std:attribute:job-title,0,value}' as "JOB_TITLE"
      from directory.users where feed = '${feed}' and is_active order by id`);
    expect(seen).to.have.deep.members(batch.map(({ USERNAME, JOB_TITLE }) => ({ USERNAME, JOB_TITLE })));
    await eventually(`an empty drop directory of ${feed}`, async () => (await left(feed)).length === 0 || undefined);
  }

  /** Notes how long it took from the last byte, or the new name, until the run began. */
  function latencyMs(what: string, completeAt: number, { startedAt }: RunSeen): number {
    const ms = startedAt!.getTime() - completeAt;
    measured.push(`${what}: ${ms} ms`);
    return ms;
  }

  /** Waits until the server has got some of a file, but not all. */
  async function partOf(feed: Feed, name: string, transfer: Transfer, atLeastBytes = 1): Promise<number> {
    const outcome = eventually(`a part of ${name}`, async () => {
      const seen = await stat(join(accountOf(feed).upload, name)).catch(() => undefined);
      return seen !== undefined && seen.size >= atLeastBytes ? seen.size : undefined;
    });
    const first = await Promise.race([outcome, transfer.ended]);
    if (typeof first !== 'number') throw new Error(`the client has ended:\n${first.output}`);
    return first;
  }

  /** Everything that had been there for the quiet period has been looked at when this is set aside. */
  async function passOver(feed: Feed): Promise<void> {
    const before = (await daemon.quarantined(feed)).length;
    // In one session: between two, the probe might be set aside by itself, and its marker would stay for ever.
    await clientOf(feed).run(
      `put ${await local('probe', '')} unknown-probe`,
      `put ${await local('probe.done', '')} unknown-probe.done`,
    );
    await daemon.quarantines(before + 1, feed);
    // It is removed by way of a folder of the daemon's own, which is there for a moment longer.
    await eventually('the probe to be gone', async () =>
      (await left(feed)).some((name) => /^(unknown-probe|\.user-sync-)/.test(name)) ? undefined : true,
    );
  }

  for (const [what, option, mtime] of [
    ['', '', undefined],
    [', with the time of an old file', '-p', new Date('2001-01-01')],
    [', with a time to come', '-p', new Date('2037-01-01')],
  ] as const) {
    it(`are taken in when they have been quiet for the settle time, and not before${what}`, async () => {
      const before = (await daemon.runs('plain')).length;
      const batch = crowd('plain', 30, `version ${before}`);
      const file = await localBatch('plain', 'users.json', batch);
      if (mtime !== undefined) await utimes(file, mtime, mtime);
      const completeAt = await clientOf('plain').run(`put ${option} ${file} users.json`);
      const ended = await daemon.runEnds(before + 1, 'plain');
      expect(ended).to.include({ status: 'complete', outcome: 'applied' });
      expect(ended.files).to.deep.equal(['users.json']);
      await expectTakenIn('plain', batch);
      const ms = latencyMs(`written in place${what}`, completeAt, ended);
      expect(ms).to.be.within(SETTLE_MS, SETTLE_MS + SCAN_MS + MARGIN_MS);
    });
  }

  it('are not taken while a slow upload pauses, and then once', async () => {
    const batch = crowd('slow', 1000, 'slow');
    const file = await localBatch('slow', 'users.json', batch);
    const transfer = clientOf('slow').start([`put ${file} users.json`], SLOWLY);
    let bytes = 0;
    for (let pause = 0; pause < 2; pause += 1) {
      bytes = await partOf('slow', 'users.json', transfer, bytes + 1);
      transfer.pause();
      // The length of a pause is what is tested: longer than from one scan to the next.
      await delay(1.5 * SCAN_MS);
      transfer.goOn();
    }
    const { code, doneAt, output } = await transfer.ended;
    expect(code, output).to.equal(0);
    const ended = await daemon.runEnds(1, 'slow');
    expect(ended.status).to.equal('complete');
    await expectTakenIn('slow', batch);
    latencyMs('slowly, with pauses, settle time 2.5 s', doneAt, ended);
  });

  it('are taken once when they were cut off and resumed in place', async () => {
    const batch = crowd('resumed', 1000, 'resumed');
    const file = await localBatch('resumed', 'users.json', batch);
    const transfer = clientOf('resumed').start([`put ${file} users.json`], SLOWLY);
    await partOf('resumed', 'users.json', transfer);
    await transfer.cutOff();
    await passOver('resumed');
    const [part, whole] = [await stat(join(accountOf('resumed').upload, 'users.json')), await stat(file)];
    expect(part.size).to.be.within(1, whole.size - 1);
    await clientOf('resumed').run(`reput ${file} users.json`);
    await clientOf('resumed').run(`put ${await local('done', '')} users.json.done`);
    expect((await daemon.runEnds(1, 'resumed')).status).to.equal('complete');
    await expectTakenIn('resumed', batch);
  });

  it('change nothing when they were cut off and stay so, and are taken in when they come again', async () => {
    const before = crowd('broken', 1000, 'before');
    await clientOf('broken').run(`put ${await localBatch('broken', 'users.json', before)} users.json`);
    expect((await daemon.runEnds(1, 'broken')).status).to.equal('complete');
    const after = crowd('broken', 1000, 'after');
    const file = await localBatch('broken', 'users.json', after);
    const transfer = clientOf('broken').start([`put ${file} users.json`], SLOWLY);
    await partOf('broken', 'users.json', transfer);
    await transfer.cutOff();
    const failed = await daemon.runEnds(2, 'broken');
    expect(failed).to.include({ status: 'failed', failureCode: 'truncated-file' });
    expect(failed.failureMessage).to.match(/^users: The file ends within record \d+/);
    await expectTakenIn('broken', before);
    // There is nothing to resume any more, which the client says.
    expect((await clientOf('broken').start([`reput ${file} users.json`]).ended).code).to.not.equal(0);
    await clientOf('broken').run(`put ${file} users.json`);
    expect((await daemon.runEnds(3, 'broken')).status).to.equal('complete');
    await expectTakenIn('broken', after);
  });

  it('may be cut off under a temporary name for as long as it takes, and are taken once when renamed', async () => {
    const batch = crowd('renamed', 1000, 'first');
    const file = await localBatch('renamed', 'users.json', batch);
    const transfer = clientOf('renamed').start([`put ${file} users.json.part`], SLOWLY);
    await partOf('renamed', 'users.json.part', transfer);
    await transfer.cutOff();
    await passOver('renamed');
    const commands = [`reput ${file} users.json.part`, 'rename users.json.part users.json'];
    const completeAt = await clientOf('renamed').run(...commands);
    const ended = await daemon.runEnds(1, 'renamed');
    expect(ended.status).to.equal('complete');
    await expectTakenIn('renamed', batch);
    expect(latencyMs('renamed', completeAt, ended)).to.be.below(SETTLE_MS + SCAN_MS + MARGIN_MS);
  });

  it('are taken once when the server renames by making a second name and removing the first', async () => {
    const batch = crowd('renamed', 1000, 'second');
    const file = await localBatch('renamed', 'users.json', batch);
    const completeAt = await clientOf('renamed').run(`put ${file} .users.json`, 'rename -l .users.json users.json');
    const ended = await daemon.runEnds(2, 'renamed');
    expect(ended.status).to.equal('complete');
    await expectTakenIn('renamed', batch);
    expect(latencyMs('renamed by link and unlink', completeAt, ended)).to.be.below(SETTLE_MS + SCAN_MS + MARGIN_MS);
    expect((await daemon.quarantined('renamed')).map(({ reason }) => reason)).to.deep.equal(['unknown-name']);
  });

  it('are taken at once with a marker, which goes with them', async () => {
    const batch = crowd('marked', 30, 'marked');
    const file = await localBatch('marked', 'users.json', batch);
    const completeAt = await clientOf('marked').run(
      `put ${file} users.json`,
      `put ${await local('done', '')} users.json.done`,
    );
    const ended = await daemon.runEnds(1, 'marked');
    expect(ended.status).to.equal('complete');
    await expectTakenIn('marked', batch);
    expect(latencyMs('with a .done marker', completeAt, ended)).to.be.below(SCAN_MS + MARGIN_MS);
  });

  it('are held back by a sidecar while a part is missing, also at the end of a line, and taken at once when it is there', async () => {
    const batch = crowd('sidecar', 30, 'sidecar');
    const file = await localBatch('sidecar', 'users.json', batch);
    const whole = JSON.stringify(batch);
    const digest = createHash('sha256').update(whole).digest('hex');
    const sidecar = await local('sha256', `${digest}  users.json\n`);
    const half = await local('half', whole.slice(0, whole.length / 2));
    await clientOf('sidecar').run(`put ${sidecar} users.json.sha256`, `put ${half} users.json`);
    await passOver('sidecar');
    expect(await left('sidecar')).to.deep.equal(['users.json', 'users.json.sha256']);
    expect(await daemon.runs('sidecar')).to.deep.equal([]);
    const completeAt = await clientOf('sidecar').run(`reput ${file} users.json`);
    const ended = await daemon.runEnds(1, 'sidecar');
    expect(ended.status).to.equal('complete');
    await expectTakenIn('sidecar', batch);
    // A file that turned out to differ is compared again when it has not changed from one scan to the next.
    expect(latencyMs('with a .sha256 sidecar, resumed', completeAt, ended)).to.be.below(2 * SCAN_MS + MARGIN_MS);
  });

  it('may be compressed, whatever they are called', async () => {
    for (const [index, name] of ['users.2026-11-22.json.gz', 'users.json'].entries()) {
      const batch = crowd('zipped', 30, name);
      const file = await local('users.gz', gzipSync(JSON.stringify(batch)));
      await clientOf('zipped').run(`put ${file} ${name}`);
      const ended = await daemon.runEnds(index + 1, 'zipped');
      expect(ended).to.deep.include({ status: 'complete', files: [name] });
      await expectTakenIn('zipped', batch);
    }
  });

  it('may be many at once: the last one counts, and none is lost or read in part', async () => {
    const versions = Array.from({ length: 40 }, (_, index) => crowd('many', 30, `version ${index}`));
    const commands: string[] = [];
    for (const [index, batch] of versions.entries()) {
      commands.push(`put ${await localBatch('many', `${index}.json`, batch)} users.${index}.json`);
    }
    await clientOf('many').run(...commands);
    await eventually('an empty drop directory', async () => (await left('many')).length === 0 || undefined);
    const runs = await eventually('the end of all runs', async () => {
      const seen = await daemon.runs('many');
      return seen.every(({ status }) => status === 'complete') ? seen : undefined;
    });
    await expectTakenIn('many', versions.at(-1)!);
    const taken = runs.flatMap(({ files }) => files);
    expect(taken).to.have.length(runs.length);
    expect(taken.at(-1)).to.equal('users.39.json');
    expect(new Set(taken)).to.have.property('size', taken.length);
    const received = daemon.log.filter(({ feed, message }) => feed === 'many' && message.startsWith('Received '));
    expect(received).to.have.length(versions.length);
    expect(await daemon.quarantined('many')).to.deep.equal([]);
  });

  it('wait for a signal where the feed says so, and may be replaced until then', async () => {
    const client = clientOf('signal');
    const start = await local('start', '');
    await client.run(`put ${start} _start`);
    const [early] = await daemon.quarantines(1, 'signal');
    expect(early).to.include({ reason: 'refused', originalFilename: '_start' });
    await client.run(`put ${await localBatch('signal', '1.json', crowd('signal', 30, 'early'))} users.json`);
    await daemon.logged(/^Received users\.json; .* waits for the start/, 'signal');
    const batch = crowd('signal', 30, 'late');
    await client.run(`put ${await localBatch('signal', '2.json', batch)} users.2.json`);
    await daemon.logged(/^Received users\.2\.json; .* is changed, waits for the start/, 'signal');
    const waiting = await daemon.runs('signal');
    expect(waiting.map(({ status, files }) => ({ status, files }))).to.deep.equal([
      { status: 'ready', files: ['users.2.json'] },
    ]);
    const completeAt = await client.run(`put ${start} _start`);
    const ended = await daemon.runEnds(1, 'signal');
    expect(ended.status).to.equal('complete');
    await expectTakenIn('signal', batch);
    expect(latencyMs('at the signal _start', completeAt, ended)).to.be.below(2 * SCAN_MS + MARGIN_MS);
    const { stdout } = await site.call('log', String(ended.id));
    expect(stdout).to.include('The file users was replaced by a later one before the batch started.');
  });

  it('wait for a control file and for each other, and the control file may come the same way', async () => {
    const client = clientOf('pair');
    const batch = crowd('pair', 30, 'pair');
    await client.run(`put ${await localBatch('pair', 'staff.json', batch.slice(0, 10))} staff.json`);
    await daemon.logged(/^The file staff\.json waits: the feed has no control file yet/, 'pair');
    const control = { ...(await site.control()), files: TWO_FILES };
    const broken = { ...control, instructions: [{ source: 'USERNAME', destination: 'user', name: 'usrname' }] };
    await client.run(`put ${await local('broken-control.json', JSON.stringify(broken))} _control.json`);
    const [refused] = await daemon.quarantines(1, 'pair');
    expect(refused).to.include({ reason: 'refused', originalFilename: '_control.json' });
    expect(refused!.detail).to.include('usrname').and.to.include('did you mean `username`?');
    await client.run(`put ${await local('two-files.json', JSON.stringify(control))} _control.json`);
    await daemon.logged(/^Received staff\.json; .* still missing: students/, 'pair');
    expect((await daemon.runs('pair')).map(({ status }) => status)).to.deep.equal(['uploading']);
    await client.run(...whole(await localBatch('pair', 'students.json', batch.slice(10)), 'students.json'));
    const ended = await daemon.runEnds(1, 'pair');
    expect(ended).to.deep.include({ status: 'complete', files: ['staff.json', 'students.json'] });
    await expectTakenIn('pair', batch);
  });

  it('start when a new control file lists no more than is there', async () => {
    const client = clientOf('pair');
    const batch = crowd('pair', 30, 'one file');
    await client.run(`put ${await localBatch('pair', 'staff.json', batch)} staff.json`);
    await daemon.logged(/^Received staff\.json; the batch of run \d+ is still missing: students\.$/, 'pair');
    await eventually('run 2', async () => ((await daemon.runs('pair')).length === 2 ? true : undefined));
    const control = { ...(await site.control()), files: { staff: { read: 'json' } } };
    await client.run(`put ${await local('one-file.json', JSON.stringify(control))} _control.json`);
    const ended = await daemon.runEnds(2, 'pair');
    expect(ended).to.deep.include({ status: 'complete', files: ['staff.json'] });
    await expectTakenIn('pair', batch);
  });

  it('are set aside when nobody knows their name, with the names that are known, and hold nothing up', async () => {
    const client = clientOf('strange');
    const file = await local('strange', '[]');
    const batch = crowd('strange', 30, 'strange');
    await client.run(
      `put ${file} students.json`,
      `put ${file} "list of users.json"`,
      `put ${file} users.json.done`,
      'mkdir users.json',
      `put ${file} users.json/users.json`,
      `put ${file} users.json.filepart`,
      ...whole(await localBatch('strange', 'users.json', batch), 'users.2.json'),
    );
    const ended = await daemon.runEnds(1, 'strange');
    expect(ended).to.deep.include({ status: 'complete', files: ['users.2.json'] });
    const records = await daemon.quarantines(2, 'strange');
    expect(records.map(({ originalFilename, reason }) => `${originalFilename}: ${reason}`)).to.have.members([
      'students.json: unknown-name',
      'list of users.json: bad-name',
    ]);
    expect(records.find(({ reason }) => reason === 'unknown-name')!.expectedNames).to.deep.equal(['users']);
    await daemon.logged(/"users\.json" in the drop directory is a directory/, 'strange');
    // What was taken is removed while its run goes on.
    const stays = ['users.json', 'users.json.done', 'users.json.filepart'];
    await eventually(
      'nothing but what is not taken',
      async () => (await left('strange')).join() === stays.join() || undefined,
    );
  });

  it('may come by scp as well', async () => {
    const batch = crowd('copied', 30, 'copied');
    const file = await local('users.json', JSON.stringify(batch));
    await clientOf('copied').scp(file);
    expect((await daemon.runEnds(1, 'copied')).status).to.equal('complete');
    await expectTakenIn('copied', batch);
  });

  it('come from accounts that can do nothing else, and see nothing else', async () => {
    const { client, root } = accountOf('locked');
    const failing = async (...commands: string[]): Promise<string> => {
      const { code, output } = await client.start(commands).ended;
      expect(code, commands.join('; ')).to.not.equal(0);
      return output;
    };
    expect(await failing('ls /etc')).to.match(/not found/);
    expect(await failing('ls ../../../../srv')).to.match(/not found/);
    const file = await local('locked', '');
    expect(await failing(`put ${file} ../elsewhere`)).to.match(/Permission denied/);
    expect(await failing('ln -s /etc/passwd users.json')).to.match(/Permission denied/);
    expect(await failing(`put ${file} a.part`, 'ln a.part b')).to.include('does not support hardlink');
    expect(await readdir(root)).to.deep.equal(['upload']);

    // Instead of a command, a terminal or a shell there is only the SFTP server, which ends with its input.
    const command = await client.ssh(['-tt'], 'echo', 'escaped');
    expect(command.output).to.match(/PTY allocation request failed/);
    expect(command.output).to.not.include('escaped');
    const forward = await client.ssh(['-W', '127.0.0.1:22']);
    expect(forward.code).to.not.equal(0);
    expect(forward.output).to.match(/prohibited/);
    const byPassword = await client.ssh(['-o', 'PreferredAuthentications=password,keyboard-interactive']);
    expect(byPassword.output).to.include('Permission denied (publickey)');
    const otherKey = await client.withKey('other_key').ssh([]);
    expect(otherKey.output).to.include('Permission denied (publickey)');
  });

  it('may come to a server that is there already: the block for it says the same as the file for one of its own', async () => {
    const { name, group } = accountOf('locked');
    const block = sshdBlockOf(await readFile(join(packageRoot(), 'docs', 'sftp.md'), 'utf8'));
    const file = await local('sshd_config', block.replace(/^Match Group drop$/m, `Match Group ${group}`));
    const hostKey = ['-o', `HostKey=${join(server.folder, 'host_key')}`];
    const own = await effectiveSettings(SSHD_CONFIG, name, ...hostKey);
    const shared = await effectiveSettings(file, name, ...hostKey);
    const keywords = [...block.matchAll(/^ {2}(\w+) /gm)].map(([, keyword = '']) => keyword.toLowerCase());
    const settingsOf = (settings: string[]): string[] =>
      settings.filter((line) => keywords.includes(line.split(' ', 1)[0]!));
    expect(keywords).to.have.length.greaterThan(10);
    expect(settingsOf(shared)).to.deep.equal(settingsOf(own));
    expect(settingsOf(own)).to.have.length(keywords.length);
  });

  it('belong to the account, for nobody else to read, and whoever has its number may take them', async () => {
    const { client, upload, uid } = accountOf('locked');
    const file = await local('readable', 'content');
    await client.run(`put ${file} readable.part`);
    const { mode, uid: owner } = await stat(join(upload, 'readable.part'));
    expect([mode & 0o777, owner]).to.deep.equal([0o600, uid]);
    // What the daemon does, with the rights of that number alone.
    const steps = 'mkdir .aside && cat readable.part && mv readable.part .aside/x && rm .aside/x && rmdir .aside';
    const { stdout } = await run('sh', ['-c', steps], { cwd: upload, uid, gid: uid });
    expect(stdout).to.equal('content');
  });
}
