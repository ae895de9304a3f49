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
let server: Promise<{ url: string; stop: () => Promise<void> }> | undefined;
let databases = 0;

const TEMPLATE = `user_sync_test_${process.pid}_template`;

export interface TestDatabase {
  readonly url: string;
  readonly database: Database;
  drop(): Promise<void>;
}

/** A database with the schema, and nothing in it. */
export function createTestDatabase(): Promise<TestDatabase> {
  return createDatabase(`template ${TEMPLATE}`);
}

/** A database without a schema. */
export function createEmptyDatabase(): Promise<TestDatabase> {
  return createDatabase('');
}

async function createDatabase(how: string): Promise<TestDatabase> {
  const { url } = await (server ??= startServer());
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

export async function stopTestServer(): Promise<void> {
  const running = await server;
  server = undefined;
  await running?.stop();
}

async function startServer(): Promise<{ url: string; stop: () => Promise<void> }> {
  const given = process.env['TEST_DATABASE_URL'];
  const { url, stop } = given === undefined ? await startEmbedded() : { url: given, stop: () => Promise.resolve() };
  await execute(url, `create database ${TEMPLATE}`);
  const template = open(urlOf(url, TEMPLATE));
  await migrate(template, sqlDirectory());
  await template.close();
  return {
    url,
    stop: async () => {
      await execute(url, `drop database ${TEMPLATE}`);
      await stop();
    },
  };
}

async function startEmbedded(): Promise<{ url: string; stop: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'user-sync-test-'));
  // Postgres may run as another user, who must get to its own folder.
  await chmod(directory, 0o755);
  const embedded: EmbeddedPostgres = await openEmbeddedPostgres(join(directory, 'postgres'));
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
