import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sqlDirectory } from '../../src/app.js';
import { migrate } from '../../src/db/migrate.js';
import { packageRoot } from '../../src/lib/package-root.js';
import { open, urlAs } from '../support/database-roles.js';
import { createEmptyDatabase } from '../support/postgres.js';
import { asRole, problemOf, NOT_ALLOWED } from '../support/refusals.js';
import { person, SyncHarness } from '../support/sync.js';

/** The statements that the README gives for a role that may only read. */
function readerGrants(): string {
  const readme = readFileSync(join(packageRoot(), 'README.md'), 'utf8');
  const block = [...readme.matchAll(/```sql\n(.*?)```/gs)].find(([, sql]) =>
    sql?.includes('create role directory_reader'),
  );
  if (block?.[1] === undefined) throw new Error('the README has no statements for a reading role');
  return block[1];
}

describe('Roles of the database', () => {
  it('the program needs no superuser rights: a role that owns its database migrates and syncs', async () => {
    const test = await createEmptyDatabase();
    const { database: administrator } = test.administrator;
    const owner = `owner_${process.pid}`;
    const [database] = await test.database.query<{ name: string }>('select current_database() as name');
    await administrator.query(`create role ${owner} login password 'secret'`);
    await administrator.query(`grant create on database ${database?.name ?? ''} to ${owner}`);
    const limited = open(urlAs(test.url, owner));
    try {
      expect(await migrate(limited, sqlDirectory())).to.include('migrations/0002-sync.sql');
      await using harness = await SyncHarness.open({ database: limited });
      expect((await harness.sync([person('ada')])).counts.added).to.equal(1);
      expect((await harness.sync([person('bob')])).counts).to.deep.include({ added: 1, blocked: 1 });
      // Once the schemas are there, the right to make them is not needed any more.
      await administrator.query(`revoke create on database ${database?.name ?? ''} from ${owner}`);
      expect(await migrate(limited, sqlDirectory())).to.deep.equal([]);
    } finally {
      await limited.close();
      await administrator.query(`drop owned by ${owner} cascade; drop role ${owner}`);
      await test.drop();
    }
  });

  it('applications read the directory with the rights that the README gives them, and nothing else', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('ada')]);
    const reader = `reader_${process.pid}`;
    const app = `app_${process.pid}`;
    await harness.administer(`create role ${app} login password 'secret'`);
    const grants = readerGrants().replaceAll('directory_reader', reader);
    await harness.administer(grants.replace(/ to app;/, ` to ${app};`));
    try {
      await asRole(harness.testDatabase.url, app, async (client) => {
        const { rows } = await client.query('select username, groups from directory.users');
        expect(rows).to.deep.equal([{ username: 'ada', groups: ['example:group:staff'] }]);
        expect((await client.query('select * from directory.changes')).rowCount).to.equal(1);
        expect((await client.query('select * from directory.changes_after(0)')).rowCount).to.equal(1);
        await client.query('listen directory_changes');
        for (const statement of [
          ...['feed_user', 'received', 'change', 'operator', 'api_key', 'audit', 'run_log'].map(
            (table) => `select * from sync.${table}`,
          ),
          'select * from directory.account',
          'select * from directory.object',
          'delete from directory.account',
          `update directory.object set attributes = '{}'`,
          `insert into directory.account (email) values ('mallory@example.org')`,
          `insert into directory.membership values (1, 'example:group:students')`,
          'create table directory.mine ()',
          'create table sync_stage.mine ()',
          `select nextval('directory.version')`,
          `select sync.watch_links('{}')`,
        ]) {
          expect(await problemOf(client, statement), statement).to.equal(NOT_ALLOWED);
        }
      });
    } finally {
      await harness.administer(`drop owned by ${reader}; drop owned by ${app}; drop role ${reader}, ${app}`);
    }
  });

  it('nobody reads the change log through the function without having been granted it', async () => {
    await using harness = await SyncHarness.open();
    const other = `other_${process.pid}`;
    await harness.administer(`create role ${other} login password 'secret'`);
    await harness.administer(`grant usage on schema directory to ${other}`);
    try {
      await asRole(harness.testDatabase.url, other, async (client) => {
        expect(await problemOf(client, 'select * from directory.changes_after(0)')).to.equal(NOT_ALLOWED);
        expect(await problemOf(client, 'select * from directory.users')).to.equal(NOT_ALLOWED);
      });
    } finally {
      await harness.administer(`drop owned by ${other}; drop role ${other}`);
    }
  });
});
