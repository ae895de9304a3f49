import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { sqlDirectory } from '../../src/app.js';
import { Database } from '../../src/db/database.js';
import { openEmbeddedPostgres, type EmbeddedPostgres } from '../../src/db/embedded.js';
import { migrate } from '../../src/db/migrate.js';
import { Queries } from '../../src/db/queries.js';

/**
 * One Postgres for the whole test run, and in it a fresh database for whoever asks: a copy of one that was migrated once.
 * TEST_DATABASE_URL names a server to use instead of the embedded one.
 */
const URL_VARIABLE = 'USER_SYNC_TEST_SERVER';
const TEMPLATE_VARIABLE = 'USER_SYNC_TEST_TEMPLATE';

let databases = 0;

export interface TestDatabase {
  readonly url: string;
  readonly database: Database;
  drop(): Promise<void>;
}

/** A database with the schema, and nothing in it. */
export function createTestDatabase(): Promise<TestDatabase> {
  return createDatabase(`template ${variable(TEMPLATE_VARIABLE)}`);
}

/** A database without a schema. */
export function createEmptyDatabase(): Promise<TestDatabase> {
  return createDatabase('');
}

async function createDatabase(how: string): Promise<TestDatabase> {
  const url = variable(URL_VARIABLE);
  databases += 1;
  const name = `user_sync_test_${process.pid}_${databases}`;
  await execute(url, `create database ${name} ${how}`);
  const own = urlOf(url, name);
  const database = open(own);
  return {
    url: own,
    database,
    drop: async () => {
      await database.close();
      await execute(url, `drop database ${name} with (force)`);
    },
  };
}

/**
 * Starts the server, and says in the environment where it is: the processes that tests run in all use it.
 *
 * @returns what stops it
 */
export async function startTestServer(): Promise<() => Promise<void>> {
  const given = process.env['TEST_DATABASE_URL'];
  const { url, stop } = given === undefined ? await startEmbedded() : { url: given, stop: () => Promise.resolve() };
  const name = `user_sync_test_${process.pid}_template`;
  await execute(url, `create database ${name}`);
  const template = open(urlOf(url, name));
  await migrate(template, sqlDirectory());
  await template.close();
  process.env[URL_VARIABLE] = url;
  process.env[TEMPLATE_VARIABLE] = name;
  return async () => {
    await execute(url, `drop database ${name}`);
    await stop();
  };
}

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: mocha is to load test/support/hooks.ts`);
  return value;
}

async function startEmbedded(): Promise<{ url: string; stop: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'user-sync-test-'));
  // Postgres may run as another user, who must get to its own folder.
  await chmod(directory, 0o755);
  const embedded: EmbeddedPostgres = await openEmbeddedPostgres(join(directory, 'postgres'));
  // What is in it is thrown away: it need not outlive the machine, and tests need not wait for its disk.
  for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes']) {
    await execute(embedded.url, `alter system set ${setting} = off`);
  }
  await execute(embedded.url, 'select pg_reload_conf()');
  return {
    url: embedded.url,
    stop: async () => {
      await embedded.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function open(url: string): Database {
  return new Database({ url, poolSize: 10 }, Queries.load(join(sqlDirectory(), 'sync')));
}

function urlOf(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
