import { sqlState } from '../db/sqlstate.js';
import { messageOf, UserSyncError } from '../lib/errors.js';

const DISK_FULL = '53100';

/** An error of Postgres that has a cause an operator can do something about, in words; any other one as it is. */
export function explainDatabase(error: unknown): unknown {
  if (sqlState(error) !== DISK_FULL) return error;
  return new UserSyncError(
    'database-full',
    'Postgres has no disk space left. What was applied stays. Make room where it keeps its data, then send the batch again.',
    { cause: error },
  );
}

/** An error that nobody foresaw may quote data: what it says stays in the daemon's log. */
export function describeUnexpected(error: unknown): string {
  const kind = error instanceof Error ? error.name : typeof error;
  return `Something unexpected happened (${kind}). The log of the process has the details. ${safeReason(error)}`;
}

/** System errors name files and addresses, never values of records. */
function safeReason(error: unknown): string {
  return error instanceof Error && 'syscall' in error ? messageOf(error) : '';
}
