import { expect } from 'chai';
import { once } from 'node:events';
import { principalOfKey } from '../../src/access/keys.js';
import { Site, ndjson, type Called } from '../support/cli.js';

const PASSWORD = 'four words do very well';

describe('the program, about access', () => {
  let site: Site;
  before(async () => {
    site = await Site.open();
  });
  after(async () => {
    await site[Symbol.asyncDispose]();
  });

  it('makes keys whose secret is shown once, lists and revokes them', async () => {
    const created = await site.call(
      'keys',
      'create',
      '--name',
      'HR',
      '--feed',
      'default',
      '--expires',
      '2099-01-31',
      '--json',
    );
    const key = JSON.parse(created.stdout) as { id: number; secret: string };
    expect(key).to.have.all.keys('id', 'name', 'scope', 'feed', 'secret');
    expect(key).to.deep.include({ name: 'HR', scope: 'upload', feed: 'default' });
    const { database } = site.testDatabase;
    expect((await principalOfKey(database, key.secret, new Date()))?.feed).to.equal('default');
    expect(await principalOfKey(database, key.secret, new Date('2099-02-02'))).to.equal(undefined);
    const human = await site.call('keys', 'create', '--name', 'Ops', '--scope', 'read');
    expect(human.stdout).to.match(/^Key 2 for Ops \(read\)[^]*\n {2}usersync_[\w-]{43}\n$/);
    const list = await site.call('keys', 'list');
    expect(list.stdout)
      .to.match(/ 2 {2}Ops +read +every feed +in force/)
      .and.not.include('usersync_');
    expect((await site.call('keys', 'revoke', String(key.id))).stdout).to.equal('Key 1 (HR) works no longer.\n');
    expect(await principalOfKey(database, key.secret, new Date())).to.equal(undefined);
    const rows = ndjson((await site.call('--json', 'keys', 'list')).stdout);
    expect(rows.map(({ id }) => id)).to.deep.equal([2, 1]);
    expect(JSON.stringify(rows)).not.to.include(key.secret);
  });

  it('says what is wrong with a key that cannot be made or is not there', async () => {
    for (const [args, message] of [
      [['create'], /--name/],
      [['create', '--name', 'x', '--scope', 'root'], /upload, read, operate, admin/],
      [['create', '--name', 'x', '--expires', 'soon'], /2027-01-31/],
      [['revoke', '99'], /no key 99/],
      [['revoke', 'x'], /number of a key/],
    ] as const) {
      const { code, stderr } = await site.call('keys', ...args);
      expect([code, message.test(stderr)], stderr).to.deep.equal([2, true]);
    }
  });

  it('adds people with a password from stdin, lists and removes them', async () => {
    const added = await add('Ada', '--role', 'operator');
    expect([added.code, added.stdout]).to.deep.equal([0, 'Ada may sign in as operator.\n']);
    expect((await add('Bob')).stdout).to.equal('Bob may sign in as admin.\n');
    const list = await site.call('admins', 'list');
    expect(list.stdout).to.match(/^NAME +ROLE +SINCE\nAda +operator +\d{4}[^]*Bob +admin/);
    const twice = await add('ada');
    expect([twice.code, /Choose another name/.test(twice.stderr)]).to.deep.equal([2, true]);
    const weak = await add('Cyd', '--role', 'viewer', { password: 'short' });
    expect([weak.code, /12 to 256/.test(weak.stderr)]).to.deep.equal([2, true]);
    expect((await site.call('admins', 'remove', 'bob')).stderr).to.contain('only admin');
    expect((await site.call('admins', 'remove', 'ADA')).stdout).to.equal('Ada may no longer sign in.\n');
    expect((await site.call('admins', 'remove', 'Ada')).code).to.equal(2);
    const stored = await site.query<{ password: string }>('select password from sync.operator');
    expect(stored.map(({ password }) => password.split('$').slice(0, 4).join(' '))).to.deep.equal([
      'scrypt 131072 8 1',
    ]);
  });

  async function add(name: string, ...more: (string | { password: string })[]): Promise<Called> {
    const args = more.filter((one) => typeof one === 'string');
    const password = more.find((one) => typeof one === 'object')?.password ?? PASSWORD;
    const { child, ended } = await site.start(['admins', 'add', name, ...args], {}, 'pipe');
    child.stdin?.end(`${password}\n`);
    await once(child, 'exit');
    return ended;
  }
});
