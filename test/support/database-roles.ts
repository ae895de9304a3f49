import { join } from 'node:path';
import { Client } from 'pg';
import { sqlDirectory } from '../../src/app.js';
import { Database } from '../../src/db/database.js';
import { migrate } from '../../src/db/migrate.js';
import { Queries } from '../../src/db/queries.js';
import { grantDaemon } from '../../src/db/rights.js';

const PASSWORD = 'secret';

/** The roles of a server as docs/operations.md has them: one owns the schemas, one runs the daemon. */
export interface Roles {
  readonly owner: string;
  readonly daemon: string;
}

/** @param prefix roles belong to the whole server, which others may use too */
export function rolesNamed(prefix: string): Roles {
  return { owner: `${prefix}_owner`, daemon: `${prefix}_daemon` };
}

export async function createRoles(url: string, { owner, daemon }: Roles): Promise<void> {
  await execute(
    url,
    `create role ${owner} login password '${PASSWORD}'; create role ${daemon} login password '${PASSWORD}'`,
  );
}

/** Makes a database with the schema, by its owner, which the daemon's role may use. */
export async function createMigrated(url: string, name: string, { owner, daemon }: Roles): Promise<void> {
  await execute(url, `create database ${name} owner ${owner}`);
  const database = open(urlAs(urlOf(url, name), owner));
  try {
    await migrate(database, sqlDirectory());
    await grantDaemon(database, daemon);
    // Tests look at what applications see through the same connection.
    await database.query(`grant select on directory.changes to ${daemon}`);
    await database.query(`grant execute on function directory.changes_after(bigint, integer) to ${daemon}`);
  } finally {
    await database.close();
  }
}

export function open(url: string, poolSize = 10): Database {
  return new Database({ url, poolSize }, Queries.load(join(sqlDirectory(), 'sync')));
}

/** The same database, for a role that tests made. */
export function urlAs(url: string, role: string): string {
  const changed = new URL(url);
  changed.username = role;
  changed.password = PASSWORD;
  return changed.href;
}

export function urlOf(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

export async function execute(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
