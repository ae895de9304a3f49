import type { Role } from '../domain/access.js';
import type { Executor } from './database.js';

export interface SessionRow {
  readonly operatorId: number;
  readonly name: string;
  readonly role: Role;
  readonly csrf: string;
}

/** How long a session lives without being used, and at most. */
export interface SessionLimits {
  readonly idleMs: number;
  readonly absoluteMs: number;
}

export async function insertSession(
  database: Executor,
  { digest, operatorId, csrf }: { digest: Buffer; operatorId: number; csrf: string },
): Promise<void> {
  await database.query('insert into sync.session (digest, operator_id, csrf) values ($1, $2, $3)', [
    digest,
    operatorId,
    csrf,
  ]);
}

/** The session that is in use; that it was used is noted to the minute. */
export async function useSession(
  database: Executor,
  digest: Buffer,
  { idleMs, absoluteMs }: SessionLimits,
): Promise<SessionRow | undefined> {
  const [row] = await database.query<SessionRow & { isStale: boolean }>(
    `select operator.id as "operatorId", operator.name, operator.role, session.csrf,
            session.seen_at < now() - interval '1 minute' as "isStale"
     from sync.session join sync.operator on operator.id = session.operator_id
     where session.digest = $1
       and session.seen_at > now() - $2::bigint * interval '1 millisecond'
       and session.created_at > now() - $3::bigint * interval '1 millisecond'`,
    [digest, idleMs, absoluteMs],
  );
  if (row?.isStale === true)
    await database.query('update sync.session set seen_at = now() where digest = $1', [digest]);
  return row;
}

export async function deleteSession(database: Executor, digest: Buffer): Promise<void> {
  await database.query('delete from sync.session where digest = $1', [digest]);
}

export async function deleteSessionsOf(database: Executor, operatorId: number): Promise<void> {
  await database.query('delete from sync.session where operator_id = $1', [operatorId]);
}

export async function deleteExpiredSessions(database: Executor, { idleMs, absoluteMs }: SessionLimits): Promise<void> {
  await database.query(
    `delete from sync.session where seen_at < now() - $1::bigint * interval '1 millisecond'
       or created_at < now() - $2::bigint * interval '1 millisecond'`,
    [idleMs, absoluteMs],
  );
}
