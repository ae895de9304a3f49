import type { Executor } from '../db/database.js';
import { deleteSession, insertSession, useSession, type SessionLimits } from '../db/sessions.js';
import { roleMay, type Principal, type Role } from '../domain/access.js';
import { digestOf, newSecret } from './secrets.js';

/** Half an hour without use, twelve hours in all. */
export const SESSION_LIMITS: SessionLimits = { idleMs: 30 * 60_000, absoluteMs: 12 * 3600_000 };

/** Somebody who is signed in. */
export interface Session extends Principal {
  readonly kind: 'person';
  readonly role: Role;
  /** What every form of theirs sends along. */
  readonly csrf: string;
}

/** @returns the token for the browser's cookie, which is always a new one */
export async function openSession(database: Executor, operatorId: number): Promise<string> {
  const token = newSecret();
  await insertSession(database, { digest: digestOf(token), operatorId, csrf: newSecret() });
  return token;
}

export async function findSession(database: Executor, token: string): Promise<Session | undefined> {
  const row = await useSession(database, digestOf(token), SESSION_LIMITS);
  if (row === undefined) return undefined;
  const { name, role, csrf } = row;
  return { kind: 'person', actor: name, feed: null, role, csrf, may: (capability) => roleMay(role, capability) };
}

export async function closeSession(database: Executor, token: string): Promise<void> {
  await deleteSession(database, digestOf(token));
}
