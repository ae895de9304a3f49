import { messageOf } from '../lib/errors.js';

/** An error that nobody foresaw may quote data: what it says stays in the daemon's log. */
export function describeUnexpected(error: unknown): string {
  const kind = error instanceof Error ? error.name : typeof error;
  return `Something unexpected happened (${kind}). The log of the process has the details. ${safeReason(error)}`;
}

/** System errors name files and addresses, never values of records. */
function safeReason(error: unknown): string {
  return error instanceof Error && 'syscall' in error ? messageOf(error) : '';
}
