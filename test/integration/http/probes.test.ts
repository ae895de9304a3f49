import { expect } from 'chai';
import { record } from '../../support/daemon-site.js';
import { HttpSite } from '../../support/http-site.js';

describe('The probes', () => {
  it('say that the process lives and can work, and no longer when it is ending', async () => {
    await using http = await HttpSite.open();
    const health = await http.fetch('/healthz');
    expect([health.status, await health.json()]).to.deep.equal([200, { status: 'ok', stuck: [] }]);
    const ready = await http.fetch('/readyz');
    expect(await ready.json()).to.deep.equal({
      status: 'ready',
      checks: { database: 'ok', directories: 'ok', accepting: 'ok' },
    });
    expect(ready.status).to.equal(200);
    http.server.drain();
    const draining = await http.fetch('/readyz');
    expect([draining.status, await draining.json()]).to.deep.equal([
      503,
      { status: 'not-ready', checks: { database: 'ok', directories: 'ok', accepting: 'failed' } },
    ]);
    expect((await http.fetch('/healthz')).status).to.equal(200);
  });

  it('say that it cannot work when the schema is behind or a directory is gone, but not why', async () => {
    await using http = await HttpSite.open();
    await http.site.testDatabase.administrator.database.query(`delete from sync.migration where name like '%0006%'`);
    const behind = await http.fetch('/readyz');
    const said = await behind.text();
    expect([behind.status, said]).to.deep.equal([
      503,
      '{"status":"not-ready","checks":{"database":"failed","directories":"ok","accepting":"ok"}}',
    ]);
    expect(http.log.entries.some(({ message }) => message === 'Not ready')).to.equal(true);
  });
});

describe('GET /status', () => {
  it('says of each feed how it is, in numbers and without data of people', async () => {
    await using http = await HttpSite.open({ default: { expect: { by: '06:30' } } });
    await http.site.drop('users.json', [record('ada'), record('bob')]);
    const [run] = await http.site.atRest(1);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const text = await (await http.fetch('/status')).text();
    expect(text).not.to.include('ada');
    const status = JSON.parse(text) as { version: string; feeds: Record<string, Record<string, unknown>> };
    expect(status.version).to.equal('0.0.0-test');
    expect(status.feeds['default']).to.deep.include({
      lastRun: { run: run!.id, status: 'complete', outcome: 'applied', at: run!.finishedAt!.toISOString() },
      heldRuns: 0,
      pendingFiles: 0,
      lastSuccessAt: run!.finishedAt!.toISOString(),
      overdue: false,
    });
    expect(Date.parse(String(status.feeds['default']?.['nextExpectedAt']))).to.be.greaterThan(Date.now());
  });
});

describe('GET /metrics', () => {
  it('counts runs, users and rejected records, the same after a restart, with labels that are bounded', async () => {
    await using http = await HttpSite.open({ default: { guards: { 'first-run': 'on' } } });
    await http.site.drop('users.json', [
      record('ada', { HOMEPAGE: 'no url at all' }),
      record('bob', { EMAIL: 'none' }),
    ]);
    await http.site.atRest(1, 'held');
    const held = await metrics(http);
    expect(held).to.include('usersync_runs_held{feed="default"} 1');
    expect(held).to.include('usersync_guard_breached{feed="default",guard="first-run"} 1');
    await http.app.database.query('update sync.run set approved_by = $1, approved_at = now()', ['test']);
    await http.site.atRest(1, 'complete');
    const { daemon, app } = await http.site.prepare();
    const { HttpServer } = await import('../../../src/http/server.js');
    const restarted = await HttpServer.listen({ app, daemon, version: '0.0.0-test' });
    try {
      const text = await (await fetch(new URL('/metrics', restarted.origin))).text();
      expect(text).to.include('usersync_runs_total{feed="default",outcome="applied"} 1');
      expect(text).to.include('usersync_users_total{feed="default",action="add"} 1');
      expect(text.match(/^usersync_records_rejected_total.*/gm)).to.deep.equal([
        'usersync_records_rejected_total{feed="default",reason="missing-value"} 1',
      ]);
      expect(text).to.include('usersync_directory_users{feed="default",state="in_feed"} 1');
      expect(text).to.match(/usersync_stage_duration_seconds_count\{feed="default",stage="plan"\} 1/);
      expect(text).to.match(/usersync_feed_last_success_timestamp_seconds\{feed="default"\} 1\d{9}/);
      expect(text).to.match(/usersync_feed_last_file_received_timestamp_seconds\{feed="default"\} 1\d{9}/);
      expect(text).to.include('usersync_build_info{version="0.0.0-test"} 1');
      expect(text).to.include('process_resident_memory_bytes');
      expect(text).not.to.include('ada');
    } finally {
      await restarted.close();
    }
  });

  it('asks for the token where one is configured', async () => {
    await using http = await HttpSite.open({}, { metricsToken: 'a token of enough letters' });
    expect((await http.fetch('/metrics')).status).to.equal(401);
    const wrong = await http.fetch('/metrics', { headers: { authorization: 'Bearer another' } });
    expect(wrong.status).to.equal(401);
    expect(await wrong.json()).to.have.nested.property('error.code', 'unauthorized');
    const right = await http.fetch('/metrics', { headers: { authorization: 'Bearer a token of enough letters' } });
    expect(right.status).to.equal(200);
  });
});

async function metrics(http: HttpSite): Promise<string> {
  return (await http.fetch('/metrics')).text();
}
