import type { Charset } from './charset.js';
import type { FilePlace } from './reader.js';
import type { Opening } from './scan.js';

const LF = 10;
const CR = 13;

export interface Place {
  readonly line: number;
  readonly byte: number;
}

/**
 * Knows line and byte of the places a scanner stops at. Moves forward only, piece by piece; `\n`, `\r\n` and `\r` each
 * end one line.
 *
 * A UTF-16 file reaches the scanners as UTF-8, so its byte offsets are found by counting UTF-16 units.
 */
export class Cursor {
  private line = 1;
  private index = 0;
  /** Of the piece, where the next of each is; infinite when there is none, unknown at its start. */
  private nextLf: number | undefined;
  private nextCr: number | undefined;
  /** Where the last one was in the piece; -1 when the piece before ended with it, -2 when there is none that matters. */
  private lastCr = -2;
  private byte: number;
  /** Of the file, as it came. */
  readonly charset: Charset;

  constructor({ byte, charset }: Pick<Opening, 'byte' | 'charset'>) {
    this.byte = byte;
    this.charset = charset;
  }

  /** The place of `piece[index]`; `index` must not be before the previous one. */
  at(piece: Buffer, index: number): Place {
    this.countLines(piece, index);
    this.byte += this.measure(piece, this.index, index);
    this.index = index;
    return { line: this.line, byte: this.byte };
  }

  /** To be called when the scanner has finished with a piece. */
  endPiece(piece: Buffer): void {
    this.at(piece, piece.length);
    this.index = 0;
    this.nextLf = undefined;
    this.nextCr = undefined;
    this.lastCr = this.lastCr === piece.length - 1 ? -1 : -2;
  }

  /** The place where the cursor stands: at the end of the file, its end. */
  here(): Place {
    return { line: this.line, byte: this.byte };
  }

  /** The place of `bytes[index]`, when they start at `start`. */
  within(start: FilePlace, bytes: Buffer, index: number): Place {
    const lines = bytes.toString('latin1', 0, index).match(/\r\n|\r|\n/g)?.length ?? 0;
    return { line: (start.line ?? 1) + lines, byte: (start.byte ?? 0) + this.measure(bytes, 0, index) };
  }

  /** How many bytes of the file stand for these bytes. */
  measure(bytes: Buffer, from: number, to: number): number {
    return this.charset.utf16 !== undefined ? 2 * utf16Units(bytes, from, to) : to - from;
  }

  /** Goes from line end to line end: looking at each byte takes several times as long as finding one. */
  private countLines(piece: Buffer, to: number): void {
    let lf = this.nextLf ?? indexOf(piece, LF, this.index);
    let cr = this.nextCr ?? indexOf(piece, CR, this.index);
    while (lf < to || cr < to) {
      if (cr < lf) {
        this.line++;
        this.lastCr = cr;
        cr = indexOf(piece, CR, cr + 1);
      } else {
        if (this.lastCr !== lf - 1) this.line++;
        lf = indexOf(piece, LF, lf + 1);
      }
    }
    this.nextLf = lf;
    this.nextCr = cr;
  }
}

function indexOf(piece: Buffer, byte: number, from: number): number {
  const index = piece.indexOf(byte, from);
  return index < 0 ? Infinity : index;
}

function utf16Units(bytes: Buffer, from: number, to: number): number {
  let units = 0;
  for (let i = from; i < to; i++) {
    const byte = bytes[i] ?? 0;
    if (byte < 0x80 || byte >= 0xc0) units += byte >= 0xf0 ? 2 : 1;
  }
  return units;
}
