import { expect } from 'chai';
import { Site, ndjson, people, person } from '../support/cli.js';

const NO_CHANGES = { added: 0, updated: 0, blocked: 0, unblocked: 0 };

describe('the program, run by run', () => {
  let site: Site;
  beforeEach(async () => {
    site = await Site.open();
  });
  afterEach(async () => {
    await site[Symbol.asyncDispose]();
  });

  it('holds the first batch, shows what it would do, and applies it when approved', async () => {
    const held = await site.sync(people(30));
    expect(held.code).to.equal(3);
    expect(held.report).to.deep.include({ run: 1, feed: 'default', status: 'held', errors: 0 });
    expect(held.report!.counts).to.deep.equal({ ...NO_CHANGES, records: 30, added: 30, unchanged: 0, rejected: 0 });
    expect(held.report!.guards.filter((guard) => guard.breached)).to.deep.equal([
      { guard: 'first-run', value: 1, limit: 0, breached: true, count: 30 },
    ]);
    expect(held.report!.timings).to.have.all.keys('stage', 'plan', 'apply');
    expect(held.report!.files).to.have.length(1);
    expect(held.report!.files[0]).to.include({ name: 'users', filename: 'users.json' });
    expect(await site.directory()).to.deep.equal([]);

    const human = await site.call('run', '1');
    expect(human.stdout)
      .to.match(/^Run 1 of feed default is held/)
      .and.to.contain('guard first-run: nothing of this feed was applied before; 30 users would be added')
      .and.to.contain('user-sync approve 1 --reason')
      .and.to.contain('user-sync cancel 1');

    const plan = await site.plan(1);
    expect(plan).to.have.length(30);
    expect(plan[0]).to.deep.include({ kind: 'add', username: 'user1', applied: false, before: null });
    expect(plan[0]!.after.user).to.deep.equal({
      email: 'user1@example.org',
      title: 'Dr',
      groups: ['example:group:students'],
      nameFirst: 'First1',
      nameLast: 'Last1',
    });

    const approved = await site.call('approve', '1', '--reason', 'seen by the team', '--json');
    expect(approved.code).to.equal(0);
    const report = JSON.parse(approved.stdout) as object;
    expect(report).to.deep.include({ run: 1, status: 'complete', outcome: 'applied' });
    expect(report).to.have.nested.property('approval.reason', 'seen by the team');
    expect(report).to.have.nested.property('counts.added', 30);
    const log = ndjson((await site.call('log', '1', '--json')).stdout).map(({ message }) => String(message));
    expect(log.join('\n'))
      .to.contain('Guard first-run is breached')
      .and.to.match(/held[^]*applying[^]*seen by the team[^]*complete/);
    expect(await site.query('select username, is_active, in_feed, profile_types from directory.users')).to.have.length(
      30,
    );
  });

  it('says of a run what it does again or takes back, and of a batch what it waits for', async () => {
    await site.sync(people(3), '--approve');
    await site.sync(people(2), '--approve');
    await site.call('reapply', '1', '--approve');
    await site.call('revert', '2', '--approve');
    const { stdout } = await site.call('runs');
    expect(stdout)
      .to.match(/^ +4 .* takes back run 2$/m)
      .and.to.match(/^ +3 .* applies again run 1$/m);
    expect((await site.call('run', '4')).stdout).to.contain('It takes back run 2.');
    const told = JSON.parse((await site.call('run', '4', '--json')).stdout) as object;
    expect(told).to.include({ kind: 'revert', ofRun: 2, origin: 'command line' });
    const listed = ndjson((await site.call('runs', '--json')).stdout);
    expect(listed.map(({ kind, ofRun }) => [kind, ofRun])).to.deep.equal([
      ['revert', 2],
      ['reapply', 1],
      ['batch', null],
      ['batch', null],
    ]);
    await site.query(`insert into sync.run (feed_id, source, collected) select id, 'test', true from sync.feed`);
    expect((await site.call('run', '5')).stdout).to.contain('It waits for: users');
    const report = JSON.parse((await site.call('run', '5', '--json')).stdout) as object;
    expect(report).to.deep.include({ missingFiles: ['users'], waitsForStart: false });
    await site.query(`update sync.run set status = 'ready' where id = 5`);
    expect((await site.call('run', '5')).stdout).to.contain('It waits for the start');
  });

  it('finds a person by username or e-mail address in any case, with what was received and what runs did', async () => {
    await site.sync(people(3), '--approve');
    const ways = ['user2', 'USER2', 'User2@Example.org'];
    for (const { code, stdout } of await Promise.all(ways.map((who) => site.call('user', who, '--json')))) {
      expect(code).to.equal(0);
      const found = JSON.parse(stdout) as object;
      expect(found).to.have.nested.property('account.username', 'user2');
      expect(found).to.have.nested.property('received.record', 2);
      expect(found).to.have.nested.property('changes[0].kind', 'add');
    }
    const { stdout } = await site.call('user', 'user2');
    expect(stdout)
      .to.contain('Dr First2 Last2 <user2@example.org>')
      .and.to.contain('default: in the feed since run 1')
      .and.to.contain('std:attribute:job-title = Reader in Linguistics')
      .and.to.contain('users line 1, record 2');
    const nobody = await site.call('user', 'nobody');
    expect(nobody.code).to.equal(2);
    expect(nobody.stderr).to.contain('"nobody"');
  });

  it('tells joiners, changes, leavers and rejected records of the next batch apart', async () => {
    await site.sync(people(30), '--approve');
    const batch = [
      person(1, { JOB_TITLE: 'Dean' }),
      person(2, { EMAIL: 'not an address' }),
      ...people(30).slice(3),
      person(31),
    ];
    const { code, report } = await site.sync(batch);
    expect(code).to.equal(0);
    expect(report!.status).to.equal('complete');
    expect(report!.counts).to.deep.equal({
      records: 30,
      added: 1,
      updated: 1,
      blocked: 1,
      unblocked: 0,
      unchanged: 27,
      rejected: 1,
    });
    expect(report!.errors).to.be.greaterThan(0);

    const kinds = (await site.plan(2)).map(({ kind, username }) => `${kind} ${username}`);
    expect(kinds.sort()).to.deep.equal(['add user31', 'block user3', 'update user1']);
    const [update] = await site.plan(2, '--kind', 'update');
    expect(update!.before).to.deep.equal({
      profile: { 'std:attribute:job-title': [{ value: 'Reader in Linguistics' }] },
    });
    expect(update!.after).to.deep.equal({ profile: { 'std:attribute:job-title': [{ value: 'Dean' }] } });

    const errors = ndjson((await site.call('log', '2', '--errors', '--json')).stdout);
    expect(errors[0]).to.include({
      level: 'error',
      code: 'invalid-email',
      username: 'user2',
      file: 'users',
      record: 2,
    });
    const ofUser = await site.call('log', '2', '--user', 'USER2', '--errors');
    expect(ofUser.stdout).to.contain('invalid-email users:1 user2 ').and.to.contain('[EMAIL: not an address]');
    expect((await site.call('log', '2', '--user', 'user5', '--errors')).stdout).to.equal('No errors.\n');

    const users = await site.query<{ username: string; is_active: boolean; in_feed: boolean; profile_types: string[] }>(
      `select username, is_active, in_feed, profile_types from directory.users
       where username in ('user2', 'user3') order by username`,
    );
    expect(users).to.deep.equal([
      { username: 'user2', is_active: true, in_feed: true, profile_types: ['std:type:person:student'] },
      { username: 'user3', is_active: false, in_feed: false, profile_types: ['std:type:person:staff-past'] },
    ]);

    const back = await site.sync(people(31));
    expect(back.report!.counts).to.include({ added: 0, updated: 1, blocked: 0, unblocked: 1, rejected: 0 });
  });

  it('lists runs newest first and shows one with its files', async () => {
    await site.sync(people(12), '--approve');
    await site.sync(people(13));
    const runs = ndjson((await site.call('runs', '--json')).stdout);
    expect(runs.map(({ run }) => run)).to.deep.equal([2, 1]);
    expect(runs[0]).to.include({ feed: 'default', status: 'complete', errors: 0 });
    expect(runs[0]!['counts']).to.include({ records: 13, added: 1, unchanged: 12 });
    expect(new Date(runs[0]!['createdAt'] as string).getTime()).to.be.closeTo(Date.now(), 60_000);
    expect(ndjson((await site.call('runs', '--json', '--limit', '1')).stdout)).to.have.length(1);

    const table = (await site.call('runs')).stdout.split('\n');
    expect(table[0]).to.match(/^RUN {2}FEED +STATUS +RECORDS +ADDED/);
    expect(table[1]).to.match(/^ *2 {2}default {2}complete +13 +1 +0 +0 +0 +12 +0 /);

    const one = await site.call('run', '2');
    expect(one.stdout).to.contain('FILE ').and.to.contain('users.json').and.to.contain('from command line');
    expect(one.stdout).to.contain('guards: all within their limits');
  });

  it('says that there is nothing new when the same batch comes again', async () => {
    await site.sync(people(5), '--approve');
    const before = await site.directory();
    const again = await site.sync(people(5));
    expect(again.code).to.equal(0);
    expect(again.report).to.deep.include({ status: 'complete', outcome: 'nothing-new' });
    expect(again.report!.counts).to.include(NO_CHANGES);
    expect(await site.directory()).to.deep.equal(before);
    expect((await site.call('run', '2')).stdout).to.contain('nothing new');
  });

  it('looks at every user again with --force, and mends what was edited by hand', async () => {
    await site.sync(people(5), '--approve');
    await site.query(`update directory.account set name_first = 'Edited' where email = 'user2@example.org'`);
    expect((await site.sync(people(5))).report!.counts).to.include(NO_CHANGES);
    const { code, report } = await site.sync(people(5), '--force');
    expect(code).to.equal(0);
    expect(report!.counts).to.include({ updated: 1, unchanged: 4 });
    expect(
      await site.query(`select name_first from directory.account where email = 'user2@example.org'`),
    ).to.deep.equal([{ name_first: 'First2' }]);
  });

  it('changes nothing in a dry run, whatever the guards say', async () => {
    const first = await site.sync(people(5), '--dry-run');
    expect(first.code).to.equal(0);
    expect(first.report).to.deep.include({ status: 'complete', outcome: 'dry-run', dryRun: true });
    expect(first.report!.counts).to.include({ records: 5, added: 5 });
    expect(await site.directory()).to.deep.equal([]);
    expect(await site.plan(1)).to.have.length(5);
    expect((await site.call('run', '1')).stdout).to.contain('as a dry run: nothing was changed');

    await site.sync(people(5), '--approve');
    const before = await site.directory();
    expect((await site.sync([], '--dry-run')).report!.counts).to.include({ blocked: 5 });
    expect(await site.directory()).to.deep.equal(before);
    expect(await site.query('select * from directory.changes where run <> 2')).to.deep.equal([]);
  });

  it('holds back the blocks when approved without them, and plans them again in the next batch', async () => {
    await site.sync(people(20), '--approve');
    const held = await site.sync([...people(10), person(21)]);
    expect(held.code).to.equal(3);
    expect(held.report!.counts).to.include({ added: 1, blocked: 10 });
    const { code, stdout } = await site.call('approve', '2', '--without-blocks', '--reason', 'late file', '--json');
    expect(code).to.equal(0);
    expect(JSON.parse(stdout)).to.have.nested.property('counts.blocked', 0);
    expect(JSON.parse(stdout)).to.have.nested.property('counts.added', 1);
    expect(await site.query('select * from directory.users where not is_active')).to.deep.equal([]);

    // Not even the same bytes again are nothing new: something of them was left undone.
    const again = await site.syncFile('users.json', '--approve');
    expect(again.report!.counts).to.include({ blocked: 10, added: 0 });
    expect(await site.query('select * from directory.users where not is_active')).to.have.length(10);
  });

  it('drops a held run that is cancelled', async () => {
    await site.sync(people(5));
    const { code, stdout } = await site.call('cancel', '1', '--json');
    expect(code).to.equal(0);
    expect(JSON.parse(stdout)).to.include({ run: 1, status: 'cancelled' });
    const again = await site.call('cancel', '1');
    expect(again.code).to.equal(2);
    expect(again.stderr).to.contain('cancelled').and.to.contain('[run-status]');
    const approved = await site.call('approve', '1', '--reason', 'too late');
    expect(approved.code).to.equal(2);
    expect(approved.stderr).to.contain('only a held run can be approved');
    expect(await site.directory()).to.deep.equal([]);
    expect(await stagesOf(site)).to.deep.equal([]);
  });

  it('makes the plan of a held run again when somebody edited the directory since', async () => {
    await site.sync(people(20), '--approve');
    await site.sync(people(10).map((one) => ({ ...one, JOB_TITLE: 'Dean' })));
    await site.query(`update directory.account set name_last = 'Edited' where email = 'user4@example.org'`);
    const { code, stdout } = await site.call('approve', '2', '--reason', 'all right', '--json');
    expect(code).to.equal(0);
    expect(JSON.parse(stdout)).to.have.nested.property('counts.updated', 10);
    const [change] = (await site.plan(2, '--kind', 'update')).filter(({ username }) => username === 'user4');
    expect(change!.before).to.have.nested.property('user.nameLast', 'Edited');
    expect(change!.after).to.have.nested.property('user.nameLast', 'Last4');
  });

  it('cancels a held run when a later batch is applied', async () => {
    await site.sync(people(20), '--approve');
    await site.sync(people(10));
    await site.sync(people(21));
    const { code, stderr } = await site.call('approve', '2', '--reason', 'forgotten');
    expect(code).to.equal(2);
    expect(stderr).to.contain('Run 2 is cancelled').and.to.contain('[run-status]');
    expect((await site.call('log', '2')).stdout).to.contain('run 3 with a later batch was applied');
    expect(await site.query('select * from directory.users where not is_active')).to.deep.equal([]);
  });

  it('fails at a file that was cut off, says where, and leaves the directory alone', async () => {
    await site.sync(people(20), '--approve');
    const before = await site.directory();
    await site.write('cut.json', JSON.stringify(people(20), null, 1).slice(0, 3000));
    const cut = await site.syncFile('cut.json', '--approve');
    expect(cut.code).to.equal(1);
    expect(cut.report).to.deep.include({ run: 2, status: 'failed' });
    expect(cut.report!.failure).to.deep.include({ code: 'truncated-file' });
    expect(cut.report!.failure!.message).to.match(/^users: .*record \d+/);
    expect(await site.directory()).to.deep.equal(before);
    expect((await site.call('log', '2')).stdout)
      .to.contain('truncated-file')
      .and.to.contain('record');
    expect((await site.call('plan', '2')).stdout).to.match(/^Run 2 is failed and has no plan/);
    const human = await site.call('run', '2');
    expect(human.stdout).to.match(/^Run 2 of feed default has failed: the directory is as it was/);
  });

  it('holds an empty batch, and blocks nobody', async () => {
    await site.sync(people(6), '--approve');
    for (const [name, content] of [
      ['list', '[]'],
      ['bytes', ''],
    ] as const) {
      await site.write(`${name}.json`, content);
      const { code, report } = await site.syncFile(`${name}.json`);
      expect(code, name).to.equal(3);
      expect(report, name).to.have.property('status', 'held');
      expect(report!.counts, name).to.include({ records: 0, blocked: 6 });
      expect(report!.guards.find(({ guard }) => guard === 'empty')).to.have.property('breached', true);
    }
    expect(await site.query('select * from directory.users where not is_active')).to.deep.equal([]);
  });

  it('shows the plan as a table for people and as CSV for spreadsheets, without obeying what the feed holds', async () => {
    await site.sync([
      person(1, { JOB_TITLE: '=cmd|evil', TITLE: '\u001b[31mDr' }),
      person(2, { JOB_TITLE: 'a "b", c' }),
    ]);
    const table = (await site.call('plan', '1')).stdout;
    expect(table).to.contain('add     user1\n').and.to.contain('profile/std:attribute:job-title: =cmd|evil');
    expect(table).to.contain('user/title: \\u001b[31mDr').and.not.to.contain('\u001b');

    const csv = (await site.call('plan', '1', '--format', 'csv')).stdout.split('\n');
    expect(csv[0]).to.equal('kind,username,applied,field,before,after');
    expect(csv).to.include("add,user1,false,profile/std:attribute:job-title,,'=cmd|evil");
    expect(csv).to.include('add,user2,false,profile/std:attribute:job-title,,"a ""b"", c"');
    expect(csv).to.include("add,user1,false,profile/std:attribute:telephone,,'+44 20 7946 0123 (std:qualifier:office)");
    expect(csv.join('')).not.to.contain('\u001b');

    expect((await site.call('plan', '1', '--kind', 'block')).stdout).to.equal('Nothing to change.\n');
    await site.call('approve', '1', '--reason', 'a look at it');
    expect((await site.call('user', 'user1')).stdout)
      .to.contain('\\u001b[31mDr')
      .and.not.to.contain('\u001b');
  });
});

function stagesOf(site: Site): Promise<object[]> {
  return site.query(`select relname from pg_class where relname ~ '^stage_[0-9]+$' order by 1`);
}
