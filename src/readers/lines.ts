import type { RecordPosition } from '../domain/record.js';
import { Cursor, type Place } from './cursor.js';
import { HeldBytes } from './held-bytes.js';
import type { ReadItem } from './reader.js';
import type { Opening, Scanner } from './scan.js';

const LF = 10;
const CR = 13;

/**
 * The base of the formats in which a record is a line. Finds lines as bytes, so that a line that cannot be decoded is
 * one bad record; `\n`, `\r\n` and `\r` all end lines, mixed too.
 */
export abstract class LineScanner implements Scanner {
  protected readonly cursor: Cursor;
  private readonly held: HeldBytes;
  private line: Place = { line: 1, byte: 0 };
  /** Whether the line began in an earlier piece. */
  private continued = false;
  private afterCr = false;
  private records = 0;

  constructor(
    opening: Opening,
    private readonly longestLine: number,
  ) {
    this.cursor = new Cursor(opening);
    this.held = new HeldBytes(longestLine);
  }

  /** A whole line, without its end, not empty. */
  protected abstract takeLine(bytes: Buffer, start: number, end: number, out: ReadItem[]): void;

  /** A line that is longer than allowed, of which only the start is left. */
  protected abstract takeLongLine(head: Buffer, out: ReadItem[]): void;

  push(piece: Buffer, out: ReadItem[]): void {
    let start = 0;
    if (this.afterCr && piece[0] === LF) start = 1;
    this.afterCr = this.afterCr && piece.length === 0;
    for (let i = start; i < piece.length; i++) {
      const byte = piece[i];
      if (byte !== LF && byte !== CR) continue;
      this.finish(piece, start, i, out);
      if (byte === CR && piece[i + 1] === LF) i++;
      else if (byte === CR && i + 1 === piece.length) this.afterCr = true;
      start = i + 1;
    }
    if (start < piece.length) this.hold(piece, start);
    this.cursor.endPiece(piece);
  }

  end(out: ReadItem[]): void {
    this.finish(Buffer.alloc(0), 0, 0, out);
  }

  /** Where the line being taken starts. */
  protected here(): Place {
    return this.line;
  }

  /** To be called once for each line that is a record. */
  protected nextPosition(): RecordPosition {
    return { record: ++this.records, line: this.line.line, byte: this.line.byte };
  }

  private hold(piece: Buffer, start: number): void {
    if (!this.continued) this.line = this.cursor.at(piece, start);
    this.continued = true;
    this.held.append(piece, start, piece.length);
  }

  private finish(piece: Buffer, start: number, end: number, out: ReadItem[]): void {
    if (!this.continued) {
      if (start === end) return;
      this.line = this.cursor.at(piece, start);
      if (end - start > this.longestLine) this.takeLongLine(piece.subarray(start, start + this.longestLine), out);
      else this.takeLine(piece, start, end, out);
      return;
    }
    this.held.append(piece, start, end);
    const line = this.held.view();
    const { tooLong } = this.held;
    this.continued = false;
    this.held.clear();
    if (tooLong) this.takeLongLine(line, out);
    else this.takeLine(line, 0, line.length, out);
  }
}
