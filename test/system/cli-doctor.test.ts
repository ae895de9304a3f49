import { expect } from 'chai';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Site, people, type SiteOptions } from '../support/cli.js';
import { RunningDaemon } from '../support/running-daemon.js';
import { eventually } from '../support/eventually.js';
import { findingsIn, type Findings } from '../support/findings.js';
import { mailServer } from '../unit/notify/mail-server.js';

describe('doctor', () => {
  it('finds nothing to mend where all is well, and prints it in columns', async () => {
    await using site = await Site.open();
    await site.sync(people(3), '--approve');
    const { code, stdout } = await site.call('doctor');
    expect(stdout).not.to.contain('MEND');
    expect(code).to.equal(0);
    const columns = stdout
      .trimEnd()
      .split('\n')
      .map((line) => /^ok {4}[a-z]+( [a-z]+)* +/.exec(line)?.[0].length);
    expect(new Set(columns).size, stdout).to.equal(1);
    expect(stdout).to.match(/feed default +has a control file/);
  });

  it('tells, as sync does, when the control file of the configuration is not the one in force', async () => {
    await using site = await Site.open();
    const first = await site.sync(people(3), '--approve');
    expect(first.stderr).not.to.contain('in force');
    await site.write('control.json', JSON.stringify(await site.control(), null, 1));
    const second = await site.sync(people(3));
    expect(second.stderr)
      .to.match(/control\.json is not the control file in force, which came .* by command line/)
      .and.to.contain('give it with --control');
    expect((await doctor(site)).get('feed default')?.message).to.contain('drop it as _control.json');
  });

  it('does not make a drop directory that the configuration names, and says what to do', async () => {
    await using site = await Site.open({ feed: { dropDirectory: './not-mounted/drop' } });
    const findings = await doctor(site);
    expect(findings.get('drop of default')?.message).to.contain('mount what should be there');
    await mkdir(join(site.folder, 'not-mounted', 'drop'), { recursive: true });
    expect((await doctor(site)).get('drop of default')?.ok).to.equal(true);
    await rm(join(site.folder, 'not-mounted'), { recursive: true });
    await writeFile(join(site.folder, 'not-mounted'), '');
    expect((await doctor(site)).get('drop of default')?.ok).to.equal(false);
  });

  it('tells of files that were set aside', async () => {
    await using site = await Site.open({ feed: { settleMs: 0, scanIntervalMs: 100 } });
    const drop = join(site.folder, 'var', 'drop', 'default');
    await mkdir(drop, { recursive: true });
    const daemon = await RunningDaemon.start(site);
    try {
      await writeFile(join(drop, 'strange.json'), '[]');
      await eventually('quarantine', async () =>
        (await doctor(site)).get('quarantine')?.ok === false ? true : undefined,
      );
    } finally {
      await daemon.stop();
    }
    expect((await doctor(site)).get('quarantine')?.message)
      .to.contain('1 file was set aside')
      .and.to.contain('strange.json')
      .and.to.contain('unknown-name');
  });

  it('connects to the mail server, and says when that fails', async () => {
    await using mail = await mailServer();
    const { smtpUrl, from } = mail.server;
    const options = (url: string): SiteOptions => ({
      feed: { report: { email: ['ops@example.org'] } },
      config: { mail: { smtpUrl: url, from } },
    });
    await using works = await Site.open(options(smtpUrl));
    expect((await doctor(works)).get('mail')).to.deep.include({ ok: true });
    await using wrong = await Site.open(options('smtp://127.0.0.1:1'));
    expect((await doctor(wrong)).get('mail')?.message).to.contain('Check mail.smtpUrl');
    expect(mail.mails).to.deep.equal([]);
  });

  it('tells of feeds without a control file, feeds that were lost, runs that wait and settings of operators', async () => {
    await using site = await Site.open();
    await site.sync(people(3), '--approve');
    await site.query(`update sync.feed set settings = '{"autoApply": false}'`);
    await site.query(`insert into sync.run (feed_id, source, status) select id, 'test', 'held' from sync.feed`);
    expect((await doctor(site)).get('feed default')?.message).to.equal(
      'run 2 waits for a decision; set by operators: autoApply',
    );
    await site.query(`update sync.feed set name = 'lost'`);
    await site.write('user-sync.yaml', JSON.stringify({ feeds: { default: {} }, http: { port: 0 } }));
    const findings = await doctor(site);
    expect(findings.get('feed default')?.message).to.contain('has no control file');
    expect(findings.get('feed lost')?.message).to.contain('nobody looks after it');
  });

  it('tells which rights the role of the daemon lacks, who gives them, and when it has more than it needs', async () => {
    await using site = await Site.open();
    const role = decodeURIComponent(new URL(site.testDatabase.url).username);
    expect((await doctor(site)).get('rights')).to.deep.equal({ ok: true, message: `"${role}" has what is needed` });
    await site.administer(`revoke insert on sync.audit from ${role}`);
    expect((await doctor(site)).get('rights')).to.deep.equal({
      ok: false,
      message:
        `The role "${role}" lacks insert on table sync.audit. ` +
        `As the role that owns the schemas: \`user-sync migrate --grant-to ${role}\`.`,
    });
    await site.administer(`revoke usage on schema sync from ${role}`);
    expect((await doctor(site)).get('database')?.message).to.contain('migrate --grant-to ROLE');
    const owner = { DATABASE_URL: site.testDatabase.administrator.url };
    expect((await site.callWith(owner, 'migrate', '--grant-to', role)).stdout).to.contain(
      `"${role}" may run the daemon`,
    );
    expect((await doctor(site)).get('rights')?.ok).to.equal(true);
    expect((await site.callWith(owner, 'doctor')).stdout).to.match(
      /ok +rights +"\w+" owns the schemas and may do more/,
    );
  });

  it('says that another role has to bring the schema up to date', async () => {
    await using site = await Site.open();
    await site.administer(`delete from sync.migration where name like 'views/%'`);
    expect((await doctor(site)).get('schema')?.message).to.contain('run `user-sync migrate` as the role that owns');
    const { code, stderr } = await site.call('runs');
    expect(code).to.equal(1);
    expect(stderr).to.contain('[schema-older]');
  });

  it('warns of more connections than the server can spare, and of a database that is not there', async () => {
    await using site = await Site.open({ config: { database: { poolSize: 90 } } });
    expect((await doctor(site)).get('connections')?.message).to.contain('raise max_connections');
    const { code, stdout } = await site.callWith({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }, 'doctor');
    expect(code).to.equal(1);
    expect(stdout).to.match(/MEND +database/);
  });

  it('warns of a feed that wants to write on more connections than there are for it', async () => {
    await using site = await Site.open({ feed: { concurrency: 16 } });
    expect((await doctor(site)).get('connections')).to.deep.equal({
      ok: false,
      message:
        'database.poolSize 10 lets 8 write at once, fewer than concurrency of default: ' +
        'set poolSize to 18, or lower concurrency.',
    });
    await using large = await Site.open({ feed: { concurrency: 16 }, config: { database: { poolSize: 18 } } });
    expect((await doctor(large)).get('connections')?.ok).to.equal(true);
  });
});

async function doctor(site: Site): Promise<Findings> {
  return findingsIn((await site.call('doctor', '--json')).stdout);
}
