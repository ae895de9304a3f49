import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../../src/config/config.js';
import { loadConfig } from '../../../src/config/load.js';
import { InvalidFileError, UserSyncError } from '../../../src/lib/errors.js';
import { packageRoot } from '../../../src/lib/package-root.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

type Environment = Record<string, string>;

async function load(yaml: string | Uint8Array, environment: Environment = {}): Promise<Config> {
  await using folder = await temporaryFolder({ 'user-sync.yaml': yaml });
  return await loadConfig({ cwd: folder.path, environment });
}

/** The problems of a configuration as `line:column pointer code`. */
async function problemsOf(yaml: string, environment: Environment = {}): Promise<string[]> {
  const error = await failureOf(load(yaml, environment));
  expect(error).to.be.instanceOf(InvalidFileError);
  const { problems } = error as InvalidFileError;
  return problems.map(({ line, column, pointer, code }) => `${line ?? '-'}:${column ?? '-'} ${pointer} ${code}`);
}

async function failureOf(promise: Promise<unknown>): Promise<UserSyncError> {
  try {
    await promise;
  } catch (error) {
    expect(error).to.be.instanceOf(UserSyncError);
    return error as UserSyncError;
  }
  throw new Error('nothing was thrown');
}

describe('loadConfig: which file', () => {
  it('falls back to the defaults, relative to the working directory, when there is no file', async () => {
    await using folder = await temporaryFolder();
    const config = await loadConfig({ cwd: folder.path, environment: {} });
    expect(config.file).to.equal(undefined);
    expect(config.directory).to.equal(folder.path);
    expect(config.dataDir).to.equal(join(folder.path, 'var'));
    expect(config.model).to.equal(join(packageRoot(), 'config', 'model.json'));
    expect(config.database.url).to.equal(undefined);
    expect(Object.keys(config.feeds)).to.deep.equal(['default']);
    expect(config.feeds.default.dropDirectory).to.equal(join(folder.path, 'var', 'drop', 'default'));
  });

  it('takes --config before USER_SYNC_CONFIG before user-sync.yaml', async () => {
    await using folder = await temporaryFolder({
      'flag.yaml': 'http: { port: 1 }',
      'variable.yaml': 'http: { port: 2 }',
      'user-sync.yaml': 'http: { port: 3 }',
    });
    const cwd = folder.path;
    const environment = { USER_SYNC_CONFIG: 'variable.yaml' };
    expect((await loadConfig({ cwd, environment, file: 'flag.yaml' })).http.port).to.equal(1);
    expect((await loadConfig({ cwd, environment })).http.port).to.equal(2);
    expect((await loadConfig({ cwd, environment: { USER_SYNC_CONFIG: '' } })).http.port).to.equal(3);
  });

  it('says that a file that was named is not there', async () => {
    await using folder = await temporaryFolder();
    const error = await failureOf(loadConfig({ cwd: folder.path, environment: {}, file: 'none.yaml' }));
    expect(error.code).to.equal('config-unreadable');
    expect(error.kind).to.equal('usage');
    expect(error.message).to.include(join(folder.path, 'none.yaml')).and.to.include('user-sync init');
  });

  it('says that a file cannot be read, or is not UTF-8', async () => {
    await using folder = await temporaryFolder({ 'latin1.yaml': Uint8Array.of(0x23, 0xe9, 0x0a) });
    const asFolder = await failureOf(loadConfig({ environment: {}, file: folder.path }));
    expect(asFolder.code).to.equal('config-unreadable');
    const latin1 = await failureOf(loadConfig({ environment: {}, file: join(folder.path, 'latin1.yaml') }));
    expect(latin1.message).to.include('not UTF-8');
  });

  it('accepts an empty file, one with a byte order mark, and one with nothing but keys', async () => {
    expect((await load('')).http.port).to.equal(8080);
    expect((await load('\ufeffhttp: { port: 1 }')).http.port).to.equal(1);
    const config = await load('database:\nhttp:\n  port:\nfeeds:\n  default:\n  hr:\n    guards:\n');
    expect(config.http.port).to.equal(8080);
    expect(config.feeds['hr']?.guards.blocked.enabled).to.equal(true);
  });
});

describe('loadConfig: what is in force', () => {
  it('resolves relative paths against the folder of the file', async () => {
    await using folder = await temporaryFolder({
      'site.yaml': `
dataDir: data
model: ./model.json
plugins: [./plugin.js, ../shared.js, some-package, /opt/plugin.js]
feeds:
  hr: { dropDirectory: /srv/drop, control: control.json }
  students: {}
`,
    });
    const config = await loadConfig({ file: join(folder.path, 'site.yaml'), cwd: '/', environment: {} });
    expect(config.file).to.equal(join(folder.path, 'site.yaml'));
    expect(config.dataDir).to.equal(join(folder.path, 'data'));
    expect(config.model).to.equal(join(folder.path, 'model.json'));
    expect(config.plugins).to.deep.equal([
      join(folder.path, 'plugin.js'),
      join(folder.path, '..', 'shared.js'),
      'some-package',
      '/opt/plugin.js',
    ]);
    expect(config.feeds['hr']?.dropDirectory).to.equal('/srv/drop');
    expect(config.feeds['hr']?.control).to.equal(join(folder.path, 'control.json'));
    expect(config.feeds['students']?.dropDirectory).to.equal(join(folder.path, 'data', 'drop', 'students'));
    expect(config.feeds.default.control).to.equal(undefined);
  });

  it('cannot be changed, and has no feeds that nobody named', async () => {
    const config = await load('feeds: { hr: {} }');
    expect(() => Object.assign(config.feeds.default.report.email, ['x'])).to.throw(TypeError);
    expect(() => Object.assign(config.http, { port: 1 })).to.throw(TypeError);
    expect(config.feeds['constructor']).to.equal(undefined);
    expect(config.feeds['__proto__']).to.equal(undefined);
  });

  it('lets DATABASE_URL win over the file', async () => {
    const yaml = 'database: { url: "postgres://file/x", poolSize: 3 }';
    const config = await load(yaml, { DATABASE_URL: 'postgres://environment/x' });
    expect(config.database).to.deep.equal({ url: 'postgres://environment/x', poolSize: 3 });
    expect((await load(yaml, { DATABASE_URL: '' })).database.url).to.equal('postgres://file/x');
    expect((await load('', { DATABASE_URL: 'postgresql:///x?host=/run/postgresql' })).database.url).to.be.a('string');
  });

  it('parses the days on which a batch is expected', async () => {
    const days = async (text: string) =>
      (await load(`feeds: { default: { expect: { days: "${text}" } } }`)).feeds.default.expect.days;
    expect(await days('mon-fri')).to.deep.equal(['mon', 'tue', 'wed', 'thu', 'fri']);
    expect(await days('sat-mon, wed')).to.deep.equal(['mon', 'wed', 'sat', 'sun']);
    expect(await days('tue')).to.deep.equal(['tue']);
    expect(await days('mon-sun')).to.have.length(7);
  });

  it('lets anchors share settings between feeds', async () => {
    const config = await load('feeds: { default: &usual { chunkSize: 7 }, hr: *usual }');
    expect(config.feeds['hr']?.chunkSize).to.equal(7);
  });
});

describe('loadConfig: the environment', () => {
  it('fills in variables, with a text to fall back on', async () => {
    const config = await load(
      `
database: { url: "postgres://app:\${PASSWORD}@\${HOST:-localhost}/\${NAME:-users}" }
http: { host: "\${LISTEN}", metricsToken: "a $\${literal} and more" }
`,
      { PASSWORD: 'p1', LISTEN: '::1', NAME: '' },
    );
    expect(config.database.url).to.equal('postgres://app:p1@localhost/users');
    expect(config.http.host).to.equal('::1');
    expect(config.http.metricsToken).to.equal('a ${literal} and more');
  });

  it('reads a number or a boolean where the schema wants one, and text where it wants text', async () => {
    const config = await load(
      'http: { port: "${PORT}", trustProxy: "${TRUST}", host: "${HOST}" }\nfeeds: { default: { guards: { blocked: { share: "${SHARE}" } } } }',
      { PORT: '9000', TRUST: 'true', HOST: '10', SHARE: '0.3' },
    );
    expect(config.http.port).to.equal(9000);
    expect(config.http.trustProxy).to.equal(true);
    expect(config.http.host).to.equal('10');
    expect(config.feeds.default.guards.blocked.share).to.equal(0.3);
    expect(await problemsOf('http: { port: "8080" }')).to.deep.equal(['1:15 /http/port config-invalid-value']);
    expect(await problemsOf('http: { port: "${PORT}" }', { PORT: '80a' })).to.have.length(1);
  });

  it('takes a variable that is set to nothing as not given', async () => {
    const config = await load('mail: { smtpUrl: "${SMTP_URL:-}", from: "${FROM}" }', { FROM: '' });
    expect(config.mail.smtpUrl).to.equal(undefined);
    expect(config.mail.from).to.equal(undefined);
  });

  it('names each variable that is not set, once, with the place where it is wanted', async () => {
    const error = await failureOf(
      load(
        'feeds:\n  default:\n    report:\n      webhook: { url: "https://example.org", secret: "${HOOK}" }\n    control: ${CONTROL}\n',
      ),
    );
    expect(error.message).to.include(
      '4:54 /feeds/default/report/webhook/secret: the environment variable HOOK is not set',
    );
    expect(error.message).to.include('5:14 /feeds/default/control: the environment variable CONTROL is not set');
    expect((error as InvalidFileError).problems).to.have.length(2);
  });

  it('refuses what is not the name of a variable', async () => {
    for (const text of ['${}', '${a b}', '${open', '${1X}', '${A:x}']) {
      expect(await problemsOf(`dataDir: "${text}"`)).to.deep.equal(['1:10 /dataDir config-variable']);
    }
  });

  it('does not look into what a variable holds', async () => {
    const config = await load('dataDir: "/${A}"', { A: '${B}' });
    expect(config.dataDir).to.equal('/${B}');
  });
});

describe('loadConfig: what is wrong', () => {
  it('lists all problems at once, in the order of the file', async () => {
    const yaml = `databse: {}
database:
  url: mysql://u:sesame@h/d
  poolSize: many
http:
  publicURL: https://example.org
log: { level: loud }
model: \${MODEL}
feeds:
  HR: {}
  default:
    guards:
      empty: off
      blocked: { share: 2, cuont: 1 }
    expect: { by: 7:30, days: mon-foo, timeZone: Europe/Nowhere }
    report:
      email: [nobody]
    retention: { runs: 1.5 }
`;
    expect(await problemsOf(yaml)).to.deep.equal([
      '1:1 /databse config-unknown-key',
      '3:8 /database/url config-invalid-value',
      '4:13 /database/poolSize config-invalid-value',
      '6:3 /http/publicURL config-unknown-key',
      '7:15 /log/level config-invalid-value',
      '8:8 /model config-variable',
      '10:3 /feeds/HR config-invalid-value',
      '13:14 /feeds/default/guards/empty config-invalid-value',
      '14:25 /feeds/default/guards/blocked/share config-invalid-value',
      '14:28 /feeds/default/guards/blocked/cuont config-unknown-key',
      '15:19 /feeds/default/expect/by config-invalid-value',
      '15:31 /feeds/default/expect/days config-invalid-value',
      '15:50 /feeds/default/expect/timeZone config-invalid-value',
      '17:15 /feeds/default/report/email/0 config-invalid-value',
      '18:24 /feeds/default/retention/runs config-invalid-value',
    ]);
  });

  it('says which key was probably meant', async () => {
    const error = await failureOf(
      load('databse: {}\nfeeds: { default: { guards: { fist-run: off }, droppDirectory: x, zzz: 1 } }'),
    );
    expect(error.message).to.include('did you mean "database"?');
    expect(error.message).to.include('did you mean "first-run"?');
    expect(error.message).to.include('did you mean "dropDirectory"?');
    expect(error.message).to.include('/feeds/default/zzz: unknown key; known here are dropDirectory, control,');
    expect(error.kind).to.equal('usage');
    expect(error.code).to.equal('invalid-config');
  });

  it('never quotes a value, whatever is wrong with it', async () => {
    const secrets = [
      'database: { url: "sesame" }',
      'database: { url: "postgres//u:sesame@h/d" }',
      'database: { url: [sesame] }',
      'database: { url: *sesame }',
      'database: { url: !sesame x }',
      'database:\n  url: @sesame',
      'database:\n  url: |sesame\n    x',
      'database:\n  url: "sesame\\q"',
      'database: { url: "x" sesame }',
      'database:\n  url: "x"\n sesame',
      'http: { metricsToken: "sesame" }',
      'mail: { smtpUrl: "https://u:sesame@h" }',
      'mail: { smtpUrl: "${P}" }',
      'feeds: { default: { report: { webhook: { url: "ftp://sesame", secret: "sesame" }, ping: "sesame" } } }',
    ];
    for (const yaml of secrets) {
      const { message } = await failureOf(load(yaml, { P: 'sesame' }));
      expect(message, yaml).not.to.include('sesame');
      expect(message, yaml).to.match(/ has \d+ problems?:\n {2}\d+:\d+ /);
    }
    const fromEnvironment = await failureOf(load('', { DATABASE_URL: 'sesame' }));
    expect(fromEnvironment.message).to.include('environment variable DATABASE_URL').and.not.to.include('sesame');
  });

  it('reports what is not YAML, a key that is there twice, and a document of another shape', async () => {
    expect(await problemsOf('http:\n  port: [1\nlog: {}\n')).to.include('3:1  config-syntax');
    expect(await problemsOf('log: {}\nhttp: { port: x }\nlog: {}\n')).to.deep.equal([
      '2:15 /http/port config-invalid-value',
      '3:1  config-syntax',
    ]);
    expect(await problemsOf('- a\n- b\n')).to.deep.equal(['1:1  config-invalid-value']);
    expect(await problemsOf('just text')).to.deep.equal(['1:1  config-invalid-value']);
    expect(await problemsOf('log: {}\n---\nlog: {}\n')).to.deep.equal(['2:1  config-syntax']);
  });

  it('survives aliases that stand for themselves or for very many others', async () => {
    expect(await problemsOf('feeds: &f { default: *f }')).to.include('1:22 /feeds/default/default config-syntax');
    expect(await problemsOf('dataDir: *nothing')).to.deep.equal(['1:10 /dataDir config-syntax']);
    const list = (name: string, of: string) => `${name}: &${name} [${`${of}, `.repeat(9)}${of}]`;
    const bomb = ['a: &a [1]', list('b', '*a'), list('c', '*b'), list('d', '*c'), list('e', '*d')].join('\n');
    const problems = await problemsOf(bomb);
    expect(problems.filter((problem) => problem.endsWith('config-syntax'))).to.have.length(1);
    expect(problems).to.have.length(6);
  });

  it('takes keys like __proto__ for unknown ones', async () => {
    expect(await problemsOf('__proto__: { http: 1 }')).to.deep.equal(['1:1 /__proto__ config-unknown-key']);
  });

  it('wants a webhook signed, mails to have a sender and a server', async () => {
    expect(
      await problemsOf('feeds: { default: { report: { webhook: { url: "https://example.org" } } } }'),
    ).to.deep.equal(['1:40 /feeds/default/report/webhook config-invalid-value']);
    expect(await problemsOf('mail: { smtpUrl: "smtp://example.org" }')).to.deep.equal([
      '1:7 /mail/from config-invalid-value',
    ]);
    for (const from of ['user-sync', 'User sync <user-sync>', '"a@example.org\\r\\nBcc: b@example.org"']) {
      expect(await problemsOf(`mail: { from: ${from} }`), from).to.deep.equal(['1:15 /mail/from config-invalid-value']);
    }
    expect(await problemsOf('feeds: { default: { report: { email: [ops@example.org] } } }')).to.deep.equal([
      '1:38 /feeds/default/report/email config-invalid-value',
    ]);
  });

  it('keeps drop directories apart from each other and from the file store', async () => {
    const yaml = `
dataDir: ./drop/data
feeds:
  a: { dropDirectory: /srv/x }
  b: { dropDirectory: /srv/y/../x }
  c: { dropDirectory: ./drop }
  d: { dropDirectory: ./drop/data-of-others }
`;
    expect(await problemsOf(yaml)).to.deep.equal([
      '5:23 /feeds/b/dropDirectory config-invalid-value',
      '6:23 /feeds/c/dropDirectory config-invalid-value',
    ]);
  });
});

describe('config/default.yaml', () => {
  it('is exactly what holds without a file', async () => {
    await using folder = await temporaryFolder();
    const text = await readFile(join(packageRoot(), 'config', 'default.yaml'), 'utf8');
    await using copy = await temporaryFolder({ 'user-sync.yaml': text });
    const relative = ({ file: _, directory, ...config }: Config): unknown =>
      JSON.parse(JSON.stringify(config).replaceAll(directory, '.'));
    const written = await loadConfig({ cwd: copy.path, environment: {} });
    const defaults = await loadConfig({ cwd: folder.path, environment: {} });
    expect(relative(written)).to.deep.equal(relative(defaults));
  });
});
