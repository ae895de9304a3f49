import { expect } from 'chai';
import { people, Site, type SiteOptions } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { closedPort, httpTarget, type HttpTarget } from '../unit/notify/http-target.js';
import { mailServer } from '../unit/notify/mail-server.js';

/** Where a feed's reports go, but for mail. */
function targets(hook: string, ping: string): object {
  return { webhook: { url: `${hook}/hook`, secret: 'a secret of enough letters' }, ping: `${ping}/ping` };
}

/** What a webhook was told, in order. */
function events(hook: HttpTarget): unknown[] {
  return hook.requests.map(({ body }) => {
    const { event, run } = JSON.parse(body) as { event: string; run: number };
    return [event, run];
  });
}

describe('A run that a command executes', function () {
  this.timeout(60_000);

  it('is told by mail, webhook and ping before the command ends, whatever came of it', async () => {
    await using mail = await mailServer();
    await using hook = await httpTarget(204);
    await using ping = await httpTarget(204);
    const { smtpUrl, from } = mail.server;
    await using site = await Site.open({
      feed: { report: { email: ['ops@example.org'], ...targets(hook.origin, ping.origin) } },
      config: { mail: { smtpUrl, from } },
    });
    expect((await site.sync(people(3))).code).to.equal(3);
    expect(events(hook)).to.deep.equal([['held', 1]]);
    expect(mail.mails).to.have.length(1);
    expect(mail.mails[0]?.headers.get('subject')).to.include('run 1 is held');
    expect(ping.requests).to.have.length(0);

    // What the mail says is to be done.
    expect((await site.call('approve', '1', '--reason', 'looks right')).code).to.equal(0);
    expect(events(hook).slice(1)).to.deep.equal([['complete', 1]]);
    expect(mail.mails).to.have.length(2);
    expect(ping.requests).to.have.length(1);

    expect((await site.sync(people(4), '--dry-run')).code).to.equal(0);
    expect(events(hook).slice(2)).to.deep.equal([['complete', 2]]);
    expect(ping.requests).to.have.length(1);

    await site.write('users.json', '[{"USERNAME": "cut off');
    const failed = await site.call('sync', 'users=users.json');
    expect(failed.code).to.equal(1);
    expect(failed.stderr).to.equal('');
    expect(events(hook).slice(3)).to.deep.equal([['failed', 3]]);
    expect(mail.mails).to.have.length(4);
    expect(ping.requests).to.have.length(1);
  });

  it('is told together with one that was left behind, which it finishes first', async () => {
    await using hook = await httpTarget(204);
    await using ping = await httpTarget(204);
    await using site = await Site.open({ feed: { report: targets(hook.origin, ping.origin) } });
    await site.sync(people(3));
    // As a process that died after it had begun to write leaves it.
    await site.query(`update sync.run set status = 'applying'`);
    const next = await site.sync(people(4));
    expect(next.stderr).to.contain('Run 1 had been left behind').and.to.contain('it is complete');
    expect(events(hook)).to.deep.equal([
      ['held', 1],
      ['complete', 1],
      ['complete', 2],
    ]);
    expect(ping.requests).to.have.length(2);
  });

  it('is not told again when another process works on the feed, nor when it is cancelled', async () => {
    await using hook = await httpTarget(204);
    await using site = await Site.open({ feed: { report: targets(hook.origin, hook.origin) } });
    await site.sync(people(3));
    await site.query(
      `update sync.feed set lease_holder = 'elsewhere:1:x', lease_expires_at = now() + interval '1 minute'`,
    );
    expect((await site.call('approve', '1', '--reason', 'looks right')).stdout).to.include('the daemon');
    expect((await site.call('cancel', '1')).code).to.equal(0);
    expect(events(hook)).to.deep.equal([['held', 1]]);
  });

  it('ends as it does although nobody takes the reports, and says so', async () => {
    const nowhere = `http://127.0.0.1:${await closedPort()}`;
    await using site = await Site.open({ feed: { report: targets(nowhere, nowhere) } });
    const { code, report, stderr } = await site.sync(people(3), '--approve');
    expect([code, report?.status]).to.deep.equal([0, 'complete']);
    expect(stderr.match(/A report was not delivered/g)).to.have.length(2);
    expect(stderr).to.include('report-unreachable').and.not.include('/hook').and.not.include('/ping');
  });

  it('does not keep the command from ending at Ctrl-C while a report is under way', async () => {
    await using target = await httpTarget('hang');
    await using site = await Site.open({ feed: { report: { ping: `${target.origin}/ping` } } });
    await site.write('users.json', JSON.stringify(people(3)));
    const { child, ended } = await site.start(['sync', 'users=users.json', '--approve', '--json']);
    await eventually('the ping', async () => target.requests[0]);
    const from = performance.now();
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect(performance.now() - from).to.be.lessThan(5000);
    expect([code, JSON.parse(stdout)]).to.have.nested.property('1.status', 'complete');
    expect(code).to.equal(0);
    expect(stderr).to.include('report-dropped');
  });

  it('is told also when Ctrl-C made it fail', async () => {
    await using hook = await httpTarget(204);
    const options: SiteOptions = {
      feed: { chunkSize: 1, concurrency: 1, report: targets(hook.origin, hook.origin) },
    };
    await using site = await Site.open(options);
    await site.administer(
      `create function slowly() returns trigger language plpgsql as $$ begin perform pg_sleep(0.5); return new; end $$;
       create trigger slowly before insert on directory.account for each row execute function slowly()`,
    );
    await site.write('users.json', JSON.stringify(people(3)));
    const { child, ended } = await site.start(['sync', 'users=users.json', '--approve', '--json']);
    await eventually('applying', async () => {
      const [run] = await site.query(`select from sync.run where status = 'applying'`);
      return run;
    });
    child.kill('SIGINT');
    expect((await ended).code).to.equal(1);
    expect(events(hook)).to.deep.equal([['failed', 1]]);
  });
});
