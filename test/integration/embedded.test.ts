import { expect } from 'chai';
import { Client } from 'pg';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { App } from '../../src/app.js';
import { loadConfig } from '../../src/config/load.js';
import { openEmbeddedPostgres } from '../../src/db/embedded.js';
import { memoryLogger } from '../../src/lib/logger.js';
import { temporaryFolder } from '../support/temporary-folder.js';

async function ask(url: string, question: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<{ answer: unknown }>(question)).rows[0]?.answer;
  } finally {
    await client.end();
  }
}

describe('The embedded Postgres', function () {
  this.timeout(60_000);

  it('starts from nothing, is joined by who comes later, and stays until the last one leaves', async () => {
    await using folder = await temporaryFolder();
    await chmod(folder.path, 0o755);
    const directory = join(folder.path, 'postgres');
    const [first, second, third] = await Promise.all([
      openEmbeddedPostgres(directory),
      openEmbeddedPostgres(directory),
      openEmbeddedPostgres(directory),
    ]);
    expect(second.url).to.equal(first.url);
    expect(await ask(first.url, `select current_setting('server_encoding') as answer`)).to.equal('UTF8');
    expect(third.url).to.equal(first.url);
    await first.close();
    expect(await ask(second.url, 'select 1 as answer')).to.equal(1);
    await Promise.all([second.close(), third.close()]);
    expect(await ask(first.url, 'select 1').catch(() => 'gone')).to.equal('gone');
  });

  it('is said in the log to be used', async () => {
    await using folder = await temporaryFolder({ 'user-sync.yaml': 'dataDir: ./var' });
    await chmod(folder.path, 0o755);
    const log = memoryLogger();
    const app = await App.open(await loadConfig({ file: join(folder.path, 'user-sync.yaml'), environment: {} }), log);
    await app.close();
    const said = log.entries.find(({ message }) => message.startsWith('Using the embedded Postgres'));
    expect(said?.level).to.equal('info');
  });

  it('is for this machine and who has its password, which is for its user alone', async () => {
    await using folder = await temporaryFolder();
    await chmod(folder.path, 0o755);
    const directory = join(folder.path, 'postgres');
    const server = await openEmbeddedPostgres(directory);
    try {
      expect(await ask(server.url, `select current_setting('listen_addresses') as answer`)).to.equal('127.0.0.1');
      const wrong = new URL(server.url);
      for (const password of ['', 'wrong']) {
        wrong.password = password;
        expect(await ask(wrong.href, 'select 1').catch(() => 'refused'), password).to.equal('refused');
      }
      const modeOf = async (...path: string[]): Promise<number> => (await stat(join(directory, ...path))).mode & 0o777;
      expect([await modeOf(), await modeOf('cluster', 'data'), await modeOf('cluster', 'password')]).to.deep.equal([
        0o700, 0o700, 0o600,
      ]);
    } finally {
      await server.close();
    }
  });

  it('keeps its data, and says the end of its log when it cannot start', async () => {
    await using folder = await temporaryFolder();
    await chmod(folder.path, 0o755);
    const directory = join(folder.path, 'postgres');
    const first = await openEmbeddedPostgres(directory);
    await ask(first.url, 'create table kept (id integer)');
    await first.close();
    const again = await openEmbeddedPostgres(directory);
    expect(await ask(again.url, `select to_regclass('kept')::text as answer`)).to.equal('kept');
    await again.close();
    const settings = join(directory, 'cluster', 'data', 'postgresql.auto.conf');
    await writeFile(settings, `${await readFile(settings, 'utf8')}\nno_such_setting = 1\n`);
    const error = await openEmbeddedPostgres(directory).catch((thrown: unknown) => thrown);
    expect(error).to.have.property('code', 'embedded-failed');
    expect(error).to.have.property('message').that.includes('no_such_setting');
  });
});
