import { hash } from 'node:crypto';
import type { InputRecord, RecordError, RecordPosition } from '../domain/record.js';

/** Enough that the cost of a hand-over does not matter, little enough that many fit in memory. */
const BATCH_CHARS = 512 * 1024;

/** Lines for `COPY … FROM STDIN` in text format, in the order of the staging table's columns. */
export class StageRows {
  #text = '';
  #count = 0;

  get isFull(): boolean {
    return this.#text.length >= BATCH_CHARS;
  }

  /** @param mapped null for a rejected record, which is staged so that its user does not count as gone. */
  add(row: {
    seq: number;
    file: number;
    position: RecordPosition;
    username: string;
    inError: boolean;
    mapped: string | null;
    raw: string;
  }): void {
    const { record, line, byte } = row.position;
    const result =
      row.mapped === null ? '\\N\tt\t\\N' : `${digest(row.mapped)}\t${row.inError ? 't' : 'f'}\t${escape(row.mapped)}`;
    this.#text += `${row.seq}\t${row.file}\t${record}\t${line}\t${byte}\t${escape(row.username)}\t${result}\t${escape(row.raw)}\n`;
    this.#count += 1;
  }

  /** The lines so far, as bytes that own their memory; starts afresh. */
  take(): { rows: Uint8Array<ArrayBuffer>; rowCount: number } {
    const rows = new TextEncoder().encode(this.#text);
    const rowCount = this.#count;
    this.#text = '';
    this.#count = 0;
    return { rows, rowCount };
  }
}

/**
 * 128 bits of SHA-256, in the form of a uuid: the narrowest column type that holds them. Enough that nobody can make a
 * change that looks like none.
 */
function digest(mapped: string): string {
  return hash('sha256', mapped, 'hex').slice(0, 32);
}

/** COPY's text format: backslash and the three separators must not stand for themselves. */
function escape(text: string): string {
  return /[\\\t\n\r]/.test(text) ? text.replace(/[\\\t\n\r]/g, (character) => ESCAPES[character] ?? character) : text;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** The record's text to keep: as it stands in the file when that is JSON, else its values as JSON. */
export function rawText(value: InputRecord | undefined, raw: string | undefined): string {
  return raw ?? JSON.stringify(value ?? {});
}

/**
 * What the run's log can hold: Postgres takes neither NUL nor half a surrogate pair. The source and the message may come
 * from the control file.
 */
export function storableError(error: RecordError): RecordError {
  const { source, value } = error;
  return {
    ...error,
    message: storable(error.message),
    ...(source === undefined ? {} : { source: storable(source) }),
    ...(value === undefined ? {} : { value: storable(value) }),
  };
}

function storable(text: string): string {
  return text.replaceAll('\0', '\u2400').toWellFormed();
}
