/** The role lacks a right. */
export const NOT_ALLOWED = '42501';

/** Errors that pass by themselves: the same transaction may succeed when run again. */
const RETRYABLE: Readonly<Record<string, string>> = {
  '40001': 'serialization failure',
  '40P01': 'deadlock detected',
  '25P03': 'idle in a transaction for too long: this process was frozen or held up',
  '55P03': 'lock not available',
  '57P01': 'terminated by an administrator',
  '57P02': 'crash of another backend',
  '57P03': 'server starting up or shutting down',
  '53300': 'too many connections',
  '08000': 'connection exception',
  '08001': 'connection refused',
  '08003': 'connection does not exist',
  '08006': 'connection failure',
};

/** Messages and codes of the driver and of sockets for a connection that went away. */
const LOST_CONNECTION =
  /connection terminated|connection ended|connection refused|is not queryable|ECONNRESET|ECONNREFUSED|EPIPE|socket|timeout exceeded when trying to connect/i;

export function isRetryable(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1) {
    const state = sqlState(cause);
    if (state !== undefined) return state in RETRYABLE;
    if (LOST_CONNECTION.test(cause.message)) return true;
    if ('code' in cause && typeof cause.code === 'string' && LOST_CONNECTION.test(cause.code)) return true;
  }
  return false;
}

/**
 * Errors that the data of one record can cause: bad data (22), a violated constraint, also one that the site added (23),
 * a limit hit by one row (54), a trigger of the site that refuses (P0, 09, 27, 39, 44).
 */
const RECORD_CLASSES = new Set(['22', '23', '54', 'P0', '09', '27', '39', '44']);

export function isCausedByRecord(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && RECORD_CLASSES.has(state.slice(0, 2));
}

/** The SQLSTATE of an error from Postgres, undefined for any other error. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const { code } = error;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}
