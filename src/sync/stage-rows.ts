import type { InputRecord, RecordError, RecordPosition } from '../domain/record.js';

/** Enough that the cost of a hand-over does not matter, little enough that many fit in memory. */
const BATCH_BYTES = 512 * 1024;
/** For the row that makes a batch full. */
const SPARE_BYTES = 16 * 1024;
/** A UTF-16 code unit has at most so many bytes in UTF-8. */
const MOST_BYTES = 3;

const NULL = '\\N';

/** Where a record stands in the batch, and whose it is. */
export interface RowPlace {
  readonly seq: number;
  readonly file: number;
  readonly position: RecordPosition;
  readonly username: string;
}

/**
 * Lines for `COPY … FROM STDIN` in text format, in the order of the staging table's columns. Each is encoded at once: as
 * text, thousands of them are a heavy burden on the garbage collector.
 */
export class StageRows {
  #bytes = newBuffer(BATCH_BYTES + SPARE_BYTES);
  #length = 0;
  #count = 0;

  get isFull(): boolean {
    return this.#length >= BATCH_BYTES;
  }

  /** A record that was mapped. */
  addMapped(
    place: RowPlace,
    row: { digest: string; recordDigest: string | null; given: string; inError: boolean; mapped: string; raw: string },
  ): void {
    const { digest, recordDigest, given, inError, mapped, raw } = row;
    this.#add(
      place,
      `${digest}\t${recordDigest ?? NULL}\t\\\\x${given}\t${inError ? 't' : 'f'}\t${escapeForCopy(mapped)}\t${escapeForCopy(raw)}`,
    );
  }

  /** A record that is the one last taken in for its user. */
  addRecognised(place: RowPlace, digest: string): void {
    this.#add(place, `${digest}\t${NULL}\t${NULL}\tf\t${NULL}\t${NULL}`);
  }

  /** A rejected record is staged so that its user does not count as gone. */
  addRejected(place: RowPlace, raw: string): void {
    this.#add(place, `${NULL}\t${NULL}\t${NULL}\tt\t${NULL}\t${escapeForCopy(raw)}`);
  }

  #add({ seq, file, position, username }: RowPlace, rest: string): void {
    const { record, line, byte } = position;
    const row = `${seq}\t${file}\t${record}\t${line}\t${byte}\t${escapeForCopy(username)}\t${rest}\n`;
    const most = this.#length + row.length * MOST_BYTES;
    if (most > this.#bytes.length) {
      const larger = newBuffer(2 * most);
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    this.#length += this.#bytes.write(row, this.#length);
    this.#count += 1;
  }

  /** The lines so far, in memory of their own; starts afresh. */
  take(): { rows: Uint8Array<ArrayBuffer>; rowCount: number } {
    const rows = new Uint8Array(this.#bytes.buffer, 0, this.#length);
    const rowCount = this.#count;
    this.#bytes = newBuffer(BATCH_BYTES + SPARE_BYTES);
    this.#length = 0;
    this.#count = 0;
    return { rows, rowCount };
  }
}

/** Memory that can be handed to another thread: no part of the pool that small buffers share. */
function newBuffer(bytes: number): Buffer<ArrayBuffer> {
  return Buffer.allocUnsafeSlow(bytes);
}

/** COPY's text format: backslash and the three separators must not stand for themselves. */
export function escapeForCopy(text: string): string {
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
