import { RECORD_ERROR_CODES, type RecordErrorCode, type RecordPosition } from '../domain/record.js';
import type { ReadItem, ReadLimits } from '../readers/reader.js';
import { nullCharacter, rejection, tooDeep, tooLarge, tooManyKeys } from '../readers/rejection.js';
import { impurityOf, isPlainObject, plainMembers, type Impurity } from './plain-json.js';

/** Thrown for what cannot be taken for a batch of records at all. */
export class NotABatch extends Error {}

const LARGEST_INTEGER = 2 ** 31 - 1;
const LONGEST_MESSAGE = 1000;

/**
 * Stands between a plugin that gives records and the engine: whatever comes, what leaves are records within the caps and
 * rejected records. One instance a file.
 */
export class ItemChecker {
  private count = 0;

  constructor(private readonly limits: ReadLimits) {}

  /** @throws NotABatch */
  check(batch: unknown): readonly ReadItem[] {
    if (!Array.isArray(batch)) throw new NotABatch('it gave something else than a list of records');
    return batch.map((item: unknown) => this.item(item));
  }

  private item(item: unknown): ReadItem {
    this.count++;
    const { kind, position: place, value, error }: Record<string, unknown> = isPlainObject(item) ? item : {};
    const position = this.position(place);
    if (kind === 'rejected') return this.rejected(position, error, value);
    if (kind !== 'record') return invalid(position, 'What the plugin gave is neither a record nor a rejected one.');
    if (!isPlainObject(value)) return invalid(position, 'The record that the plugin gave is no object.');
    const impurity = this.impurity(value);
    // Without `raw`: it would be stored as the record received, and nothing says that it still is that.
    return impurity === undefined ? { kind, position, value: value as never } : this.refused(impurity, position, value);
  }

  private refused(impurity: Impurity, position: RecordPosition, value: Readonly<Record<string, unknown>>): ReadItem {
    const { depth, keys, recordBytes } = this.limits;
    const record = plainMembers(value);
    switch (impurity) {
      case 'too-deep':
        return tooDeep(position, depth, record);
      case 'too-many-keys':
        return tooManyKeys(position, keys, record);
      case 'too-large':
        return tooLarge(position, recordBytes, record);
      case 'null-character':
        return nullCharacter(position, record);
      case 'not-json': {
        const message = 'The record that the plugin gave holds something that is no JSON, such as a date or undefined.';
        return rejection(position, 'invalid-record', message, { record });
      }
    }
  }

  private rejected(position: RecordPosition, error: unknown, value: unknown): ReadItem {
    const { code, message, source, value: shown }: Record<string, unknown> = isPlainObject(error) ? error : {};
    const text = typeof message === 'string' ? storableText(message).slice(0, LONGEST_MESSAGE) : '';
    return rejection(
      position,
      isKnown(code) ? code : 'rejected-by-plugin',
      text === '' ? 'A plugin rejected the record without saying why.' : text,
      {
        source: typeof source === 'string' ? storableText(source) : undefined,
        value: typeof shown === 'string' ? shown : undefined,
        record: isPlainObject(value) ? plainMembers(value) : undefined,
      },
    );
  }

  private impurity(value: unknown): Impurity | undefined {
    const { depth, keys, recordBytes: size } = this.limits;
    return impurityOf(value, { depth, keys, size });
  }

  private position(given: unknown): RecordPosition {
    const { record, line, byte }: Record<string, unknown> = isPlainObject(given) ? given : {};
    return {
      record: isCount(record) ? record : this.count,
      line: isCount(line) ? line : this.count,
      byte: typeof byte === 'number' && Number.isSafeInteger(byte) && byte >= 0 ? byte : 0,
    };
  }
}

function invalid(position: RecordPosition, message: string): ReadItem {
  return rejection(position, 'invalid-record', message);
}

/** From 1, and such that the database can hold it. */
function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= LARGEST_INTEGER;
}

function isKnown(code: unknown): code is RecordErrorCode {
  return RECORD_ERROR_CODES.includes(code as RecordErrorCode);
}

/** As the run's log can hold it. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '\u2400').toWellFormed();
}
