import type { InputRecord, RecordError, RecordPosition } from '../domain/record.js';
import { UserSyncError } from '../lib/errors.js';

/**
 * The contract of all readers: bytes in, batches of records out, pulled by the consumer.
 *
 * A reader holds at most one record and one batch. It yields bad records as data (`rejected`) and throws a `ReadError`
 * only when the file as a whole cannot be read to its end; what it yielded before stays valid.
 */
export type Reader = (bytes: AsyncIterable<Uint8Array>, signal: AbortSignal) => AsyncIterable<readonly ReadItem[]>;

export type ReadItem = ReadRecord | RejectedRecord;

export interface ReadRecord {
  readonly kind: 'record';
  readonly position: RecordPosition;
  readonly value: InputRecord;
  /** The record's text as it stands in the file, where the format makes that one piece of JSON; else absent. */
  readonly raw?: string;
}

/** A record that cannot be used. */
export interface RejectedRecord {
  readonly kind: 'rejected';
  readonly position: RecordPosition;
  readonly error: RecordError;
  /** What could be read of it: only good for finding out whose record it is. */
  readonly value?: InputRecord;
}

/** Caps that keep one hostile record from taking the process down. */
export interface ReadLimits {
  /** Longest record, in bytes of the decompressed file. */
  readonly recordBytes: number;
  /** Deepest nesting of arrays, objects or elements. */
  readonly depth: number;
  /** Most names in one record, nested ones included; most columns of a header. */
  readonly keys: number;
  /** Longest file after decompression. */
  readonly fileBytes: number;
  /** Decompressed size over compressed size; beyond it a gzip is taken for a bomb. */
  readonly gzipRatio: number;
}

export const DEFAULT_LIMITS: ReadLimits = {
  recordBytes: 1024 * 1024,
  depth: 64,
  keys: 2000,
  fileBytes: 64 * 1024 ** 3,
  gzipRatio: 200,
};

/** A place in a file, as far as it is known. */
export interface FilePlace {
  readonly line?: number;
  readonly byte?: number;
  readonly record?: number;
}

/** The file as a whole cannot be read: cut off, malformed, not what the control file says it is. */
export class ReadError extends UserSyncError {
  readonly place: FilePlace;

  constructor(code: string, message: string, place: FilePlace = {}, cause?: unknown) {
    super(code, message, { context: { ...place }, cause });
    this.place = place;
  }
}

/** For what a reader of a plugin says of its file. */
export function malformedFile(message: string, place?: FilePlace): ReadError {
  return new ReadError('malformed-file', message, place);
}
