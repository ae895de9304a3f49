import type { InputRecord, JsonValue, RecordPosition } from '../domain/record.js';
import { UTF_8 } from './charset.js';
import type { Cursor } from './cursor.js';
import { inexactNumber } from './json-number.js';
import type { JsonShape } from './json-shape.js';
import { JsonSkim, repeatedName, syntaxErrorAt } from './json-skim.js';
import type { ReadItem, ReadLimits } from './reader.js';
import { invalidEncoding, nullCharacter, rejection, tooDeep, tooManyKeys } from './rejection.js';

/** The text found is no JSON; `offset` is the index in the text where that shows. */
export class JsonSyntaxError extends Error {
  readonly offset: number;

  constructor(text: string) {
    super('not valid JSON');
    this.offset = syntaxErrorAt(text);
  }
}

/**
 * Turns the bytes of one JSON value into a record, or says why it is none.
 *
 * @param bytes no more than a record may have
 * @param shape what the scan of exactly these bytes has found
 * @throws JsonSyntaxError
 */
export function readJsonRecord(
  bytes: Buffer,
  shape: JsonShape,
  position: RecordPosition,
  limits: ReadLimits,
  cursor: Cursor,
): ReadItem {
  if (shape.deepest > limits.depth) return tooDeep(position, limits.depth, skimmed(bytes));
  if (shape.names > limits.keys) return tooManyKeys(position, limits.keys, skimmed(bytes));

  const text = bytes.toString('utf8');
  const value = parse(text);
  const record = asRecord(value);
  if (text.includes('\ufffd')) {
    const bad = UTF_8.invalidAt(bytes, 0, bytes.length);
    if (bad >= 0) return invalidEncoding(position, cursor.charset.name, cursor.measure(bytes, 0, bad), record);
  }
  if (record === undefined) return notAnObject(position);
  if (countNames(record, shape.containers > 1) !== shape.names) {
    const message =
      'The record has a name twice, so that it is not clear which value counts; correct the source system.';
    return rejection(position, 'duplicate-key', message, { source: repeatedName(text), record: skimmed(bytes) });
  }
  if (shape.hasNumericEscape && /\\u(?:0000|d[89a-f])/i.test(text)) {
    const source = nameOfUnstorable(record);
    if (source !== undefined) return nullCharacter(position, record, source);
  }
  if (shape.hasDoubtfulNumber) {
    const number = inexactNumber(text);
    if (number !== undefined) {
      const message =
        'The record has a number that cannot be held exactly as it is written; write it as a string, in quotes.';
      return rejection(position, 'invalid-number', message, { value: number, record: skimmed(bytes) });
    }
  }
  return { kind: 'record', position, value: record, raw: text };
}

export function notAnObject(position: RecordPosition): ReadItem {
  const message = 'The element is no JSON object, so it cannot be a record; correct the source system.';
  return rejection(position, 'not-an-object', message);
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    // The message of the built-in parser quotes the record, which must not get into the log.
    throw new JsonSyntaxError(text);
  }
}

function asRecord(value: JsonValue): InputRecord | undefined {
  return isObject(value) ? value : undefined;
}

function isObject(value: JsonValue): value is InputRecord {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** @throws JsonSyntaxError */
function skimmed(bytes: Buffer): InputRecord {
  const skim = new JsonSkim();
  try {
    skim.feed(bytes);
  } catch {
    throw new JsonSyntaxError(bytes.toString('utf8'));
  }
  return skim.members;
}

/** Fewer than the colons in the text when a name stands twice: the parser keeps one of them. */
function countNames(value: JsonValue, nested: boolean): number {
  if (value === null || typeof value !== 'object') return 0;
  const elements = Object.values<JsonValue>(value);
  let count = Array.isArray(value) ? 0 : elements.length;
  if (nested) for (const element of elements) count += countNames(element, true);
  return count;
}

/** The name of the first level under which a null character or a lone surrogate stands. */
function nameOfUnstorable(record: InputRecord): string | undefined {
  return Object.keys(record).find((name) => isUnstorable(name) || hasUnstorable(record[name] ?? null));
}

function hasUnstorable(value: JsonValue): boolean {
  if (typeof value === 'string') return isUnstorable(value);
  if (value === null || typeof value !== 'object') return false;
  if (Array.isArray(value)) return (value as JsonValue[]).some(hasUnstorable);
  return Object.entries(value).some(([name, element]) => isUnstorable(name) || hasUnstorable(element));
}

function isUnstorable(text: string): boolean {
  return text.includes('\0') || /\p{Surrogate}/u.test(text);
}
