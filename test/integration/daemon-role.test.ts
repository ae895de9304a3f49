import { expect } from 'chai';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { sqlDirectory } from '../../src/app.js';
import { migrate } from '../../src/db/migrate.js';
import { grantDaemon, ownRights } from '../../src/db/rights.js';
import { cancelRun } from '../../src/sync/decide.js';
import { open, urlAs } from '../support/database-roles.js';
import { createEmptyDatabase, type TestDatabase } from '../support/postgres.js';
import { NOT_ALLOWED, problemOf } from '../support/refusals.js';
import { APPROVAL, person, SyncHarness } from '../support/sync.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** What somebody would try who got hold of the daemon's password. */
const REFUSED = [
  // The directory's and the engine's tables, as they are made
  'drop table directory.account',
  'truncate directory.account',
  'alter table directory.account add column mine text',
  'alter table directory.account disable trigger all',
  'drop trigger note_write on directory.account',
  'create trigger mine before insert on directory.account for each row execute function directory.note_write()',
  'create index on directory.account (email)',
  'alter table sync.change disable row level security',
  'drop policy unpublished_is_dropped on sync.change',
  'create or replace view directory.users as select 1 as id',
  'create table directory.mine ()',
  'create table sync.mine ()',
  'create function sync.mine() returns integer language sql as $$ select 1 $$',
  'drop function sync.merged_values(jsonb, jsonb, jsonb, integer)',
  'create schema mine',
  'drop schema sync_stage cascade',
  // Rows that are only added to, or only read
  'delete from directory.account',
  'delete from directory.user_group',
  'delete from sync.audit',
  `update sync.audit set actor = 'somebody else'`,
  'delete from sync.control_file',
  `update sync.control_file set content = '{}'`,
  'delete from sync.run',
  `update sync.run_transition set actor = 'somebody else'`,
  `update sync.run_log set message = ''`,
  'delete from sync.feed_user',
  `insert into sync.migration (name, checksum) values ('migrations/0001-directory.sql', 'x')`,
  `select setval('directory.version', 1)`,
  // Rights
  `select sync.grant_daemon('postgres')`,
  'create role mine',
  'alter role current_user superuser',
  'create database mine',
  'select * from pg_authid',
  // The server and its machine
  `select pg_read_file('/etc/passwd')`,
  `copy (select 1) to '/tmp/user-sync-mine'`,
  `copy (select 1) to program 'true'`,
  'alter system set fsync = off',
  'select pg_reload_conf()',
];

describe('The role that runs the daemon', () => {
  it('is refused what it does not need', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('ada')]);
    const client = new Client({ connectionString: harness.testDatabase.url });
    await client.connect();
    try {
      const allowed: string[] = [];
      for (const statement of REFUSED) {
        if ((await problemOf(client, statement)) !== NOT_ALLOWED) allowed.push(statement);
      }
      expect(allowed).to.deep.equal([]);
    } finally {
      await client.end();
    }
    expect((await harness.sync([person('ada'), person('bob')])).counts).to.include({ added: 1, unchanged: 1 });
  });

  it('can neither alter nor remove what was published of the change log, and can make a held plan again', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('ada')]);
    const held = await harness.sync([person('ada'), person('bob')], { settings: { autoApply: false } });
    const published = await harness.rows('select * from directory.changes');
    expect(published).to.have.length(1);
    await harness.rows(`update sync.change set after = '{}', withheld = true where username = 'ada'`);
    await harness.rows(`delete from sync.change where username = 'ada'`);
    expect(await harness.rows('select * from directory.changes')).to.deep.equal(published);
    await harness.rows(`insert into directory.account (email) values ('by-hand@example.org')`);
    expect((await harness.execute(held.id, { approval: APPROVAL })).counts).to.include({ added: 1 });
    expect(await harness.rows('select * from directory.changes')).to.have.length(2);
  });

  it('has rights for every table that there is, each of them looked at', async () => {
    await using harness = await SyncHarness.open();
    const tables = await harness.rows(
      `select format('%s.%s', nspname, relname) as name from pg_class join pg_namespace on pg_namespace.oid = relnamespace
       where nspname in ('directory', 'sync') and relkind = 'r' order by 1`,
    );
    const listed = await harness.rows(
      `select object as name from sync.daemon_rights() where kind = 'table' and object <> 'directory.users' order by 1`,
    );
    expect(listed).to.deep.equal(tables);
    expect(await ownRights(harness.database)).to.deep.include({ isOwner: false, missing: [] });
  });

  it('leaves a staging table of another role to that one', async () => {
    await using harness = await SyncHarness.open();
    const first = await harness.sync([person('ada')]);
    await harness.administer(`alter table sync_stage.stage_${first.id} owner to current_user`);
    await harness.sync([person('ada'), person('bob')]);
    const held = await harness.sync([person('bob')], { settings: { autoApply: false } });
    // Drops what nothing needs any more, as the first table.
    await cancelRun(harness.database, held.id, { by: 'ada' });
    const kept = await harness.rows(`select to_regclass('sync_stage.stage_${first.id}') is not null as kept`);
    expect(kept).to.deep.equal([{ kept: true }]);
  });
});

describe('Giving a role the rights of the daemon', () => {
  const role = `daemon_${process.pid}`;
  let test: TestDatabase;

  beforeEach(async () => {
    test = await createEmptyDatabase();
    await test.administrator.database.query(`create role ${role} login password 'secret'`);
    await migrate(test.database, sqlDirectory());
  });

  afterEach(async () => {
    await test.administrator.database.query(`drop owned by ${role}; drop role ${role}`);
    await test.drop();
  });

  async function asDaemon<T>(work: (database: ReturnType<typeof open>) => Promise<T>): Promise<T> {
    const database = open(urlAs(test.url, role), 4);
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  }

  const codeOf = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => undefined,
      (error: unknown) => (error as { code: unknown }).code,
    );

  it('is needed: without them it is told whom to ask', async () => {
    expect(await asDaemon((database) => codeOf(migrate(database, sqlDirectory())))).to.equal('rights-missing');
    await grantDaemon(test.database, role);
    expect(await asDaemon((database) => migrate(database, sqlDirectory()))).to.deep.equal([]);
  });

  it('is refused for a role that is not there or that owns the schemas, and to who does not own them', async () => {
    expect(await codeOf(grantDaemon(test.database, 'nobody_of_this_name'))).to.equal('grant-failed');
    const owner = decodeURIComponent(new URL(test.url).username);
    expect(await codeOf(grantDaemon(test.database, owner))).to.equal('grant-failed');
    await grantDaemon(test.database, role);
    expect(await asDaemon((database) => codeOf(grantDaemon(database, role)))).to.equal('grant-failed');
    expect(await asDaemon((database) => ownRights(database))).to.deep.include({ missing: [] });
  });

  it('takes away what it had beyond them', async () => {
    await test.database.query(`grant usage on schema directory to ${role}`);
    await test.database.query(`grant all on directory.account to ${role}`);
    await grantDaemon(test.database, role);
    expect(await asDaemon((database) => codeOf(database.query('delete from directory.account')))).to.equal(NOT_ALLOWED);
  });

  it('lasts: what a later version adds is given by its migration, for which the role itself has to wait', async () => {
    await grantDaemon(test.database, role);
    await using folder = await temporaryFolder();
    await cp(sqlDirectory(), folder.path, { recursive: true });
    await writeFile(join(folder.path, 'migrations', '0999-later.sql'), 'create table sync.later (id integer);');
    const rights = join(folder.path, 'functions', 'rights.sql');
    const text = await readFile(rights, 'utf8');
    await writeFile(rights, text.replace("    ('table', 'sync.model'", `    ('table', 'sync.later', '{insert}'),\n$&`));
    expect(await asDaemon((database) => codeOf(migrate(database, folder.path)))).to.equal('schema-older');
    expect(await migrate(test.database, folder.path)).to.have.length(2);
    await asDaemon((database) => database.query('insert into sync.later values (1)'));
    expect(await asDaemon((database) => ownRights(database))).to.deep.include({ missing: [] });
  });

  it('lets it go on where the owner left off, also with a run that waits for a decision', async () => {
    await using owner = await SyncHarness.open({ database: test.database });
    await owner.sync([person('ada')]);
    const held = await owner.sync([person('ada'), person('bob')], { settings: { autoApply: false } });
    await grantDaemon(test.database, role);
    await asDaemon(async (database) => {
      const daemon = owner.onDatabase(database);
      expect((await daemon.execute(held.id, { approval: APPROVAL })).counts).to.include({ added: 1, unchanged: 1 });
      expect((await daemon.sync([person('bob')])).counts).to.include({ blocked: 1, unchanged: 1 });
    });
  });
});

describe('The staging tables of an earlier version', () => {
  it('are moved into their own schema', async () => {
    const test = await createEmptyDatabase();
    try {
      await using folder = await temporaryFolder();
      await cp(sqlDirectory(), folder.path, { recursive: true });
      await rm(join(folder.path, 'migrations', '0008-staging-schema.sql'));
      await migrate(test.database, folder.path);
      await test.database.query('create unlogged table sync.stage_7 (username text)');
      await test.database.query('create unlogged table sync.stage_7_candidate (username text)');
      expect(await migrate(test.database, sqlDirectory())).to.deep.equal(['migrations/0008-staging-schema.sql']);
      const moved = await test.database.query(
        `select relname as name from pg_class where relnamespace = 'sync_stage'::regnamespace order by 1`,
      );
      expect(moved).to.deep.equal([{ name: 'stage_7' }, { name: 'stage_7_candidate' }]);
    } finally {
      await test.drop();
    }
  });
});
