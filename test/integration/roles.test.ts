import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { sqlDirectory } from '../../src/app.js';
import { Database } from '../../src/db/database.js';
import { migrate } from '../../src/db/migrate.js';
import { Queries } from '../../src/db/queries.js';
import { packageRoot } from '../../src/lib/package-root.js';
import { createEmptyDatabase } from '../support/postgres.js';
import { SyncHarness } from '../support/sync.js';

/** The statements that the README gives for a role that may only read. */
function readerGrants(): string {
  const readme = readFileSync(join(packageRoot(), 'README.md'), 'utf8');
  const block = [...readme.matchAll(/```sql\n(.*?)```/gs)].find(([, sql]) =>
    sql?.includes('create role directory_reader'),
  );
  if (block?.[1] === undefined) throw new Error('the README has no statements for a reading role');
  return block[1];
}

function urlAs(url: string, user: string): string {
  const changed = new URL(url);
  changed.username = user;
  changed.password = 'secret';
  return changed.href;
}

async function problemOf(client: Client, statement: string): Promise<string> {
  return client.query(statement).then(
    () => 'allowed',
    (error: unknown) => (error as { code: string }).code,
  );
}

const NOT_ALLOWED = '42501';

describe('Roles of the database', () => {
  it('the program needs no superuser rights: a role that owns its database migrates and syncs', async () => {
    const test = await createEmptyDatabase();
    const owner = `owner_${process.pid}`;
    const [database] = await test.database.query<{ name: string }>('select current_database() as name');
    await test.database.query(`create role ${owner} login password 'secret'`);
    await test.database.query(`grant create on database ${database?.name ?? ''} to ${owner}`);
    const limited = new Database(
      { url: urlAs(test.url, owner), poolSize: 10 },
      Queries.load(join(sqlDirectory(), 'sync')),
    );
    try {
      expect(await migrate(limited, sqlDirectory())).to.include('migrations/0002-sync.sql');
      await using harness = await SyncHarness.open({ database: limited });
      const ada = { USERNAME: 'ada', FIRST_NAME: 'Ada', LAST_NAME: 'King', EMAIL: 'ada@example.org', ROLE: 'staff' };
      expect((await harness.sync([ada])).counts.added).to.equal(1);
      expect((await harness.sync([{ ...ada, USERNAME: 'bob' }])).counts).to.deep.include({ added: 1, blocked: 1 });
      // Once the schemas are there, the right to make them is not needed any more.
      await test.database.query(`revoke create on database ${database?.name ?? ''} from ${owner}`);
      expect(await migrate(limited, sqlDirectory())).to.deep.equal([]);
    } finally {
      await limited.close();
      await test.database.query(`drop owned by ${owner} cascade; drop role ${owner}`);
      await test.drop();
    }
  });

  it('applications read the directory with the rights that the README gives them, and nothing else', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([
      { USERNAME: 'ada', FIRST_NAME: 'Ada', LAST_NAME: 'King', EMAIL: 'ada@example.org', ROLE: 'staff' },
    ]);
    const reader = `reader_${process.pid}`;
    const app = `app_${process.pid}`;
    await harness.rows(`create role ${app} login password 'secret'`);
    await harness.rows(
      readerGrants()
        .replaceAll('directory_reader', reader)
        .replace(/ to app;/, ` to ${app};`),
    );
    const client = new Client({ connectionString: urlAs(harness.testDatabase.url, app) });
    await client.connect();
    try {
      const { rows } = await client.query('select username, groups from directory.users');
      expect(rows).to.deep.equal([{ username: 'ada', groups: ['example:group:staff'] }]);
      expect((await client.query('select * from directory.changes')).rowCount).to.equal(1);
      expect((await client.query('select * from directory.changes_after(0)')).rowCount).to.equal(1);
      for (const statement of [
        'select * from sync.feed_user',
        'select * from sync.received',
        'delete from directory.account',
        `update directory.object set attributes = '{}'`,
        `insert into directory.membership values (1, 'example:group:students')`,
      ]) {
        expect(await problemOf(client, statement), statement).to.equal(NOT_ALLOWED);
      }
    } finally {
      await client.end();
      await harness.rows(`drop owned by ${reader}; drop owned by ${app}; drop role ${reader}, ${app}`);
    }
  });

  it('nobody reads the change log through the function without having been granted it', async () => {
    await using harness = await SyncHarness.open();
    const other = `other_${process.pid}`;
    await harness.rows(`create role ${other} login password 'secret'`);
    await harness.rows(`grant usage on schema directory to ${other}`);
    const client = new Client({ connectionString: urlAs(harness.testDatabase.url, other) });
    await client.connect();
    try {
      expect(await problemOf(client, 'select * from directory.changes_after(0)')).to.equal(NOT_ALLOWED);
      expect(await problemOf(client, 'select * from directory.users')).to.equal(NOT_ALLOWED);
    } finally {
      await client.end();
      await harness.rows(`drop owned by ${other}; drop role ${other}`);
    }
  });
});
