import { expect } from 'chai';
import { userInfo } from 'node:os';
import { people, person, Site } from '../support/cli.js';

const WHY = ['--reason', 'a test'];
const ADOPT = ['adopt', 'user9', '--email', 'Nine@example.org'];

interface Noted extends Record<string, unknown> {
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly details: Readonly<Record<string, unknown>>;
}

async function noted(site: Site): Promise<Noted[]> {
  return site.query<Noted>('select actor, action, subject, details from sync.audit order by id');
}

async function addByHand(site: Site): Promise<void> {
  await site.query(
    `insert into directory.account (email, name_first, name_last) values ('nine@example.org', 'N', 'Ine')`,
  );
}

describe('The audit log', function () {
  this.timeout(120_000);

  it('has what was decided on the command line, and who was looked up there', async () => {
    await using site = await Site.open({ feed: { autoApply: false } });
    await site.sync(people(3));
    await addByHand(site);
    const commands = [
      ['approve', '1', ...WHY],
      ['sync', 'users=users.json', '--dry-run'],
      ['sync', 'users=users.json', '--force', '--control', 'other.json'],
      ['reapply', '1'],
      ['revert', '1', '--approve'],
      ['sync', 'users=more.json'],
      ['cancel', '6'],
      ['protect', 'USER1', ...WHY],
      ['protect', 'user1', '--end'],
      ['override', 'user1', 'title=Prof', 'nameLast=Secret', ...WHY, '--until', '2099-01-31'],
      ['override', 'user1', 'title', '--end'],
      ADOPT,
      ['user', 'USER1@example.org'],
      ['user', 'nine@example.org'],
      ['plan', '1', '--format', 'csv'],
      ['plan', '1', '--kind', 'add', '--json'],
    ];
    await site.write('other.json', JSON.stringify({ ...(await site.control()), _comment: 'another' }));
    await site.write('more.json', JSON.stringify([...people(3), person(4)]));
    for (const command of commands) {
      const { code, stderr } = await site.call(...command);
      expect([0, 3], `${command.join(' ')}: ${stderr}`).to.include(code);
    }
    const all = await noted(site);
    expect(all.map(({ action, subject }) => `${action} ${subject}`)).to.deep.equal([
      'control-replaced feed default',
      'batch-started run 1',
      'run-approved run 1',
      'batch-started run 2',
      'control-replaced feed default',
      'batch-started run 3',
      'run-reapplied run 1',
      'run-reverted run 1',
      'run-approved run 5',
      'batch-started run 6',
      'run-cancelled run 6',
      'user-protected user1',
      'override-ended user1',
      'value-pinned user1',
      'value-pinned user1',
      'override-ended user1',
      'account-adopted user9',
      'person-looked-up user1',
      'person-looked-up user9',
      'plan-downloaded run 1',
      'plan-downloaded run 1',
    ]);
    const osUser = userInfo().username;
    for (const { actor, action, details } of all) {
      expect([actor, details['osUser']], action).to.deep.equal(['command line', osUser]);
    }
    const detailsOf = (action: string): unknown[] =>
      all.filter((one) => one.action === action).map(({ details: { osUser: _, ...details } }) => details);
    expect(detailsOf('run-approved')[0]).to.deep.equal({ withoutBlocks: false });
    expect(detailsOf('run-reverted')).to.deep.equal([{ run: 5 }]);
    expect(detailsOf('value-pinned')[0]).to.deep.equal({ name: 'title', until: '2099-02-01T00:00:00.000Z' });
    expect(detailsOf('override-ended')).to.deep.equal([
      { kind: 'protect', name: null },
      { kind: 'pin', name: 'title' },
    ]);
    expect(detailsOf('account-adopted')[0]).to.include({ feed: 'default' });
    expect(detailsOf('plan-downloaded')).to.deep.equal([{ format: 'csv' }, { kind: 'add', format: 'ndjson' }]);
    expect(JSON.stringify(all)).not.to.match(/example\.org|Secret|Prof/i);
  });

  it('has keys and people with the name that the machine knows the caller by', async () => {
    await using site = await Site.open();
    await site.call('keys', 'create', '--name', 'HR');
    await site.call('keys', 'revoke', '1');
    const osUser = userInfo().username;
    expect((await noted(site)).map(({ action, details }) => [action, details['osUser']])).to.deep.equal([
      ['key-created', osUser],
      ['key-revoked', osUser],
    ]);
  });

  it('has an approval that a daemon is to carry out once', async () => {
    await using site = await Site.open();
    await site.sync(people(3));
    const lease = (until: string): Promise<unknown> =>
      site.query(`update sync.feed set lease_holder = 'elsewhere:1:x', lease_expires_at = now() + interval '${until}'`);
    await lease('1 minute');
    expect((await site.call('approve', '1', ...WHY)).stdout).to.include('the daemon');
    expect((await noted(site)).map(({ action }) => action).slice(2)).to.deep.equal(['run-approved']);
  });

  it('and the command go together: what cannot be noted is not done, and nobody is shown', async () => {
    await using site = await Site.open({ feed: { autoApply: false } });
    await site.sync(people(3), '--approve');
    expect((await site.sync(people(4))).code).to.equal(3);
    await addByHand(site);
    const role = decodeURIComponent(new URL(site.testDatabase.url).username);
    await site.administer(`revoke insert on sync.audit from ${role}`);
    const before = await site.query('select id, status, approved_by from sync.run order by id');
    for (const command of [
      ['approve', '2', ...WHY],
      ['cancel', '2'],
      ['reapply', '1'],
      ['revert', '1'],
      ['protect', 'user1', ...WHY],
      ['override', 'user1', 'title=Prof', ...WHY],
      ADOPT,
      ['user', 'user1'],
      ['plan', '1', '--json'],
    ]) {
      const { code, stdout, stderr } = await site.call(...command);
      expect([code, stdout], command.join(' ')).to.deep.equal([1, '']);
      expect(stderr, command.join(' ')).to.include('[rights-missing]').and.include('migrate --grant-to');
    }
    expect(await site.query('select id, status, approved_by from sync.run order by id')).to.deep.equal(before);
    expect(await site.query('select * from sync.override')).to.deep.equal([]);
    expect(await site.query(`select from sync.feed_user where username = 'user9'`)).to.deep.equal([]);
  });

  it('changes nothing of what a command says that was wrong or may not', async () => {
    await using site = await Site.open();
    await site.sync(people(3), '--approve');
    const before = (await noted(site)).length;
    for (const [command, code] of [
      [['user', 'nobody'], 'user-unknown'],
      [['protect', 'nobody', ...WHY], 'user-unknown'],
      [['adopt', 'nobody'], 'adopt-impossible'],
      [['approve', '1', ...WHY], 'run-status'],
      [['cancel', '9'], 'run-unknown'],
    ] as const) {
      expect((await site.call(...command)).stderr, command.join(' ')).to.include(`[${code}]`);
    }
    expect(await noted(site)).to.have.length(before);
    await site.administer(`delete from sync.migration where name like 'views/%'`);
    for (const command of [['user', 'user1'], ['protect', 'user1', ...WHY], ADOPT]) {
      expect((await site.call(...command)).stderr, command.join(' ')).to.include('[schema-older]');
    }
  });
});
