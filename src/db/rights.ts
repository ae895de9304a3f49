import { UserSyncError, messageOf } from '../lib/errors.js';
import type { Executor } from './database.js';

/** What the role that is connected may do in a database that is up to date. */
export interface OwnRights {
  readonly role: string;
  /** It owns the schemas or is a superuser: nothing is refused to it. */
  readonly isOwner: boolean;
  /** What it needs and lacks, as `insert on table sync.audit`. */
  readonly missing: readonly string[];
}

/**
 * Gives a role what the daemon needs and nothing else; sql/functions/rights.sql has the list.
 *
 * @throws UserSyncError `grant-failed`: there is no such role, it owns the schemas, or whoever asks does not own them
 */
export async function grantDaemon(database: Executor, role: string): Promise<void> {
  const failed = `Giving the role "${role}" the rights of the daemon failed`;
  try {
    await database.query('select sync.grant_daemon($1::name)', [role]);
  } catch (error) {
    throw new UserSyncError(
      'grant-failed',
      `${failed}: ${messageOf(error)}. Nothing was changed. ` +
        'Make the role first, and do this as the role that owns the schemas.',
      { kind: 'usage', cause: error },
    );
  }
  const missing = await database.query<{ right: string }>('select sync.missing_rights($1::name) as "right"', [role]);
  if (missing.length === 0) return;
  const lacks = missing.map(({ right }) => right).join(', ');
  throw new UserSyncError(
    'grant-failed',
    `${failed}: it lacks ${lacks}, which only the owner of the database grants.`,
    {
      kind: 'usage',
    },
  );
}

/** Who is connected, and whether it owns the schema `sync`, or could make it. */
export async function schemaRole(database: Executor): Promise<{ role: string; mayMigrate: boolean }> {
  const [found] = await database.query<{ role: string; mayMigrate: boolean }>(
    `select current_user::text as role, coalesce(pg_has_role(nspowner, 'usage'), true) as "mayMigrate"
     from (select) as nothing left join pg_namespace on nspname = 'sync'`,
  );
  return found ?? { role: '', mayMigrate: true };
}

export async function ownRights(database: Executor): Promise<OwnRights> {
  const { role, mayMigrate } = await schemaRole(database);
  const missing = await database.query<{ right: string }>('select sync.missing_rights(current_user) as "right"');
  return { role, isOwner: mayMigrate, missing: missing.map(({ right }) => right) };
}

/** The role may not use the schema at all. */
export function rightsMissing(cause: unknown): UserSyncError {
  return new UserSyncError(
    'rights-missing',
    `The role of the database URL may not do what is needed: ${messageOf(cause)}. ` +
      'As the role that owns the schemas, run `user-sync migrate --grant-to ROLE`.',
    { cause },
  );
}
