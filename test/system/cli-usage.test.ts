import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExplainedPreviewLine, PreviewLine } from '../../src/mapping/preview.js';
import { Site, ndjson, people, person, printed } from '../support/cli.js';

describe('the program, called by a stranger', () => {
  let site: Site;
  before(async () => {
    site = await Site.open();
  });
  after(async () => {
    await site[Symbol.asyncDispose]();
  });

  it('ends with 2 and says what to do when it is called wrongly', async () => {
    await site.write('a.json', '[]');
    const cases: [args: string[], ...says: (string | RegExp)[]][] = [
      [['frob'], "unknown command 'frob'", 'COMMAND --help'],
      [['syn', 'users=a.json'], 'Did you mean sync?'],
      [['sync'], 'NAME=FILE'],
      [['sync', 'users=a.json', '--frob'], "unknown option '--frob'"],
      [['sync', 'a.json'], '"a.json"', 'give NAME=FILE'],
      [['sync', 'people=a.json'], 'no file named people', 'It lists: users'],
      [['sync', 'users=a.json', 'users=a.json'], '"users" is given twice'],
      [['sync', 'users=missing.json'], 'missing.json', 'Check the name'],
      [['sync', 'users=.'], 'not a regular file'],
      [['sync', 'users=a.json', '--control', 'none.json'], 'none.json: there is no such file'],
      [['sync', 'users=a.json', '--feed', 'staff'], 'Feed "staff" has no control file yet', '--control'],
      [['preview', 'users=missing.json', '--control', 'control.json'], 'missing.json: there is no such file'],
      [['preview', 'people=a.json', '--control', 'control.json'], 'It lists: users'],
      [['check', 'none.json'], 'none.json: there is no such file'],
      [['run', 'seven'], '"seven" is no run id', 'user-sync runs'],
      [['run', '7'], 'There is no run 7'],
      [['log', '7'], 'There is no run 7'],
      [['runs', '--limit', '0'], 'whole number above 0'],
      [['runs', '--feed', 'staf'], 'There is no feed "staf"', 'default'],
      [['plan', '7', '--format', 'xml'], 'table, csv, ndjson'],
      [['approve', '7'], "'--reason <T>'"],
      [['--config', 'none.yaml', 'runs'], 'none.yaml', 'init'],
      [['init', 'a.json'], 'Making the folder', 'Give another directory'],
    ];
    // A few at a time: each is a process.
    while (cases.length > 0) {
      await Promise.all(
        cases.splice(0, 4).map(async ([args, ...says]) => {
          const what = args.join(' ');
          const { code, stdout, stderr } = await site.call(...args);
          expect(code, `${what}: ${stderr}`).to.equal(2);
          expect(stdout, what).to.equal('');
          expect(stderr, what).not.to.match(/^ +at /m);
          for (const part of says) expect(stderr, what).to.contain(part);
        }),
      );
    }
    expect(ndjson((await site.call('runs', '--json')).stdout)).to.deep.equal([]);
  });

  it('lists every problem of a configuration at once', async () => {
    await site.write('bad.yaml', 'feeds:\n  default:\n    chunksize: 5\n    guards: maybe\nfoo: 1\n');
    const calls = [
      site.call('--config', 'bad.yaml', 'runs'),
      site.callWith({ USER_SYNC_CONFIG: 'bad.yaml' }, 'doctor'),
    ];
    for (const { code, stderr } of await Promise.all(calls)) {
      expect(code).to.equal(2);
      expect(stderr)
        .to.contain('has 3 problems')
        .and.to.contain('3:5 /feeds/default/chunksize')
        .and.to.contain('did you mean "chunkSize"?')
        .and.to.contain('4:13 /feeds/default/guards')
        .and.to.contain('5:1 /foo');
    }
  });

  it('takes the global options before and after the name of the command', async () => {
    await site.write(
      'other.yaml',
      'feeds:\n  default: { control: control.json }\n  staff: { control: control.json }\n',
    );
    const calls = [
      site.call('--config', 'other.yaml', '--json', 'doctor'),
      site.call('doctor', '--config', 'other.yaml', '--json'),
      site.call('--json', 'doctor', '--config', 'other.yaml'),
    ];
    for (const { code, stdout } of await Promise.all(calls)) {
      expect(code).to.equal(0);
      const { healthy, findings } = JSON.parse(stdout) as { healthy: boolean; findings: { check: string }[] };
      expect(healthy).to.equal(true);
      expect(findings.map(({ check }) => check)).to.include.members(['model', 'drop of staff', 'database', 'schema']);
    }
  });

  it('tells its version and helps', async () => {
    const [version, help, ofCommand] = await Promise.all([
      site.call('--version'),
      site.call('--help'),
      site.call('sync', '--help'),
    ]);
    expect([version.code, help.code, ofCommand.code]).to.deep.equal([0, 0, 0]);
    expect(version.stdout).to.match(/^\d+\.\d+\.\d+\n$/);
    for (const command of 'demo init sync check preview runs run plan log approve cancel user migrate doctor'.split(
      ' ',
    )) {
      expect(help.stdout).to.match(new RegExp(`^ +${command} `, 'm'));
    }
    for (const option of ['--feed', '--control', '--approve', '--dry-run', '--force', '--json', '--config']) {
      expect(ofCommand.stdout).to.contain(option);
    }
  });

  it('generates a control file to start from, which is valid as it is', async () => {
    await using site = await Site.open();
    const generated = await site.call('generate');
    expect(generated.code).to.equal(0);
    await site.write('generated.json', generated.stdout);
    const checked = await site.call('check', 'generated.json');
    expect(checked).to.deep.include({ code: 0, stdout: 'generated.json is valid\n' });
    expect(JSON.parse((await site.call('generate', '--json')).stdout)).to.deep.equal(JSON.parse(generated.stdout));
  });

  it('checks a control file and gives every problem with its place', async () => {
    await site.write(
      'bad.json',
      `{
  "dataImportControlFileVersion": 0,
  "model": "haplo:user-sync",
  "files": { "users": { "read": "jsn" } },
  "instructions": [
    { "source": "USERNAME", "destination": "user", "name": "username" },
    { "source": "X", "destination": "profile", "name": "std:attribute:job-titel" },
    { "action": "fly" }
  ]
}`,
    );
    const [bad, badJson, good, goodJson, used] = await Promise.all([
      site.call('check', 'bad.json'),
      site.call('check', 'bad.json', '--json'),
      site.call('check', 'control.json'),
      site.call('check', 'control.json', '--json'),
      site.call('sync', 'users=a.json', '--control', 'bad.json'),
    ]);
    expect(bad.code).to.equal(2);
    expect(bad.stdout)
      .to.contain('bad.json:4:33: error /files/users/read: unknown format `jsn`: did you mean `json`? [unknown-reader]')
      .and.to.contain('bad.json:7:56: error /instructions/1/name')
      .and.to.contain('bad.json:8:17: error /instructions/2/action')
      .and.to.match(/^bad\.json has 3 errors$/m);
    expect(badJson.code).to.equal(2);
    const { valid, problems } = JSON.parse(badJson.stdout) as { valid: boolean; problems: object[] };
    expect(valid).to.equal(false);
    expect(problems).to.have.length(3);
    expect(problems[0]).to.deep.equal({
      severity: 'error',
      code: 'unknown-reader',
      pointer: '/files/users/read',
      message: 'unknown format `jsn`: did you mean `json`?',
      line: 4,
      column: 33,
    });
    expect([good.code, good.stdout]).to.deep.equal([0, 'control.json is valid\n']);
    expect([goodJson.code, goodJson.stdout]).to.deep.equal([0, '{"valid":true,"problems":[]}\n']);
    expect(used.code).to.equal(2);
    expect(used.stderr).to.contain('has 3 problems').and.to.contain('8:17 /instructions/2/action');
  });

  it('previews records one a line, without any database', async () => {
    await site.write(
      'preview.json',
      '[\n' +
        [person(1), person(2, { EMAIL: 'nowhere' }), person(3)].map((one) => JSON.stringify(one)).join(',\n') +
        ']',
    );
    const { code, stdout } = await site.callWith(
      { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' },
      ...['preview', '--control', 'control.json', 'users=preview.json', '--limit', '2'],
    );
    expect(code).to.equal(0);
    const lines = ndjson<PreviewLine>(stdout);
    expect(lines).to.have.length(2);
    expect(lines[0]).to.deep.equal({
      file: 'users',
      record: 1,
      line: 2,
      username: 'user1',
      accepted: true,
      user: {
        username: 'user1',
        title: 'Dr',
        nameFirst: 'First1',
        nameLast: 'Last1',
        email: 'user1@example.org',
        groups: ['example:group:students'],
      },
      tags: { 'example:tag:card-number': '1001' },
      profile: {
        'std:attribute:job-title': [{ value: 'Reader in Linguistics' }],
        'std:attribute:telephone': [{ value: '+44 20 7946 0123', qualifier: 'std:qualifier:office' }],
        'std:attribute:url': [{ value: 'https://people.example.org/someone' }],
      },
      dependents: {},
      errors: [],
    });
    expect(lines[1]).to.deep.include({ record: 2, line: 3, username: 'user2', accepted: false });
    expect(lines[1]!.errors[0]).to.have.all.keys('code', 'source', 'message');
    expect(lines[1]!.errors[0]).to.include({ code: 'invalid-email', source: 'EMAIL' });

    await site.write('cut.json', '[\n{"USERNAME": "a"');
    const cut = await site.call('preview', '--control', 'control.json', 'users=cut.json');
    expect(cut.code).to.equal(1);
    expect(cut.stderr).to.contain('cut.json: ').and.to.contain('record 1');
  });

  it('explains in its preview which instruction set what, also of a rejected record', async () => {
    const jobless = person(1, { JOB_TITLE: '', PHONE: '', HOMEPAGE: '', CARD: '' });
    await site.write('explain.json', JSON.stringify([jobless, person(2, { EMAIL: 'nowhere' })]));
    const preview = ['preview', '--control', 'control.json', 'users=explain.json'];
    const [without, piped, asked] = await Promise.all([
      site.call(...preview),
      site.call(...preview, '--explain'),
      site.call(...preview, '--explain', '--json'),
    ]);
    expect([without.code, piped.code, asked.code]).to.deep.equal([0, 0, 0]);
    expect(asked.stdout).to.equal(piped.stdout);
    const lines = ndjson<ExplainedPreviewLine>(piped.stdout);
    expect(lines.map(({ explain: _, ...line }) => line)).to.deep.equal(ndjson(without.stdout));
    const set = (index: number, name: string, source: string): object => ({
      pointer: `/instructions/${index}`,
      destination: 'user',
      name,
      kind: name === 'groups' ? 'add' : 'set',
      source,
    });
    const removed = { destination: 'profile', kind: 'remove' };
    expect(lines[0]!.explain).to.deep.equal([
      set(0, 'username', 'USERNAME'),
      set(1, 'title', 'TITLE'),
      set(2, 'nameFirst', 'FIRST_NAME'),
      set(3, 'nameLast', 'LAST_NAME'),
      set(4, 'email', 'EMAIL'),
      set(5, 'groups', 'ROLE'),
      { ...removed, pointer: '/instructions/6', name: 'std:attribute:job-title' },
      { ...removed, pointer: '/instructions/8', name: 'std:attribute:telephone' },
    ]);
    expect(lines[1]).to.have.property('accepted', false);
    expect(lines[1]!.explain).to.deep.include({
      pointer: '/instructions/9',
      destination: 'profile',
      name: 'std:attribute:telephone',
      kind: 'set',
      source: 'PHONE',
      qualifier: 'std:qualifier:office',
    });
  });

  it('says nothing when its reader leaves early', async () => {
    await site.write('many.json', JSON.stringify(people(2000)));
    const { child, ended } = await site.start(['preview', '--control', 'control.json', 'users=many.json']);
    await once(child.stdout!, 'data');
    child.stdout!.destroy();
    const { code, stderr } = await ended;
    expect([code, stderr]).to.deep.equal([0, '']);
  });
});

describe('the program, on a fresh machine', () => {
  it('writes a configuration that works at once, and never over an existing one', async () => {
    await using site = await Site.open({ database: 'embedded' });
    const init = await site.call('init', 'new', '--json');
    expect(init.code).to.equal(0);
    const { written } = JSON.parse(init.stdout) as { written: string[] };
    expect(written.map((path) => path.slice(site.folder.length))).to.include.members([
      '/new/user-sync.yaml',
      '/new/model.json',
      '/new/control.json',
    ]);
    const yaml = await readFile(join(site.folder, 'new', 'user-sync.yaml'), 'utf8');
    expect(yaml).to.contain('model: ./model.json').and.to.contain('control: ./control.json');

    const again = await site.call('init', 'new');
    expect(again.code).to.equal(2);
    expect(again.stderr).to.contain('is there already');
    expect(await readFile(join(site.folder, 'new', 'user-sync.yaml'), 'utf8')).to.equal(yaml);

    await site.write('users.json', JSON.stringify(people(5)));
    const config = ['--config', 'new/user-sync.yaml'];
    expect((await site.call('check', 'new/control.json', ...config)).code).to.equal(0);
    const { code, stdout } = await site.call('sync', 'users=users.json', '--approve', ...config);
    expect(code).to.equal(0);
    expect(stdout)
      .to.match(/^Run 1 of feed default is complete/)
      .and.to.contain('approved by command line: given in advance with --approve');
  });

  it('brings a database up to date, and says what it would do', async () => {
    await using site = await Site.open({ database: 'empty' });
    const before = await site.call('migrate', '--status', '--json');
    const { applied, pending } = JSON.parse(before.stdout) as { applied: string[]; pending: string[] };
    expect(applied).to.deep.equal([]);
    expect(pending).to.include.members(['migrations/0001-directory.sql', 'migrations/0002-sync.sql']);
    const doctor = await site.call('doctor');
    expect(doctor.code).to.equal(0);
    expect(doctor.stdout).to.match(/^ok {4}schema .*user-sync migrate/m);

    const migrated = await site.call('migrate', '--json');
    expect(migrated.code).to.equal(0);
    expect(JSON.parse(migrated.stdout)).to.deep.equal({ applied: pending });
    expect((await site.call('migrate')).stdout).to.equal('The schema is up to date.\n');
    expect((await site.call('migrate', '--status')).stdout).to.match(/^applied {2}migrations\/0001-directory\.sql$/m);
    const healthy = await site.call('doctor');
    expect(healthy.code).to.equal(0);
    expect(healthy.stdout)
      .to.match(/^ok {4}schema +up to date$/m)
      .and.not.to.contain('MEND');
  });

  it('says what to look at when the database cannot be reached, without giving the password away', async () => {
    await using site = await Site.open();
    const unreachable = { DATABASE_URL: 'postgres://sync:s3cret-word@127.0.0.1:1/users' };
    const [doctor, doctorJson, runs, migrate, wrong] = await Promise.all([
      site.callWith(unreachable, 'doctor'),
      site.callWith(unreachable, 'doctor', '--json'),
      site.callWith(unreachable, 'runs'),
      site.callWith(unreachable, 'migrate'),
      site.callWith({ DATABASE_URL: 'mysql://sync:s3cret-word@127.0.0.1/users' }, 'runs'),
    ]);
    expect([doctor.code, doctorJson.code, runs.code, migrate.code, wrong.code]).to.deep.equal([1, 1, 1, 1, 2]);
    expect(doctor.stdout).to.match(
      /^MEND {2}database +Cannot connect to Postgres: .*ECONNREFUSED.* Check that it runs/m,
    );
    expect(JSON.parse(doctorJson.stdout)).to.have.property('healthy', false);
    for (const { stderr } of [runs, migrate])
      expect(stderr)
        .to.contain('Check that it runs')
        .and.not.to.match(/^ +at /m);
    expect(wrong.stderr).to.contain('DATABASE_URL');
    for (const { stdout, stderr } of [doctor, doctorJson, runs, migrate, wrong]) {
      expect(stdout + stderr).not.to.contain('s3cret-word');
    }
  });
});

describe('the demonstration', () => {
  it('runs three batches with joiners, changes, leavers and returners, and says so', async () => {
    await using site = await Site.open({ database: 'embedded' });
    const { code, stdout } = await site.call('demo', '--users', '200', '--exit');
    expect(code).to.equal(0);
    expect(stdout)
      .to.contain('A feed of 200 fictional people')
      .and.to.match(/^Run 3 of feed default is complete\.$/m);

    const json = await site.call('demo', '--users', '20', '--exit', '--json');
    expect(json.code).to.equal(0);
    const reports = ndjson<{ status: string; counts: Record<string, number> }>(json.stdout);
    expect(reports.map(({ status }) => status)).to.deep.equal(['complete', 'complete', 'complete']);
    expect(reports[0]!.counts).to.include({ records: 20, added: 20 });
    expect(reports[1]!.counts['blocked']).to.be.greaterThan(0);
    for (const kind of ['added', 'updated', 'blocked', 'unblocked']) {
      expect(reports[2]!.counts[kind], kind).to.be.greaterThan(0);
    }
  });

  it('serves the web page, takes in what is dropped until it is told to stop, and leaves nothing behind', async () => {
    await using site = await Site.open({ database: 'embedded' });
    const { child, ended } = await site.start(['demo', '--users', '5', '--json'], { TMPDIR: site.folder });
    const page = JSON.parse(await printed(child.stdout!, /"url"/)) as { url: string; name: string; password: string };
    const signIn = await fetch(new URL('/sign-in', page.url), {
      method: 'POST',
      body: new URLSearchParams({ name: page.name, password: page.password }),
      redirect: 'manual',
    });
    expect([signIn.status, signIn.headers.get('location')]).to.deep.equal([303, '/']);
    const status = (await (await fetch(new URL('/status', page.url))).json()) as { feeds: Record<string, object> };
    expect(status.feeds['default']).to.have.nested.property('lastRun.run', 3);
    child.kill('SIGINT');
    expect((await ended).code).to.equal(0);
    expect(spawnSync('ls', [site.folder], { encoding: 'utf8' }).stdout).not.to.contain('user-sync-demo');
  });
});
