/** Records as they come out of a reader, and what can be wrong with one. Pure data: it crosses threads. */

/** A JSON value. Records of text formats only hold strings. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/**
 * One user record: names to values. Readers make it without a prototype (`Object.create(null)`) or such that
 * `Object.hasOwn` tells what is there: keys like `__proto__` are plain data.
 */
export type InputRecord = Readonly<Record<string, JsonValue>>;

/** Where a record starts in its file. */
export interface RecordPosition {
  /** Counts from 1 in its file. */
  readonly record: number;
  /** Counts from 1. */
  readonly line: number;
  /** Offset from the start of the (decompressed) file. */
  readonly byte: number;
}

/** What only has a value left out, or nothing: when such a record is rejected, it is for something else as well. */
export const VALUE_ERROR_CODES = [
  'invalid-email',
  'invalid-url',
  'invalid-date',
  'invalid-integer',
  'invalid-number',
  'invalid-boolean',
  'invalid-address',
  'invalid-telephone-number',
  'invalid-name',
  'unmapped-value',
  'unknown-reference',
  'filter-failed',
  'logged',
] as const;

/** Stable codes of what can be wrong with one record; each is explained in docs/errors.md. */
export const RECORD_ERROR_CODES = [
  'missing-username',
  'duplicate-username',
  'missing-value',
  'unknown-group',
  'unmanaged-group',
  'not-owned',
  'other-feed',
  'changed-since',
  ...VALUE_ERROR_CODES,
  'aborted',
  'assert-failed',
  'load-failed',
  'invalid-encoding',
  'record-too-large',
  'too-deep',
  'too-many-keys',
  'not-an-object',
  'invalid-json',
  'invalid-quoting',
  'invalid-character',
  'too-many-fields',
  'duplicate-key',
  'null-character',
  'invalid-record',
  'rejected-by-plugin',
  'database',
] as const;

export type RecordErrorCode = (typeof RECORD_ERROR_CODES)[number];

/** Something wrong with one record: data that flows to the run's log, never an exception. */
export interface RecordError {
  readonly code: RecordErrorCode;
  /** The source field concerned, when there is one. */
  readonly source?: string;
  /** The offending value, cut short: only for the run's error list, never for the daemon's log. */
  readonly value?: string;
  /** A sentence for the operator that says what to do; holds no value of the record. */
  readonly message: string;
}

/** A record's error with where it stood, for the run's log. */
export interface RecordLogEntry {
  readonly code: string;
  readonly message: string;
  readonly username: string | null;
  readonly file: string;
  readonly record: number;
  readonly line: number;
  readonly byte: number;
  readonly source: string | null;
  readonly value: string | null;
}
