import { expect } from 'chai';
import { access, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { emptyQuarantine, removeOldFiles, tellMissingBatch } from '../../src/daemon/housekeeping.js';
import type { MissingBatchNotice } from '../../src/domain/run-notice.js';
import { packageRoot } from '../../src/lib/package-root.js';
import { collectFile, replaceControl } from '../../src/sync/collect.js';
import { requestApproval } from '../../src/sync/decide.js';
import { executeRun } from '../../src/sync/pipeline.js';
import { DaemonSite, record } from '../support/daemon-site.js';
import { eventually } from '../support/eventually.js';
import { httpTarget } from '../unit/notify/http-target.js';
import { mailServer } from '../unit/notify/mail-server.js';

const STAFF = [record('ada'), record('bob')];
const TWO_FILES = {
  dataImportControlFileVersion: 0,
  model: 'haplo:user-sync',
  files: { staff: { read: 'json' }, students: { read: 'json' } },
  instructions: [
    { source: 'USERNAME', destination: 'user', name: 'username' },
    { source: 'FIRST_NAME', destination: 'user', name: 'nameFirst' },
    { source: 'LAST_NAME', destination: 'user', name: 'nameLast' },
    { source: 'EMAIL', destination: 'user', name: 'email' },
  ],
};

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

describe('A daemon', function () {
  this.timeout(60_000);

  it('brings a dropped batch into the directory, one after the other, and takes the files away', async () => {
    await using site = await DaemonSite.open();
    const { log } = await site.start();
    await eventually(
      'the drop directory',
      async () => (await isThere(join(site.path, 'var/drop/default'))) || undefined,
    );
    await site.drop('users.json', STAFF);
    const [first] = await site.atRest(1);
    expect(first).to.deep.include({ status: 'complete', outcome: 'applied', source: 'drop directory' });
    await site.drop('users.2026-11-25.json', [record('ada')]);
    await site.atRest(2);
    expect(await site.users()).to.deep.equal({ ada: true, bob: false });
    expect(await isThere(join(site.path, 'var/drop/default/users.json'))).to.equal(false);
    expect(log.entries.filter(({ level }) => level === 'error')).to.deep.equal([]);
  });

  it('waits for all files of a batch, and for the signal where that is the rule', async () => {
    await using site = await DaemonSite.open({ default: { start: 'on-signal' } });
    const { log } = await site.start();
    await eventually('duty', async () => log.entries.some(({ message }) => /in force/.test(message)) || undefined);
    await site.drop('_control.json', TWO_FILES);
    await eventually(
      'the control file',
      async () => log.entries.some(({ message }) => /_control.json is in force/.test(message)) || undefined,
    );
    await site.drop('students.json', [record('zoe')]);
    await eventually('the first file', async () => (await site.runs())[0]);
    expect((await site.runs())[0]).to.deep.include({ status: 'uploading', queued: false });
    await site.drop('staff.json', STAFF);
    await eventually('all files', async () => ((await site.runs())[0]?.status === 'ready' ? true : undefined));
    await site.drop('students.json', [record('zoe'), record('yan')]);
    await eventually(
      'the replacement',
      async () => log.entries.some(({ message }) => /students.json.*changed/.test(message)) || undefined,
    );
    await site.drop('_start', '');
    const [run, ...more] = await site.atRest(1);
    expect(more).to.deep.equal([]);
    expect(run?.counts).to.include({ records: 4, added: 4 });
    expect(Object.keys(await site.users())).to.deep.equal(['ada', 'bob', 'yan', 'zoe']);
  });

  it('sets aside what no control file lists, and control files with errors, and says so', async () => {
    await using site = await DaemonSite.open();
    const { daemon, log } = await site.start();
    await eventually('duty', async () => log.entries.some(({ message }) => /in force/.test(message)) || undefined);
    await site.drop('payroll.json', '[]');
    await site.drop('_control.json', { ...TWO_FILES, model: 'other' });
    const held = await eventually('two files set aside', async () => {
      const records = await daemon.quarantine.list();
      return records.length === 2 ? records : undefined;
    });
    const byName = Object.fromEntries(held.map(({ originalFilename, ...rest }) => [originalFilename, rest]));
    expect(byName['payroll.json']?.expectedNames).to.deep.equal(['users']);
    expect(byName['_control.json']?.detail).to.match(/haplo:user-sync/);
    // What is in quarantine is told a moment later.
    const told = await eventually('errors in the log', async () => {
      const errors = log.entries.filter(({ level }) => level === 'error');
      return errors.length >= 2 ? errors : undefined;
    });
    expect(told).to.have.length(2);
    await site.drop('users.json', STAFF);
    expect((await site.atRest(1))[0]?.status).to.equal('complete');
  });

  it('takes the control file of its configuration later when the database goes away in between', async () => {
    await using site = await DaemonSite.open();
    const { database } = site.testDatabase.administrator;
    const { log } = await database.transaction(async (connection) => {
      // It can look, and not write.
      await connection.query('lock table sync.control_file in share mode');
      const started = await site.start();
      await eventually('the daemon to wait', async () => {
        const ended = await database.query(
          `select pg_terminate_backend(pid) from pg_locks
           where not granted and relation = 'sync.control_file'::regclass`,
        );
        return ended.length > 0 || undefined;
      });
      return started;
    });
    await eventually('duty', async () => log.entries.some(({ message }) => /in force/.test(message)) || undefined);
    await site.drop('users.json', STAFF);
    expect((await site.atRest(1))[0]?.status).to.equal('complete');
  });

  it('looks after several feeds, each with its own directory and users', async () => {
    await using site = await DaemonSite.open({ hr: {} });
    const { log } = await site.start();
    await eventually(
      'duty',
      async () => log.entries.filter(({ message }) => /in force/.test(message)).length === 2 || undefined,
    );
    await site.drop('users.json', [record('ada')]);
    await site.drop('users.json', [record('zoe')], 'hr');
    await site.atRest(2);
    const rows = await site.testDatabase.database.query('select username, feed from directory.users order by username');
    expect(rows).to.deep.equal([
      { username: 'ada', feed: 'default' },
      { username: 'zoe', feed: 'hr' },
    ]);
  });

  it('applies a held run whose approval is on record', async () => {
    await using site = await DaemonSite.open({ default: { guards: 'on' } });
    await site.start();
    await eventually(
      'the drop directory',
      async () => (await isThere(join(site.path, 'var/drop/default'))) || undefined,
    );
    await site.drop('users.json', STAFF);
    const [held] = await site.atRest(1, 'held');
    const approval = { by: 'somebody', reason: 'looks right', withoutBlocks: false };
    await requestApproval(site.testDatabase.database, held!.id, approval);
    const [run] = await site.atRest(1, 'complete');
    expect(run).to.deep.include({ approvedBy: 'somebody', approvalReason: 'looks right' });
    expect(await site.users()).to.deep.equal({ ada: true, bob: true });
  });

  it('tells people by mail, webhook and ping how a run ended, and is not held up by those who do not answer', async () => {
    await using mail = await mailServer();
    await using hook = await httpTarget(500, 204);
    await using ping = await httpTarget('hang');
    const report = {
      email: ['ops@example.org'],
      webhook: { url: `${hook.origin}/hook`, secret: 'a secret of enough letters' },
      ping: `${ping.origin}/ping`,
    };
    await using site = await DaemonSite.open(
      { default: { guards: 'on', report } },
      {
        mail: { smtpUrl: mail.server.smtpUrl, from: mail.server.from },
        http: { publicUrl: 'https://sync.example.org' },
      },
    );
    await site.start();
    await eventually(
      'the drop directory',
      async () => (await isThere(join(site.path, 'var/drop/default'))) || undefined,
    );
    await site.drop('users.json', STAFF);
    const [held] = await site.atRest(1, 'held');
    const [letter] = await eventually('a mail', async () => (mail.mails.length > 0 ? mail.mails : undefined));
    expect(letter?.to).to.deep.equal(['ops@example.org']);
    expect(letter?.parts.get('text/plain')).to.include(`https://sync.example.org/runs/${held!.id}`);
    const call = await eventually('a webhook', async () => hook.requests[1]);
    expect(JSON.parse(call.body)).to.deep.include({ event: 'held', feed: 'default', run: held!.id });
    expect(call.headers['x-usersync-signature']).to.match(/^sha256=[0-9a-f]{64}$/);
    expect(ping.requests).to.deep.equal([]);
    await site.drop('users.json', [record('ada')]);
    await site.atRest(2);
  });

  it('runs all the same when nobody listens where reports go, and says so', async () => {
    const nowhere = 'http://127.0.0.1:1';
    const report = {
      email: ['ops@example.org'],
      webhook: { url: `${nowhere}/hook`, secret: 'a secret of enough letters' },
      ping: `${nowhere}/ping`,
    };
    await using site = await DaemonSite.open(
      { default: { report } },
      { mail: { smtpUrl: 'smtp://127.0.0.1:1', from: 'sync@example.org' } },
    );
    const { log } = await site.start();
    await eventually('duty', async () => log.entries.some(({ message }) => /in force/.test(message)) || undefined);
    await site.drop('users.json', STAFF);
    expect((await site.atRest(1))[0]).to.include({ status: 'complete', outcome: 'applied' });
    await site.drop('users.json', [record('ada')]);
    expect((await site.atRest(2))[1]).to.include({ status: 'complete', outcome: 'applied' });
    await eventually(
      'warnings for every channel of both runs',
      async () =>
        log.entries.filter(({ message }) => /^A report was not delivered/.test(message)).length === 6 || undefined,
    );
  });
});

describe('Two daemons on one database', function () {
  this.timeout(60_000);

  it('do not work on the same feed: one stands by, and takes over when the other ends', async () => {
    await using site = await DaemonSite.open({}, { leaseSeconds: 10 });
    const first = await site.start();
    await eventually('duty', async () => first.daemon.feeds[0]?.isOnDuty || undefined);
    const second = await site.start();
    await eventually(
      'standing by',
      async () => second.log.entries.some(({ message }) => /stands by/.test(message)) || undefined,
    );
    await site.drop('users.json', STAFF);
    await site.atRest(1);
    expect(second.daemon.feeds[0]?.isOnDuty).to.equal(false);
    await first.daemon.stop();
    await eventually('taking over', async () => second.daemon.feeds[0]?.isOnDuty || undefined);
    await site.drop('users.json', [record('ada')]);
    const runs = await site.atRest(2);
    expect(runs).to.have.length(2);
    expect(await site.users()).to.deep.equal({ ada: true, bob: false });
  });

  it('take over from one that is silent for longer than its lease, and the late one stands by', async () => {
    await using site = await DaemonSite.open({}, { leaseSeconds: 3 });
    const first = await site.start();
    await eventually('duty', async () => first.daemon.feeds[0]?.isOnDuty || undefined);
    const { database } = site.testDatabase;
    const [held] = await database.query<{ token: number }>('select duty_token as token from sync.feed');
    const second = await site.start();
    // As if it had been frozen: its lease is over. Again and again, as the heartbeat of the first prolongs it.
    await eventually('taking over', async () => {
      await database.query(
        `update sync.feed set duty_holder = 'elsewhere:1:x', duty_expires_at = now() - interval '1 second'
         where duty_token = $1`,
        [held!.token],
      );
      return second.daemon.feeds[0]?.isOnDuty || undefined;
    });
    await eventually(
      'noticing',
      async () => first.log.entries.some(({ message }) => /has taken over the feed/.test(message)) || undefined,
    );
    expect(first.daemon.feeds[0]?.isOnDuty).to.equal(false);
    await site.drop('users.json', STAFF);
    expect((await site.atRest(1))[0]?.counts).to.include({ added: 2 });
  });
});

describe('A daemon that ends in the middle of a run', function () {
  this.timeout(60_000);

  it('leaves the run as it is, and the next one finishes it', async () => {
    await using site = await DaemonSite.open({ default: { chunkSize: 1, concurrency: 1 } });
    const { app } = await site.prepare();
    const many = Array.from({ length: 20 }, (_, index) => record(`u${index}`));
    const path = join(site.path, 'users.json');
    await writeFile(path, JSON.stringify(many));
    const text = await readFile(join(packageRoot(), 'config', 'examples', 'control.json'), 'utf8');
    await replaceControl(app.sync, {
      feed: 'default',
      text,
      what: 'The control file',
      source: 'test',
      start: 'when-ready',
    });
    const { run } = await collectFile(app.sync, {
      feed: 'default',
      file: {
        name: 'users',
        ...(await app.sync.store.putPath(path, 1e9)),
        originalFilename: 'users.json',
        source: 'test',
      },
      start: 'when-ready',
      mayReplace: true,
    });
    // Stopped after a few chunks, as a daemon is by SIGTERM.
    const stop = new AbortController();
    await executeRun(app.sync, run, {
      settings: await app.feedSettings('default'),
      actor: 'daemon',
      signal: stop.signal,
      isLeft: () => stop.signal.aborted,
      onProgress: ({ phase, done }) => {
        if (phase === 'apply' && done >= 3) stop.abort(new Error('told to end'));
      },
    }).catch(() => undefined);
    expect((await site.runs())[0]?.status).to.equal('applying');
    await site.start();
    const [finished] = await site.atRest(1);
    expect(finished).to.deep.include({ status: 'complete', outcome: 'applied' });
    expect(finished?.counts).to.include({ records: 20, added: 20 });
    expect(Object.keys(await site.users())).to.have.length(20);
  });
});

describe('Housekeeping', function () {
  this.timeout(60_000);

  it('removes files that no rule keeps, and leftovers that are a day old', async () => {
    await using site = await DaemonSite.open({ default: { retention: { runs: 1, days: 0 } } });
    const { app } = await site.start();
    await eventually(
      'the drop directory',
      async () => (await isThere(join(site.path, 'var/drop/default'))) || undefined,
    );
    const { store } = app.sync;
    for (const [index, batch] of [STAFF, [record('ada')]].entries()) {
      await site.drop('users.json', batch);
      await site.atRest(index + 1);
    }
    const files = await site.testDatabase.database.query<{ digest: string }>(
      'select digest from sync.run_file order by run_id',
    );
    const [old, last] = files.map(({ digest }) => digest);
    async function* once(text: string): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(new TextEncoder().encode(text));
    }
    const stray = await store.put(once('nobody recorded this'), 1000);
    const tomorrow = new Date(Date.now() + 25 * 3600 * 1000);
    expect(await removeOldFiles(app, new Date())).to.equal(1);
    expect(await store.has(old!)).to.equal(false);
    expect(await store.has(stray.digest)).to.equal(true);
    await utimes(store.pathOf(stray.digest), new Date(), new Date());
    expect(await removeOldFiles(app, tomorrow)).to.equal(1);
    expect(await store.has(stray.digest)).to.equal(false);
    expect(await store.has(last!)).to.equal(true);
  });

  it('removes what was set aside and fetched by nobody', async () => {
    await using site = await DaemonSite.open({}, { quarantineDays: 10 });
    const { app, daemon } = await site.start();
    await eventually(
      'the drop directory',
      async () => (await isThere(join(site.path, 'var/drop/default'))) || undefined,
    );
    await site.drop('nobody-knows.json', '[]');
    const [held] = await eventually('quarantine', async () => {
      const all = await daemon.quarantine.list();
      return all.length > 0 ? all : undefined;
    });
    const day = 24 * 3600 * 1000;
    expect(await emptyQuarantine(app, daemon.quarantine, new Date(Date.now() + 9 * day))).to.equal(0);
    expect(await isThere(daemon.quarantine.pathOf(held!.id))).to.equal(true);
    expect(await emptyQuarantine(app, daemon.quarantine, new Date(Date.now() + 11 * day))).to.equal(1);
    expect(await isThere(daemon.quarantine.pathOf(held!.id))).to.equal(false);
    expect(await daemon.quarantine.list()).to.deep.equal([]);
  });

  it('raises one alarm when no batch has come by its time, and again only if that could not be noted', async () => {
    await using site = await DaemonSite.open({ default: { expect: { by: '06:30', timeZone: 'Europe/London' } } });
    const { app, daemon } = await site.start();
    const { database, administrator } = site.testDatabase;
    await eventually('the feed', async () => (await database.query('select from sync.feed')).length === 1 || undefined);
    // It would go by today's date.
    await daemon.stop();
    await database.query(`update sync.feed set created_at = '2026-03-01'`);
    const told: MissingBatchNotice[] = [];
    const deadlines = async (...times: string[]): Promise<string[]> => {
      const before = told.length;
      for (const time of times) {
        await tellMissingBatch(app, 'default', new Date(time), (notice) => void told.push(notice));
      }
      return told.slice(before).map(({ deadline }) => deadline.toISOString());
    };
    expect(await deadlines('2026-03-27T06:29:00Z', '2026-03-27T06:29:30Z')).to.deep.equal(['2026-03-26T06:30:00.000Z']);
    // Summer time begins in the night to the 29th.
    const summer = ['2026-03-29T05:31:00Z', '2026-03-29T07:00:00Z'];
    await administrator.database.query(
      `alter table sync.feed add constraint not_now check (alarmed_for < '2026-03-29'::timestamptz)`,
    );
    for (const time of summer) {
      expect(await deadlines(time).catch((error: unknown) => error))
        .to.have.property('message')
        .that.includes('not_now');
    }
    await administrator.database.query('alter table sync.feed drop constraint not_now');
    expect(await deadlines(...summer)).to.deep.equal(['2026-03-29T05:30:00.000Z']);
    const atSummer = {
      event: 'missing',
      feed: 'default',
      deadline: new Date('2026-03-29T05:30:00Z'),
      lastBatchAt: null,
    };
    expect(told).to.have.length(4);
    for (const notice of told.slice(1)) expect(notice).to.deep.include(atSummer);
  });
});
