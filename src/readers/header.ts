import type { InputRecord, RecordPosition } from '../domain/record.js';
import { BareRecord } from './bare-record.js';
import { type FilePlace, ReadError, type ReadItem, type ReadLimits } from './reader.js';
import { rejection } from './rejection.js';

/** The names that the first line of a delimited file gives to the fields of all others. */
export class Header {
  private constructor(private readonly names: readonly string[]) {}

  /**
   * Names left empty at the end of the line are dropped, as a separator too many does no harm.
   *
   * @throws ReadError when a name stands twice, is empty, or there are too many: nobody could say what the fields mean
   */
  static of(fields: readonly string[], limits: ReadLimits, place: FilePlace): Header {
    const names = fields.slice(0, fields.findLastIndex((name) => name !== '') + 1);
    if (names.length > limits.keys) {
      throw badHeader(`has more than ${limits.keys} names; remove columns or raise the limit`, place);
    }
    const empty = names.indexOf('');
    if (empty >= 0) throw badHeader(`has no name for column ${empty + 1}; name every column`, place);
    const repeated = names.findIndex((name, index) => names.indexOf(name) !== index);
    if (repeated >= 0) {
      throw badHeader(`has one name twice, again for column ${repeated + 1}; name every column differently`, place);
    }
    if (names.some((name) => name.includes('\0'))) {
      throw badHeader('has a null character; is this a text file in the right charset?', place);
    }
    return new Header(names);
  }

  /** A record of these fields. Empty and missing fields are absent from it; fields beyond the names must be empty. */
  read(fields: readonly string[], position: RecordPosition): ReadItem {
    const record = this.recordOf(fields);
    for (let i = this.names.length; i < fields.length; i++) {
      if (fields[i] === '') continue;
      const message =
        `The record has ${fields.length} fields, but the first line of the file names only ${this.names.length}; ` +
        'look for a separator within a value.';
      // Nobody knows which value the separator was in, so the fields behind it do not tell whose record it is.
      return rejection(position, 'too-many-fields', message);
    }
    return { kind: 'record', position, value: record };
  }

  get isSingle(): boolean {
    return this.names.length === 1;
  }

  fits(fields: readonly string[]): boolean {
    return fields.length === this.names.length;
  }

  recordOf(fields: readonly string[]): InputRecord {
    const { names } = this;
    const record = new BareRecord();
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      const field = fields[i];
      if (name !== undefined && field !== undefined && field !== '') record[name] = field;
    }
    return record;
  }
}

export function badHeader(what: string, place: FilePlace): ReadError {
  return new ReadError('bad-header', `The first line of the file, which names its columns, ${what}.`, place);
}
