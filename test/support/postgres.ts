import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from '../../src/db/database.js';
import { openEmbeddedPostgres, type EmbeddedPostgres } from '../../src/db/embedded.js';
import { createMigrated, createRoles, execute, open, rolesNamed, urlAs, urlOf } from './database-roles.js';

/**
 * One Postgres for the whole test run, and in it a fresh database for whoever asks: a copy of one that was migrated once.
 * TEST_DATABASE_URL names a server to use instead of the embedded one.
 */
const URL_VARIABLE = 'USER_SYNC_TEST_SERVER';
const PREFIX_VARIABLE = 'USER_SYNC_TEST_PREFIX';

let databases = 0;

/** A database as the program gets it: by a role that may do what it needs, and no more. */
export interface TestDatabase {
  readonly url: string;
  readonly database: Database;
  /** For what is done to the program rather than by it: nothing is refused here. */
  readonly administrator: { readonly url: string; readonly database: Database };
  drop(): Promise<void>;
}

/** A database with the schema, and nothing in it, for the role of the daemon. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { daemon } = rolesNamed(variable(PREFIX_VARIABLE));
  // On our own server, which syncs nothing, copying its files takes half as long as logging its pages.
  const strategy = process.env['TEST_DATABASE_URL'] === undefined ? 'strategy file_copy' : '';
  return createDatabase(daemon, `template ${templateOf(variable(PREFIX_VARIABLE))} ${strategy}`);
}

/** A database without a schema, for the role that owns it. */
export function createEmptyDatabase(): Promise<TestDatabase> {
  const { owner } = rolesNamed(variable(PREFIX_VARIABLE));
  return createDatabase(owner, `owner ${owner}`);
}

/** A database that is there, by two roles. */
export function testDatabase(
  url: string,
  administratorUrl: string,
  poolSize: number,
  drop: () => Promise<void>,
): TestDatabase {
  const database = open(url, poolSize);
  const administrator = open(administratorUrl, poolSize);
  return {
    url,
    database,
    administrator: { url: administratorUrl, database: administrator },
    drop: async () => {
      await Promise.all([database.close(), administrator.close()]);
      await drop();
    },
  };
}

async function createDatabase(role: string, how: string): Promise<TestDatabase> {
  const url = variable(URL_VARIABLE);
  databases += 1;
  const name = `user_sync_test_${process.pid}_${databases}`;
  await execute(url, `create database ${name} ${how}`);
  const own = urlOf(url, name);
  return testDatabase(urlAs(own, role), own, 10, () => execute(url, `drop database ${name} with (force)`));
}

/**
 * Starts the server, and says in the environment where it is: the processes that tests run in all use it.
 *
 * @returns what stops it
 */
export async function startTestServer(): Promise<() => Promise<void>> {
  const given = process.env['TEST_DATABASE_URL'];
  const { url, stop } = given === undefined ? await startEmbedded() : { url: given, stop: () => Promise.resolve() };
  const prefix = `user_sync_test_${process.pid}`;
  const roles = rolesNamed(prefix);
  await createRoles(url, roles);
  await createMigrated(url, templateOf(prefix), roles);
  process.env[URL_VARIABLE] = url;
  process.env[PREFIX_VARIABLE] = prefix;
  return async () => {
    try {
      await execute(url, `drop database ${templateOf(prefix)}`);
      await execute(url, `drop role ${roles.owner}, ${roles.daemon}`);
    } finally {
      // Also when a test that failed left a database behind: a server that stays keeps the run from ending.
      await stop();
    }
  };
}

function templateOf(prefix: string): string {
  return `${prefix}_template`;
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
