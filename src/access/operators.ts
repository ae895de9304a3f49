import { noteAudit, type Author } from '../db/audit.js';
import type { Database } from '../db/database.js';
import {
  deleteOperator,
  findOperator,
  insertOperator,
  listOperators,
  noteFailedSignIn,
  noteSignIn,
  setPassword,
  type OperatorRow,
} from '../db/operators.js';
import { deleteSessionsOf } from '../db/sessions.js';
import type { Role } from '../domain/access.js';
import { UserSyncError } from '../lib/errors.js';
import { hashPassword, isPassword } from './passwords.js';

/** Wrong passwords in a row before nobody is let in for a while. */
const FREE_ATTEMPTS = 5;

export interface NewOperator {
  readonly name: string;
  readonly role: Role;
  readonly password: string;
}

/** @throws UserSyncError `operator-name`, `operator-exists` or `password` */
export async function addOperator(
  database: Database,
  { name, role, password }: NewOperator,
  author: Author,
): Promise<OperatorRow> {
  if (!/^[\p{L}\p{N}][\p{L}\p{N}._@ -]{0,63}$/u.test(name)) {
    throw new UserSyncError(
      'operator-name',
      'A name to sign in with has letters, digits, spaces and . _ @ -, at most 64, a letter or digit first.',
      { kind: 'usage' },
    );
  }
  const hashed = await hashPassword(password);
  return database.transaction(async (connection) => {
    const added = await insertOperator(connection, { name, role, password: hashed });
    if (added === undefined) {
      throw new UserSyncError('operator-exists', `There is somebody called "${name}" already. Choose another name.`, {
        kind: 'usage',
      });
    }
    await noteAudit(connection, author, { action: 'operator-added', subject: name, details: { role } });
    return added;
  });
}

/** @throws UserSyncError `operator-unknown`; `last-admin`, as nobody could let anybody in after that */
export async function removeOperator(database: Database, name: string, author: Author): Promise<OperatorRow> {
  return database.transaction(async (connection) => {
    const removed = await deleteOperator(connection, name);
    if (removed === undefined) throw unknownOperator(`called "${name}"`);
    const others = await listOperators(connection);
    if (removed.role === 'admin' && others.length > 0 && !others.some(({ role }) => role === 'admin')) {
      throw new UserSyncError('last-admin', `"${name}" is the only admin. Add another one first.`, { kind: 'usage' });
    }
    await noteAudit(connection, author, { action: 'operator-removed', subject: removed.name });
    return removed;
  });
}

/** @param who as the sentence goes on, such as `called "Ada"` */
export function unknownOperator(who: string): UserSyncError {
  return new UserSyncError('operator-unknown', `There is nobody ${who} who may sign in.`, { kind: 'usage' });
}

/**
 * Ends all sessions of the person.
 *
 * @returns the person's number
 * @throws UserSyncError `password` when the current one is wrong, or the new one cannot be one
 */
export async function changePassword(
  database: Database,
  change: { name: string; current: string; password: string; now: Date; address: string },
): Promise<number> {
  const { name, current, password, now, address } = change;
  const operator = await checkSignIn(database, { name, password: current, now, address });
  if (operator === undefined) {
    throw new UserSyncError('password', 'This is not your password now, or too many wrong ones were tried.', {
      kind: 'usage',
    });
  }
  const hashed = await hashPassword(password);
  await database.transaction(async (connection) => {
    await setPassword(connection, operator.id, hashed);
    await deleteSessionsOf(connection, operator.id);
    const author = { by: operator.name, address };
    await noteAudit(connection, author, { action: 'password-changed', subject: operator.name });
  });
  return operator.id;
}

/**
 * Lets somebody in who knows the password.
 *
 * @returns undefined when the name or password is wrong or too many were tried: whoever asks is not told which
 */
export async function checkSignIn(
  database: Database,
  { name, password, now, address }: { name: string; password: string; now: Date; address: string },
): Promise<Pick<OperatorRow, 'id' | 'name' | 'role'> | undefined> {
  const found = await findOperator(database, name);
  const isLocked = found?.lockedUntil != null && found.lockedUntil > now;
  const isRight = await isPassword(password, found?.password);
  if (found === undefined || isLocked || !isRight) {
    if (found !== undefined && !isLocked) await noteFailedSignIn(database, found.id, FREE_ATTEMPTS);
    // A name that nobody has may be a password typed into the wrong field.
    const by = found?.name ?? 'unknown';
    await noteAudit(database, { by, address }, { action: isLocked ? 'sign-in-locked' : 'sign-in-failed' });
    return undefined;
  }
  await noteSignIn(database, found.id);
  await noteAudit(database, { by: found.name, address }, { action: 'sign-in' });
  const { id, name: properName, role } = found;
  return { id, name: properName, role };
}
