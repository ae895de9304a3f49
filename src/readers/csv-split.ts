import { Cursor, type Place } from './cursor.js';
import { HeldBytes } from './held-bytes.js';
import { ReadError } from './reader.js';
import type { Opening, Scanner } from './scan.js';
import type { ReadItem } from './reader.js';

const LF = 10;
const CR = 13;
const QUOTE = 0x22;

/** A record's bytes, without its end. They are only valid during the call that hands them over. */
export interface CsvLine {
  readonly bytes: Buffer;
  readonly place: Place;
  /** Whether `bytes` is only the start of it. */
  readonly tooLong: boolean;
  /** Whether a quote stands in a field that is not quoted, which RFC 4180 does not allow. */
  readonly strayQuote: boolean;
}

/**
 * Finds where the records of a CSV file end, which takes the quotes to know, and nothing else. The CSV parser itself
 * cannot do that job: it gives up a record that is too large at the next line end, in the middle of a quoted field.
 *
 * A quoted field that is not closed properly fails the file: the records that it swallowed would go missing unnoticed.
 */
export abstract class CsvSplitter implements Scanner {
  protected readonly cursor: Cursor;
  private readonly held: HeldBytes;
  private place: Place = { line: 1, byte: 0 };
  private continued = false;
  private strayQuote = false;
  private afterCr = false;
  private state: 'field start' | 'plain' | 'quoted' | 'after quote' = 'field start';
  /** How many bytes of the delimiter have just been seen. */
  private matched = 0;

  constructor(
    opening: Opening,
    private readonly delimiter: Buffer,
    private readonly longestRecord: number,
  ) {
    this.cursor = new Cursor(opening);
    this.held = new HeldBytes(longestRecord);
  }

  protected abstract takeRecord(line: CsvLine, out: ReadItem[]): void;

  push(piece: Buffer, out: ReadItem[]): void {
    let start = 0;
    if (this.afterCr && piece[0] === LF) start = 1;
    this.afterCr = this.afterCr && piece.length === 0;
    for (let i = start; i < piece.length; i++) {
      const byte = piece[i];
      if (this.state === 'quoted') {
        i = piece.indexOf(QUOTE, i);
        if (i < 0) break;
        this.state = 'after quote';
      } else if (byte === LF || byte === CR) {
        this.finish(piece, start, i, out);
        if (byte === CR && piece[i + 1] === LF) i++;
        else if (byte === CR && i + 1 === piece.length) this.afterCr = true;
        start = i + 1;
      } else {
        this.step(byte ?? 0, piece, start, i);
      }
    }
    if (start < piece.length) this.hold(piece, start);
    this.cursor.endPiece(piece);
  }

  end(out: ReadItem[]): void {
    if (this.state === 'quoted') {
      throw new ReadError(
        'truncated-file',
        `The file ends within a quoted field of the record at line ${this.place.line}; upload it again, whole.`,
        this.place,
      );
    }
    this.finish(Buffer.alloc(0), 0, 0, out);
  }

  /** One byte outside of quotes that ends no line. */
  private step(byte: number, piece: Buffer, start: number, i: number): void {
    const goesOn = byte === this.delimiter[this.matched];
    // What follows a closing quote is the delimiter, or nothing.
    if (this.state === 'after quote' && !goesOn && (byte !== QUOTE || this.matched > 0)) {
      throw this.badQuote(piece, start, i);
    }
    if (byte === QUOTE) {
      this.matched = 0;
      if (this.state === 'plain') this.strayQuote = true;
      else this.state = 'quoted';
      return;
    }
    this.matched = goesOn ? this.matched + 1 : this.matched > 0 ? this.matchedInstead(byte) : 0;
    if (this.matched === this.delimiter.length) {
      this.matched = 0;
      this.state = 'field start';
    } else if (this.state === 'field start') {
      this.state = 'plain';
    }
  }

  /** How much of a delimiter may have begun later than it seemed, with a byte that does not go on with it: `aab` in `aaab`. */
  private matchedInstead(byte: number): number {
    const seen = Buffer.from([...this.delimiter.subarray(0, this.matched), byte]);
    let length = this.matched;
    while (length > 0 && !seen.subarray(seen.length - length).equals(this.delimiter.subarray(0, length))) length--;
    return length;
  }

  private hold(piece: Buffer, start: number): void {
    if (!this.continued) this.place = this.cursor.at(piece, start);
    this.continued = true;
    this.held.append(piece, start, piece.length);
  }

  private finish(piece: Buffer, start: number, end: number, out: ReadItem[]): void {
    if (this.state === 'after quote' && this.matched > 0) throw this.badQuote(piece, start, end);
    let bytes = piece.subarray(start, end);
    if (this.continued) {
      this.held.append(piece, start, end);
      bytes = this.held.view();
    } else if (bytes.length > 0) {
      this.place = this.cursor.at(piece, start);
    }
    const tooLong = this.held.tooLong || bytes.length > this.longestRecord;
    const { place, strayQuote } = this;
    this.continued = false;
    this.strayQuote = false;
    this.state = 'field start';
    this.matched = 0;
    this.held.clear();
    if (bytes.length > 0) {
      this.takeRecord({ bytes: bytes.subarray(0, this.longestRecord), place, tooLong, strayQuote }, out);
    }
  }

  private badQuote(piece: Buffer, start: number, at: number): ReadError {
    const record = this.continued ? this.place : this.cursor.at(piece, start);
    const place = this.cursor.at(piece, at);
    const message =
      `A quoted field of the record that starts at line ${record.line} goes on after its closing quote ` +
      `(line ${place.line}, byte ${place.byte}); double the quotes within values.`;
    return new ReadError('malformed-file', message, place);
  }
}
