import { UserSyncError } from './errors.js';

/** What a log line may tell of an error. */
export interface SerialisedError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  /** Facts that the house's own errors carry, and the names (never the values) that Postgres reports. */
  readonly context?: Readonly<Record<string, unknown>>;
  readonly cause?: SerialisedError;
  /** Of an AggregateError. */
  readonly errors?: readonly SerialisedError[];
  /** The frames alone; of errors that nobody foresaw. */
  readonly stack?: readonly string[];
}

const MAX_CAUSES = 5;
const MAX_ERRORS = 10;

/**
 * Turns anything thrown into data for a log line. Only what is listed here is taken: Postgres errors carry rows in
 * `detail`, `where`, `internalQuery` and, for data exceptions, in the message itself, and `JSON.parse` quotes its input.
 */
export function serialiseError(error: unknown, depth = 0): SerialisedError {
  if (!(error instanceof Error)) return { name: 'Thrown', message: typeof error === 'string' ? error : typeof error };
  const { cause } = error;
  const stack = error instanceof UserSyncError ? undefined : frames(error);
  const context = contextOf(error);
  return {
    name: error.name,
    message: safeMessage(error),
    ...codeOf(error),
    ...(context && { context }),
    ...(cause !== undefined && depth < MAX_CAUSES && { cause: serialiseError(cause, depth + 1) }),
    ...(error instanceof AggregateError &&
      depth < MAX_CAUSES && {
        errors: error.errors.slice(0, MAX_ERRORS).map((inner: unknown) => serialiseError(inner, depth + 1)),
      }),
    ...(stack && { stack }),
  };
}

/** `message (CODE) ← cause (CODE)`, on one line: for people. */
export function summariseError(error: SerialisedError): string {
  const code = error.code === undefined ? '' : ` (${error.code})`;
  const causes = [...(error.cause ? [error.cause] : []), ...(error.errors ?? [])];
  return [`${error.message}${code}`, ...causes.map(summariseError)].join(' ← ');
}

/** The message without the parts that quote data. */
function safeMessage(error: Error): string {
  if (error instanceof SyntaxError) return error.message.replace(/, (?:\.{3})?".*$/s, '');
  return isDataException(error) ? error.message.replace(/:? *".*$/s, '') : error.message;
}

/** SQLSTATE classes 21 and 22 (a value does not fit) and P0001 (raised by a function) may say which value it was. */
function isDataException(error: Error): boolean {
  return 'severity' in error && 'code' in error && /^(?:2[12]|P0)/.test(String(error.code));
}

function codeOf(error: Error): { code: string } | undefined {
  return 'code' in error && typeof error.code === 'string' ? { code: error.code } : undefined;
}

function contextOf(error: Error): Record<string, unknown> | undefined {
  if (error instanceof UserSyncError) return Object.keys(error.context).length > 0 ? error.context : undefined;
  const names = Object.entries(error).filter(
    ([key, value]) =>
      ['schema', 'table', 'column', 'constraint', 'syscall', 'address', 'port'].includes(key) && value !== undefined,
  );
  return names.length > 0 ? Object.fromEntries(names) : undefined;
}

/** The stack begins with the message, which may quote data and is told already. */
function frames(error: Error): string[] | undefined {
  const lines = error.stack?.split('\n').filter((line) => /^\s+at /.test(line));
  return lines?.map((line) => line.trim());
}
