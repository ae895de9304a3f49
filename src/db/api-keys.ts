import type { Scope } from '../domain/access.js';
import type { Executor } from './database.js';

export interface ApiKeyRow {
  readonly id: number;
  readonly name: string;
  readonly scope: Scope;
  /** Null: every feed. */
  readonly feed: string | null;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  /** To the minute. */
  readonly lastUsedAt: Date | null;
}

const COLUMNS = `id, name, scope, feed, created_at as "createdAt", created_by as "createdBy", expires_at as "expiresAt",
  revoked_at as "revokedAt", last_used_at as "lastUsedAt"`;

export interface NewApiKey {
  readonly name: string;
  readonly scope: Scope;
  readonly feed: string | null;
  readonly expiresAt: Date | null;
  readonly createdBy: string;
  readonly digest: Buffer;
}

export async function insertApiKey(database: Executor, key: NewApiKey): Promise<ApiKeyRow> {
  const [row] = await database.query<ApiKeyRow>(
    `insert into sync.api_key (name, scope, feed, expires_at, created_by, digest) values ($1, $2, $3, $4, $5, $6)
     returning ${COLUMNS}`,
    [key.name, key.scope, key.feed, key.expiresAt, key.createdBy, key.digest],
  );
  if (row === undefined) throw new Error('inserting a key returned nothing');
  return row;
}

export async function findApiKey(database: Executor, digest: Buffer): Promise<ApiKeyRow | undefined> {
  const [row] = await database.query<ApiKeyRow>(`select ${COLUMNS} from sync.api_key where digest = $1`, [digest]);
  return row;
}

/** Newest first, revoked ones too. */
export function listApiKeys(database: Executor): Promise<ApiKeyRow[]> {
  return database.query<ApiKeyRow>(`select ${COLUMNS} from sync.api_key order by id desc`);
}

/** @returns undefined when there is no such key; one revoked before stays as it was */
export async function revokeApiKey(database: Executor, id: number, actor: string): Promise<ApiKeyRow | undefined> {
  const [row] = await database.query<ApiKeyRow>(
    `update sync.api_key set revoked_at = coalesce(revoked_at, now()), revoked_by = coalesce(revoked_by, $2)
     where id = $1 returning ${COLUMNS}`,
    [id, actor],
  );
  return row;
}

export async function noteKeyUse(database: Executor, id: number): Promise<void> {
  await database.query(
    `update sync.api_key set last_used_at = now()
     where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')`,
    [id],
  );
}
