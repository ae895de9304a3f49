import type { Role } from '../domain/access.js';
import type { Executor } from './database.js';

/** Somebody who may sign in to the web page. */
export interface OperatorRow {
  readonly id: number;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: Date;
  readonly failedSignIns: number;
  readonly lockedUntil: Date | null;
}

const COLUMNS = `id, name, role, created_at as "createdAt", failed_sign_ins as "failedSignIns",
  locked_until as "lockedUntil"`;

export interface OperatorCredentials extends OperatorRow {
  readonly password: string;
}

/** @returns undefined when there is somebody of that name, in any case */
export async function insertOperator(
  database: Executor,
  { name, role, password }: Pick<OperatorCredentials, 'name' | 'role' | 'password'>,
): Promise<OperatorRow | undefined> {
  const [row] = await database.query<OperatorRow>(
    `insert into sync.operator (name, role, password) values ($1, $2, $3)
     on conflict (lower(name)) do nothing returning ${COLUMNS}`,
    [name, role, password],
  );
  return row;
}

export async function findOperator(database: Executor, name: string): Promise<OperatorCredentials | undefined> {
  const [row] = await database.query<OperatorCredentials>(
    `select ${COLUMNS}, password from sync.operator where lower(name) = lower($1)`,
    [name],
  );
  return row;
}

export function listOperators(database: Executor): Promise<OperatorRow[]> {
  return database.query<OperatorRow>(`select ${COLUMNS} from sync.operator order by lower(name)`);
}

/** Ends their sessions too. */
export async function deleteOperator(database: Executor, name: string): Promise<OperatorRow | undefined> {
  const [row] = await database.query<OperatorRow>(
    `delete from sync.operator where lower(name) = lower($1) returning ${COLUMNS}`,
    [name],
  );
  return row;
}

export async function setPassword(database: Executor, id: number, password: string): Promise<void> {
  await database.query(
    'update sync.operator set password = $2, failed_sign_ins = 0, locked_until = null where id = $1',
    [id, password],
  );
}

/** Counts a wrong password; from the `free`-th on nobody is let in for a while that doubles, up to an hour. */
export async function noteFailedSignIn(database: Executor, id: number, free: number): Promise<void> {
  await database.query(
    `update sync.operator
     set failed_sign_ins = failed_sign_ins + 1,
         locked_until = case when failed_sign_ins + 1 >= $2::integer
           then now() + least(interval '1 hour', interval '30 seconds' * 2 ^ least(failed_sign_ins + 1 - $2::integer, 10))
         end
     where id = $1`,
    [id, free],
  );
}

export async function noteSignIn(database: Executor, id: number): Promise<void> {
  await database.query(
    'update sync.operator set failed_sign_ins = 0, locked_until = null where id = $1 and failed_sign_ins > 0',
    [id],
  );
}
