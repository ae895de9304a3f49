import { expect } from 'chai';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import type { RunReport } from '../../src/sync/run-report.js';
import { Site, ndjson, people, person, type Running } from '../support/cli.js';
import { WAITED_FOR_HERE } from '../support/lock-waits.js';

const GATE = 4711;

describe('the program, interrupted', () => {
  let site: Site;
  let gatekeeper: Client;
  beforeEach(async () => {
    site = await Site.open({ feed: { chunkSize: 10, concurrency: 1 } });
    gatekeeper = new Client({ connectionString: site.testDatabase.administrator.url });
    await gatekeeper.connect();
    // Adding user55 has to wait for as long as the gate is closed: the sixth chunk of the batch.
    await gatekeeper.query(`
      create function gate() returns trigger language plpgsql as
        $$ begin perform pg_advisory_xact_lock(${GATE}); return new; end $$;
      create trigger gate before insert on directory.account for each row
        when (new.email = 'user55@example.org') execute function gate();
      select pg_advisory_lock(${GATE});
    `);
  });
  afterEach(async () => {
    await gatekeeper.end();
    await site[Symbol.asyncDispose]();
  });

  const openGate = (): Promise<unknown> => gatekeeper.query('select pg_advisory_unlock_all()');

  /** Starts a first batch and waits until it stands before the gate. */
  async function startToTheGate(): Promise<Running> {
    await site.write('users.json', JSON.stringify(people(100)));
    const running = await site.start(['sync', 'users=users.json', '--approve', '--json']);
    await someoneWaits(gatekeeper, 'advisory');
    return running;
  }

  it('finishes a run that was killed in the middle of applying, with counts that add up', async () => {
    const { child, ended } = await startToTheGate();
    expect(await site.query('select * from directory.users')).to.have.length(50);
    child.kill('SIGKILL');
    expect((await ended).code).to.equal(null);
    await openGate();
    expect(ndjson((await site.call('runs', '--json')).stdout)[0]).to.include({ run: 1, status: 'applying' });

    const next = await site.sync([...people(100), person(101)]);
    expect(next.code).to.equal(0);
    expect(next.report!.counts).to.include({ records: 101, added: 1, unchanged: 100 });
    expect(next.stderr).to.contain('Run 1 had been left behind').and.to.contain('it is complete');

    const first = JSON.parse((await site.call('run', '1', '--json')).stdout) as RunReport;
    expect(first).to.include({ status: 'complete', outcome: 'applied' });
    expect(first.counts).to.include({ records: 100, added: 100, unchanged: 0, rejected: 0 });
    expect(await site.query('select * from directory.users where is_active and in_feed')).to.have.length(101);
    const changes = await site.query<{ username: string }>('select username from directory.changes');
    expect(new Set(changes.map(({ username }) => username))).to.have.property('size', 101);
    expect(changes).to.have.length(101);
    const stages = await site.query(`select relname from pg_class where relname ~ '^stage_[0-9]+$'`);
    expect(stages).to.deep.equal([{ relname: `stage_${next.report!.run}` }]);
  });

  it('finishes the chunk in flight at SIGTERM, and the next batch does the rest', async () => {
    const { child, ended } = await startToTheGate();
    child.kill('SIGTERM');
    await openGate();
    const { code, stdout } = await ended;
    expect(code).to.equal(1);
    const report = JSON.parse(stdout) as RunReport;
    expect(report).to.include({ status: 'failed' });
    expect(report.failure).to.include({ code: 'interrupted' });
    expect(report.failure!.message).to.contain('SIGTERM');
    expect(report.counts).to.include({ records: 100, added: 60 });
    expect(await site.query('select * from directory.users')).to.have.length(60);
    expect((await site.call('run', '1')).stdout).to.contain('has failed: 60 users were changed until then');

    const again = await site.syncFile('users.json', '--approve');
    expect(again.code).to.equal(0);
    expect(again.report!.counts).to.include({ records: 100, added: 40, unchanged: 60 });
    expect(await site.query('select * from directory.changes')).to.have.length(100);
  });

  it('leaves while it reads at SIGTERM, and nothing was changed', async () => {
    await gatekeeper.query('begin');
    await gatekeeper.query('lock table sync.run_log in exclusive mode');
    await site.write('users.json', JSON.stringify([person(1, { EMAIL: 'nowhere' }), ...people(20).slice(1)]));
    const { child, ended } = await site.start(['sync', 'users=users.json', '--approve', '--json']);
    await someoneWaits(gatekeeper, 'relation');
    child.kill('SIGTERM');
    await gatekeeper.query('commit');
    const { code, stdout } = await ended;
    expect(code).to.equal(1);
    expect(JSON.parse(stdout)).to.include({ run: 1, status: 'failed' });
    expect(await site.query('select * from directory.users')).to.deep.equal([]);
  });

  it('goes at once at the second signal', async () => {
    const { child, ended } = await startToTheGate();
    child.kill('SIGTERM');
    child.kill('SIGINT');
    expect((await ended).code).to.equal(1);
  });

  it('lets others look while a run is under way, and another feed run, but not a second batch of the feed', async () => {
    const { ended } = await startToTheGate();
    await site.write('other.json', JSON.stringify(people(205).slice(200)));
    const staff = ['--feed', 'staff', '--control', 'control.json', '--approve', '--json'];
    const [runs, second, other] = await Promise.all([
      site.call('runs', '--json', '--feed', 'default'),
      site.call('sync', 'users=other.json'),
      site.call('sync', 'users=other.json', ...staff),
    ]);
    expect(ndjson(runs.stdout).at(-1)).to.include({ run: 1, status: 'applying' });
    expect(second.code).to.equal(1);
    expect(second.stderr)
      .to.contain('Another process works on feed "default" now')
      .and.to.contain('[feed-busy]')
      .and.to.match(/^Process \d+ on .* has the feed until /m);
    expect(other.code).to.equal(0);
    expect(JSON.parse(other.stdout)).to.deep.include({ feed: 'staff', status: 'complete' });
    await openGate();
    const { code, stdout } = await ended;
    expect(code).to.equal(0);
    expect(JSON.parse(stdout)).to.have.nested.property('counts.added', 100);
  });

  it('stops a run under way when another process cancels it', async () => {
    const { ended } = await startToTheGate();
    const cancel = await site.call('cancel', '1');
    expect(cancel.code).to.equal(0);
    expect(cancel.stdout).to.contain('stops after the chunks in flight');
    await openGate();
    const { code, stdout } = await ended;
    expect(code).to.equal(1);
    const report = JSON.parse(stdout) as RunReport;
    expect(report.status).to.equal('cancelled');
    expect(report.counts.added).to.equal(60);
  });
});

describe('the embedded database', () => {
  it('serves several processes at once, and stops when the last one leaves', async () => {
    await using site = await Site.open({ database: 'embedded' });
    await site.write('users.json', JSON.stringify(people(2000)));
    const first = await site.call('sync', 'users=users.json', '--approve', '--json');
    expect(first.code).to.equal(0);
    const [runs, user, next] = await Promise.all([
      site.call('runs', '--json'),
      site.call('user', 'user7', '--json'),
      site.sync(people(1990)),
    ]);
    expect([runs.code, user.code, next.code]).to.deep.equal([0, 0, 0]);
    expect(next.report!.counts).to.include({ blocked: 10, unchanged: 1990 });

    // Also when the reader of a long answer leaves early.
    const { child, ended } = await site.start(['plan', '1', '--json']);
    await once(child.stdout!, 'data');
    child.stdout!.destroy();
    const { code, stderr } = await ended;
    expect([code, stderr]).to.deep.equal([0, '']);
    const running = await access(join(site.folder, 'var', 'postgres', 'data', 'postmaster.pid')).then(
      () => true,
      () => false,
    );
    expect(running).to.equal(false);
  });
});

/** Waits until some other session waits for a lock of that kind. */
async function someoneWaits(client: Client, kind: 'advisory' | 'relation'): Promise<void> {
  for (;;) {
    const { rows } = await client.query(`${WAITED_FOR_HERE} and locktype = $1`, [kind]);
    if (rows.length > 0) return;
  }
}
