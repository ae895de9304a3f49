import { findApiKey, insertApiKey, noteKeyUse, revokeApiKey, type ApiKeyRow, type NewApiKey } from '../db/api-keys.js';
import { noteAudit, type Author } from '../db/audit.js';
import type { Database, Executor } from '../db/database.js';
import { scopeMay, type Principal } from '../domain/access.js';
import { UserSyncError } from '../lib/errors.js';
import { digestOf, newSecret } from './secrets.js';

/** Marks what a secret scanner finds in a repository as ours. */
const PREFIX = 'usersync_';

/** When a key was last used is known to the minute: not every request writes it. */
const USE_NOTED_MS = 60_000;

/** A key with its secret, which is known at this moment only. */
export interface CreatedKey {
  readonly id: number;
  readonly name: string;
  readonly scope: ApiKeyRow['scope'];
  readonly feed: string | null;
  readonly secret: string;
}

export async function createKey(
  database: Database,
  key: Omit<NewApiKey, 'digest' | 'createdBy'>,
  author: Author,
): Promise<CreatedKey> {
  const secret = PREFIX + newSecret();
  return database.transaction(async (connection) => {
    const { id, name, scope, feed } = await insertApiKey(connection, {
      ...key,
      createdBy: author.by,
      digest: digestOf(secret),
    });
    await noteAudit(connection, author, {
      action: 'key-created',
      subject: `key ${name}`,
      details: { id, scope, feed, expiresAt: key.expiresAt },
    });
    return { id, name, scope, feed, secret };
  });
}

/** @throws UserSyncError `key-unknown` */
export async function revokeKey(database: Database, id: number, author: Author): Promise<ApiKeyRow> {
  return database.transaction(async (connection) => {
    const key = await revokeApiKey(connection, id, author.by);
    if (key === undefined) throw unknownKey(id);
    await noteAudit(connection, author, { action: 'key-revoked', subject: `key ${key.name}`, details: { id } });
    return key;
  });
}

export function unknownKey(id: number): UserSyncError {
  return new UserSyncError('key-unknown', `There is no key ${id}. \`user-sync keys list\` shows them.`, {
    kind: 'usage',
  });
}

/** @returns undefined for a secret that is wrong, expired or revoked: whoever asks is not told which */
export async function principalOfKey(database: Executor, secret: string, now: Date): Promise<Principal | undefined> {
  if (!secret.startsWith(PREFIX)) return undefined;
  const key = await findApiKey(database, digestOf(secret));
  if (key === undefined || !isInForce(key, now)) return undefined;
  if (key.lastUsedAt === null || now.getTime() - key.lastUsedAt.getTime() > USE_NOTED_MS)
    await noteKeyUse(database, key.id);
  return {
    kind: 'key',
    actor: `key ${key.name}`,
    feed: key.feed,
    may: (capability) => scopeMay(key.scope, capability),
  };
}

export function isInForce({ revokedAt, expiresAt }: Pick<ApiKeyRow, 'revokedAt' | 'expiresAt'>, now: Date): boolean {
  return revokedAt === null && (expiresAt === null || expiresAt > now);
}
