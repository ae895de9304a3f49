import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../src/lib/package-root.js';
import type { PreviewLine } from '../../src/mapping/preview.js';
import type { RunReport } from '../../src/sync/run-report.js';
import { Site, ndjson } from '../support/cli.js';

const EXAMPLES = join(packageRoot(), 'config', 'examples');

const USERS = `id,first,last,email
aokafor,Ada,Okafor,ada@example.org
jbloggs,Joe , de   Bloggs,JOE@example.org
zli,Zoe,Li,zoe@example.org
`;

const ROLES = `id,role
aokafor,staff
aokafor,student
gone,staff
jbloggs,student
`;

async function exampleSite(plugins: readonly string[] = [join(EXAMPLES, 'plugins', 'roles-join.js')]): Promise<Site> {
  const control = JSON.parse(await readFile(join(EXAMPLES, 'roles-join.json'), 'utf8')) as object;
  const site = await Site.open({ control, config: { plugins } });
  await site.write('users.csv', USERS);
  await site.write('roles.csv', ROLES);
  return site;
}

describe('the example of a plugin, through the program', () => {
  it('lets check, generate and doctor know it', async () => {
    await using site = await exampleSite();
    expect(await site.call('check', 'control.json')).to.include({ code: 0, stdout: 'control.json is valid\n' });
    expect(await site.call('generate')).to.include({ code: 0 });
    const doctor = await site.call('doctor', '--json');
    const { findings } = JSON.parse(doctor.stdout) as { findings: object[] };
    expect(findings).to.deep.include({ check: 'plugins', ok: true, message: 'roles-join' });
  });

  it('is seen in a preview', async () => {
    await using site = await exampleSite();
    const { code, stdout, stderr } = await site.call(
      'preview',
      '--control',
      'control.json',
      'roles=roles.csv',
      'users=users.csv',
    );
    expect(code, stderr).to.equal(0);
    const lines = ndjson<PreviewLine>(stdout);
    expect(lines.map(({ file, username, user }) => [file, username, user['nameLast'], user['groups']])).to.deep.equal([
      ['users', 'aokafor', 'Okafor', ['example:group:staff', 'example:group:students']],
      ['users', 'jbloggs', 'de Bloggs', ['example:group:students']],
      ['users', 'zli', 'Li', []],
    ]);
    expect(stderr).to.include('Records of roles that belong to no user of the batch: 1, the first on line 4.');
  });

  it('stops a preview after the records asked for, counted over the whole batch', async () => {
    await using site = await exampleSite();
    const called = await site.call(
      'preview',
      '--control',
      'control.json',
      'users=users.csv',
      'roles=roles.csv',
      '--limit',
      '2',
    );
    expect(called.code, called.stderr).to.equal(0);
    expect(ndjson(called.stdout)).to.have.length(2);
  });

  it('needs all files in a preview, and names the missing one', async () => {
    await using site = await exampleSite();
    const { code, stderr } = await site.call('preview', '--control', 'control.json', 'users=users.csv');
    expect(code).to.equal(2);
    expect(stderr).to.match(/example:join-roles needs every file of the batch: give roles too.*\[missing-files\]/);
  });

  it('brings the directory in step', async () => {
    await using site = await exampleSite();
    const first = await site.call('sync', 'users=users.csv', 'roles=roles.csv', '--approve', '--json');
    expect(first.code, first.stderr).to.equal(0);
    expect((JSON.parse(first.stdout) as RunReport).counts).to.deep.include({ records: 3, added: 3, rejected: 0 });
    const groups = () => site.query('select username, is_active, groups from directory.users order by username');
    expect(await groups()).to.deep.equal([
      { username: 'aokafor', is_active: true, groups: ['example:group:staff', 'example:group:students'] },
      { username: 'jbloggs', is_active: true, groups: ['example:group:students'] },
      { username: 'zli', is_active: true, groups: [] },
    ]);
    const log = await site.call('log', '1');
    expect(log.stdout).to.include('Records of roles that belong to no user of the batch: 1');

    // Whoever left is blocked, although a role is still there.
    await site.write('users.csv', USERS.replace(/^jbloggs.*\n/m, ''));
    await site.write('roles.csv', ROLES.replace('aokafor,student\n', ''));
    const second = await site.call('sync', 'users=users.csv', 'roles=roles.csv', '--json');
    expect(second.code, second.stderr).to.equal(0);
    expect((JSON.parse(second.stdout) as RunReport).counts).to.deep.include({ updated: 1, blocked: 1, unchanged: 1 });
    expect((await groups()).slice(0, 2)).to.deep.equal([
      { username: 'aokafor', is_active: true, groups: ['example:group:staff'] },
      { username: 'jbloggs', is_active: false, groups: ['example:group:students'] },
    ]);
  });

  it('fails a batch that is not sorted, and says how to sort it', async () => {
    await using site = await exampleSite();
    await site.write('roles.csv', 'id,role\nzli,staff\naokafor,staff\n');
    const { code, stdout } = await site.call('sync', 'users=users.csv', 'roles=roles.csv', '--json');
    expect(code).to.equal(1);
    const { failure } = JSON.parse(stdout) as RunReport;
    expect(failure?.code).to.equal('record-processor-failed');
    expect(failure?.message).to.include('ORDER BY id COLLATE "C"');
    expect(await site.directory()).to.deep.equal([]);
  });

  it('holds a run in which many people leave the staff', async () => {
    await using site = await exampleSite();
    const ids = Array.from({ length: 30 }, (_, index) => `user${String(index).padStart(2, '0')}`);
    await site.write('users.csv', `id,first,last,email\n${ids.map((id) => `${id},A,B,${id}@example.org\n`).join('')}`);
    const roles = (count: number): string =>
      `id,role\n${ids.map((id, index) => `${id},${index < count ? 'student' : 'staff'}\n`).join('')}`;
    await site.write('roles.csv', roles(0));
    expect(await site.call('sync', 'users=users.csv', 'roles=roles.csv', '--approve')).to.include({ code: 0 });
    await site.write('roles.csv', roles(21));
    const held = await site.call('sync', 'users=users.csv', 'roles=roles.csv');
    expect(held.code).to.equal(3);
    expect(held.stdout).to.include(
      'guard plugin: roles-join wants the run held: 21 people would leave the staff, limit 20',
    );
    expect(await site.call('approve', '2', '--reason', 'a reform')).to.include({ code: 0 });
  });
});

describe('plugins that cannot be used', () => {
  it('end a command with the code for a wrong configuration, and doctor says so', async () => {
    await using site = await exampleSite(['./broken.mjs']);
    await site.write('broken.mjs', 'export default { filters: 5 };');
    const { code, stderr } = await site.call('check', 'control.json');
    expect(code).to.equal(2);
    expect(stderr).to.match(/The plugin broken has 1 problem:\n.*\/filters: .*broken\.mjs\) \[invalid-plugin\]/s);
    const doctor = await site.call('doctor');
    expect(doctor.code).to.equal(1);
    expect(doctor.stdout).to.match(/MEND.*plugins .*The plugin broken/);
  });

  it('are named when they cannot be found', async () => {
    await using site = await exampleSite(['./missing.mjs']);
    const { code, stderr } = await site.call('sync', 'users=users.csv', 'roles=roles.csv');
    expect(code).to.equal(2);
    expect(stderr).to.include('missing.mjs').and.include('[plugin-unreadable]');
  });
});
