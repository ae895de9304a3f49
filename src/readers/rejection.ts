import type { InputRecord, JsonValue, RecordErrorCode, RecordPosition } from '../domain/record.js';
import type { RejectedRecord } from './reader.js';

const LONGEST_VALUE = 200;

export interface RejectionDetails {
  /** The source field concerned. */
  source?: string | undefined;
  /** The offending value; it is cut short. */
  value?: string | undefined;
  /** What could be read of the record; of it, the values that tell whose it is are kept. */
  record?: InputRecord | undefined;
}

export function rejection(
  position: RecordPosition,
  code: RecordErrorCode,
  message: string,
  details: RejectionDetails = {},
): RejectedRecord {
  const { source, value, record } = details;
  return {
    kind: 'rejected',
    position,
    error: {
      code,
      ...(source === undefined ? {} : { source: source.slice(0, LONGEST_VALUE) }),
      ...(value === undefined ? {} : { value: value.slice(0, LONGEST_VALUE) }),
      message,
    },
    ...(record === undefined ? {} : { value: intactValues(record) }),
  };
}

/**
 * The plain values that were surely read as they are meant. A value that is not must not name the record's owner: the
 * real one would then count as missing from the feed.
 */
function intactValues(record: InputRecord): InputRecord {
  const intact = Object.create(null) as Record<string, JsonValue>;
  for (const [name, value] of Object.entries(record)) {
    const isPlain = value === null || typeof value !== 'object';
    if (isPlain && isIntact(name) && (typeof value !== 'string' || isIntact(value))) intact[name] = value;
  }
  return intact;
}

function isIntact(text: string): boolean {
  return !/[\0\ufffd\p{Surrogate}]/u.test(text);
}

/** @param offset bytes from the start of the record to the first bad one, in the file */
export function invalidEncoding(
  position: RecordPosition,
  charset: string,
  offset: number,
  record?: InputRecord,
): RejectedRecord {
  const message =
    `The record has bytes that are not valid ${charset}, first at byte ${position.byte + offset} of the file; ` +
    `correct the file's encoding, or name the right charset in the control file.`;
  return rejection(position, 'invalid-encoding', message, { record });
}

export function tooLarge(position: RecordPosition, limit: number, record?: InputRecord): RejectedRecord {
  const message = `The record is longer than ${limit} bytes; shorten it in the source system, or raise the limit for records.`;
  return rejection(position, 'record-too-large', message, { record });
}

export function tooDeep(position: RecordPosition, limit: number, record?: InputRecord): RejectedRecord {
  const message = `The record is nested more than ${limit} levels deep; flatten it in the source system, or raise the limit.`;
  return rejection(position, 'too-deep', message, { record });
}

export function tooManyKeys(position: RecordPosition, limit: number, record?: InputRecord): RejectedRecord {
  const message = `The record has more than ${limit} names; remove those that are not needed, or raise the limit.`;
  return rejection(position, 'too-many-keys', message, { record });
}

export function nullCharacter(
  position: RecordPosition,
  record: InputRecord | undefined,
  source?: string,
): RejectedRecord {
  const message =
    'The record has a null character or half of a surrogate pair, which the database cannot store; ' +
    'remove it in the source system.';
  return rejection(position, 'null-character', message, { source, record });
}
