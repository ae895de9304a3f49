/**
 * What an error means for the exit code of a command: `usage` is a mistake in how the command was called or in the
 * configuration (exit 2), `failed` is everything else (exit 1).
 */
export type ErrorKind = 'failed' | 'usage';

export interface ErrorOptions {
  /** What this means for the exit code; `failed` unless told. */
  kind?: ErrorKind;
  /** Facts for the log: names, counts, positions. Never values of records, never secrets. */
  context?: Record<string, unknown>;
  cause?: unknown;
}

/**
 * The root of the house's errors. `message` says what was being done to which thing and what to do about it; `code` is
 * stable and listed in docs/errors.md.
 */
export class UserSyncError extends Error {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly context: Record<string, unknown>;

  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.kind = options.kind ?? 'failed';
    this.context = options.context ?? {};
  }
}

/** The message of anything thrown, for a log line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** One problem in a file an operator wrote (configuration, model, control file). */
export interface Problem {
  severity: 'error' | 'warning';
  /** Stable, listed in docs/errors.md. */
  code: string;
  /** JSON pointer of the place, `''` for the whole document. */
  pointer: string;
  message: string;
  /** 1-based, when the place is known in the file's text. */
  line?: number;
  column?: number;
}

/** A file with problems, all of which are listed in the message. */
export class InvalidFileError extends UserSyncError {
  readonly problems: readonly Problem[];

  constructor(code: string, what: string, problems: readonly Problem[]) {
    const errors = problems.filter((problem) => problem.severity === 'error');
    const list = errors.map((problem) => `  ${describeProblem(problem)}`).join('\n');
    super(code, `${what} has ${errors.length} problem${errors.length === 1 ? '' : 's'}:\n${list}`, { kind: 'usage' });
    this.problems = problems;
  }
}

/** `12:5 /instructions/3/filters: message` */
export function describeProblem(problem: Problem): string {
  const place = problem.line === undefined ? '' : `${problem.line}:${problem.column ?? 1} `;
  return `${place}${problem.pointer === '' ? '(document)' : problem.pointer}: ${problem.message}`;
}
