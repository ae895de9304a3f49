import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserSyncError, messageOf } from '../lib/errors.js';
import type { Connection, Database } from './database.js';
import { rightsMissing, schemaRole } from './rights.js';
import { NOT_ALLOWED, sqlState } from './sqlstate.js';

/** Any number, as long as it is the same for all: only one process migrates a database at a time. */
const MIGRATION_LOCK = 5_231_987_412;

export interface MigrationStatus {
  applied: readonly string[];
  pending: readonly string[];
}

interface SqlFile {
  name: string;
  text: string;
  checksum: string;
}

/**
 * Brings the schema up to date: numbered files of sql/migrations once each and in order, then the replaceable objects of
 * sql/functions and sql/views when their text changed; then roles that were given the rights of the daemon are given them
 * anew. All or nothing, one process at a time. A role that may only use the schema can call it where nothing is to be done.
 *
 * @throws UserSyncError `schema-newer` when the database knows a migration that this version does not have,
 *   `migration-changed` when a file differs from what was applied under its name, `schema-older` when there is something to
 *   do for somebody else than this role, `rights-missing` when the role may not even look.
 * @returns the names of what was applied now.
 */
export async function migrate(database: Database, sqlDirectory: string): Promise<string[]> {
  const { numbered, replaceable } = await readSqlFiles(sqlDirectory);
  return database.transaction(async (connection) => {
    await connection.query('select pg_advisory_xact_lock($1::bigint)', [MIGRATION_LOCK]);
    await ensureBooks(connection);
    const known = await knownChecksums(connection);
    checkHistory(numbered, known);
    const pending = [...numbered, ...replaceable].filter((file) => known.get(file.name) !== file.checksum);
    if (pending.length === 0) return [];
    await checkOwnership(connection, pending);
    for (const file of pending) await applyFile(connection, file);
    await connection.query('select sync.renew_daemon_rights()');
    return pending.map((file) => file.name);
  });
}

/** What `migrate` would do; writes nothing. */
export async function migrationStatus(database: Database, sqlDirectory: string): Promise<MigrationStatus> {
  const { numbered, replaceable } = await readSqlFiles(sqlDirectory);
  return database.withConnection(async (connection) => {
    const [found] = await lookAtBooks(
      connection.query<{ table: string | null }>(`select to_regclass('sync.migration')::text as table`),
    );
    const known = found?.table == null ? new Map<string, string>() : await knownChecksums(connection);
    checkHistory(numbered, known);
    const all = [...numbered, ...replaceable];
    return {
      applied: all.filter((file) => known.get(file.name) === file.checksum).map((file) => file.name),
      pending: all.filter((file) => known.get(file.name) !== file.checksum).map((file) => file.name),
    };
  });
}

/** Roles that use the schemas and do not own them wait for the one that does. */
async function checkOwnership(connection: Connection, pending: readonly SqlFile[]): Promise<void> {
  const { role, mayMigrate } = await schemaRole(connection);
  if (mayMigrate) return;
  throw new UserSyncError(
    'schema-older',
    `This version of user-sync needs ${pending.length} changes of the schema, which the role "${role}" may not make. ` +
      'Run `user-sync migrate` as the role that owns it, then start this again.',
  );
}

/** Looks before it makes: a role that may only use the schema can start a database that is up to date. */
async function ensureBooks(connection: Connection): Promise<void> {
  const [found] = await lookAtBooks(
    connection.query<{ schema: boolean; table: boolean }>(
      `select to_regnamespace('sync') is not null as schema, to_regclass('sync.migration') is not null as table`,
    ),
  );
  try {
    if (found?.schema !== true) await connection.query('create schema sync');
    if (found?.table !== true) {
      await connection.query(`create table sync.migration (
        name text primary key, checksum text not null, applied_at timestamptz not null default now())`);
    }
  } catch (error) {
    throw migrationFailed('Making the schema "sync"', error);
  }
}

async function applyFile(connection: Connection, file: SqlFile): Promise<void> {
  try {
    await connection.client.query(file.text);
  } catch (error) {
    throw migrationFailed(`Applying ${file.name}`, error);
  }
  await connection.query(
    `insert into sync.migration (name, checksum) values ($1, $2)
     on conflict (name) do update set checksum = excluded.checksum, applied_at = now()`,
    [file.name, file.checksum],
  );
}

function migrationFailed(what: string, error: unknown): UserSyncError {
  return new UserSyncError(
    'migration-failed',
    `${what} failed: ${messageOf(error)}. Nothing was changed. ` +
      'The role that migrates needs to own the database or have CREATE on it.',
    { cause: error },
  );
}

async function lookAtBooks<Row>(rows: Promise<Row[]>): Promise<Row[]> {
  return rows.catch((error: unknown) => {
    throw sqlState(error) === NOT_ALLOWED ? rightsMissing(error) : error;
  });
}

async function knownChecksums(connection: Connection): Promise<Map<string, string>> {
  const rows = await lookAtBooks(
    connection.query<{ name: string; checksum: string }>('select name, checksum from sync.migration'),
  );
  return new Map(rows.map((row) => [row.name, row.checksum]));
}

function checkHistory(numbered: readonly SqlFile[], known: ReadonlyMap<string, string>): void {
  const ours = new Map(numbered.map((file) => [file.name, file.checksum]));
  for (const [name, checksum] of known) {
    if (!name.startsWith('migrations/')) continue;
    const expected = ours.get(name);
    if (expected === undefined) {
      throw new UserSyncError(
        'schema-newer',
        `The database has been migrated by a newer version of user-sync (it knows ${name}). Run that version.`,
      );
    }
    if (expected !== checksum) {
      throw new UserSyncError(
        'migration-changed',
        `${name} differs from what was applied to this database. Landed migrations are never edited: ` +
          'restore the file and add a new one.',
      );
    }
  }
}

async function readSqlFiles(directory: string): Promise<{ numbered: SqlFile[]; replaceable: SqlFile[] }> {
  const numbered = await readFolder(directory, 'migrations');
  const replaceable = [...(await readFolder(directory, 'functions')), ...(await readFolder(directory, 'views'))];
  return { numbered, replaceable };
}

async function readFolder(directory: string, folder: string): Promise<SqlFile[]> {
  const names = (await readdir(join(directory, folder))).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(directory, folder, name), 'utf8');
      return { name: `${folder}/${name}`, text, checksum: createHash('sha256').update(text).digest('hex') };
    }),
  );
}
