import type { RecordPosition } from '../domain/record.js';
import { UTF_8, byteIndexOf } from './charset.js';
import { Cursor, type Place } from './cursor.js';
import { HeldBytes } from './held-bytes.js';
import { JsonSyntaxError, notAnObject, readJsonRecord } from './json-record.js';
import { JsonShape } from './json-shape.js';
import { JsonSkim } from './json-skim.js';
import { ReadError, type ReadItem, type ReadLimits } from './reader.js';
import { tooLarge } from './rejection.js';
import type { Opening, Scanner } from './scan.js';

const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const QUOTE = 0x22;
/** Longer than any number, `true`, `false` or `null` that makes sense as an element. */
const LONGEST_SCALAR = 1024;

type Expected = 'document' | 'first element or ]' | 'element' | ', or ]' | 'nothing';

/**
 * JSON whose top level is an array of records, or one record with `singleRecord`.
 *
 * Looks for the ends of the elements byte by byte and leaves each to `JSON.parse`, which is more than twice as fast as
 * a tokenizer in JavaScript. An element that cannot be held is skimmed instead, and reading goes on behind it.
 */
export class JsonArrayScanner implements Scanner {
  private readonly cursor: Cursor;
  private readonly shape = new JsonShape();
  private readonly held = new HeldBytes();
  private expected: Expected = 'document';
  private inside: 'nothing' | 'container' | 'scalar' = 'nothing';
  private skim: JsonSkim | undefined;
  private position: RecordPosition = { record: 0, line: 1, byte: 0 };

  constructor(
    private readonly limits: ReadLimits,
    private readonly singleRecord: boolean,
    opening: Opening,
  ) {
    this.cursor = new Cursor(opening);
  }

  push(piece: Buffer, out: ReadItem[]): void {
    let i = 0;
    while (i < piece.length) {
      if (this.inside === 'nothing') {
        i = this.between(piece, i);
        continue;
      }
      const end = this.inside === 'container' ? this.shape.scan(piece, i, piece.length) : scalarEnd(piece, i);
      if (end < 0) {
        this.hold(piece, i, piece.length);
        break;
      }
      out.push(this.finish(piece, i, end));
      i = end;
    }
    this.cursor.endPiece(piece);
  }

  end(out: ReadItem[]): void {
    if (this.inside === 'scalar' && this.singleRecord) out.push(this.finish(Buffer.alloc(0), 0, 0));
    if (this.expected === 'nothing' || (this.expected === 'document' && this.inside === 'nothing')) return;
    const missing = this.singleRecord ? 'the end of the record' : 'the closing ]';
    const where = this.inside === 'nothing' ? 'after' : 'within';
    throw new ReadError(
      'truncated-file',
      `The file ends ${where} record ${this.position.record}, without ${missing}; upload it again, whole.`,
      { ...this.cursor.here(), record: this.position.record },
    );
  }

  /** Takes one byte of what stands between elements. The start of an element is not taken. */
  private between(piece: Buffer, i: number): number {
    const byte = piece[i] ?? 0;
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) return i + 1;
    switch (this.expected) {
      case 'document':
        if (this.singleRecord) return this.startElement(piece, i, byte);
        if (byte !== OPEN_BRACKET) throw this.noArray(byte, this.cursor.at(piece, i));
        this.expected = 'first element or ]';
        return i + 1;
      case 'first element or ]':
        if (byte !== CLOSE_BRACKET) return this.startElement(piece, i, byte);
        this.expected = 'nothing';
        return i + 1;
      case ', or ]':
        if (byte !== COMMA && byte !== CLOSE_BRACKET) throw this.malformed(this.cursor.at(piece, i));
        this.expected = byte === COMMA ? 'element' : 'nothing';
        return i + 1;
      case 'element':
        return this.startElement(piece, i, byte);
      case 'nothing':
        throw new ReadError(
          'trailing-data',
          `The file goes on after the end of its ${this.singleRecord ? 'record' : 'array'}; write one JSON document a file.`,
          this.cursor.at(piece, i),
        );
    }
  }

  private startElement(piece: Buffer, i: number, byte: number): number {
    const place = this.cursor.at(piece, i);
    if (byte === COMMA || byte === CLOSE_BRACKET) throw this.malformed(place);
    this.position = { record: this.position.record + 1, ...place };
    this.shape.reset();
    this.inside = byte === OPEN_BRACE || byte === OPEN_BRACKET || byte === QUOTE ? 'container' : 'scalar';
    return i;
  }

  private hold(piece: Buffer, start: number, end: number): void {
    if (this.skim !== undefined) {
      this.skimOn(this.skim, piece.subarray(start, end));
      return;
    }
    this.held.append(piece, start, end);
    if (this.inside === 'scalar' && this.held.length > LONGEST_SCALAR) throw this.malformed(this.position);
    if (this.held.length > this.limits.recordBytes) this.skim = this.startSkim();
  }

  /** What is held is too long, so it is let go of. */
  private startSkim(): JsonSkim {
    const skim = new JsonSkim();
    this.skimOn(skim, this.held.view());
    this.held.clear();
    return skim;
  }

  private finish(piece: Buffer, start: number, end: number): ReadItem {
    const { inside } = this;
    const isTooLong = inside === 'container' && this.held.length + end - start > this.limits.recordBytes;
    const skim = this.skim ?? (isTooLong ? this.startSkim() : undefined);
    this.inside = 'nothing';
    this.expected = this.singleRecord ? 'nothing' : ', or ]';
    if (skim !== undefined) {
      this.skimOn(skim, piece.subarray(start, end));
      this.skim = undefined;
      return tooLarge(this.position, this.limits.recordBytes, skim.members);
    }
    let bytes = piece.subarray(start, end);
    if (this.held.length > 0) {
      this.held.append(piece, start, end);
      bytes = this.held.view();
      this.held.clear();
    }
    if (inside === 'scalar' && !isScalar(bytes)) throw this.malformed(this.position);
    if (inside === 'scalar') return notAnObject(this.position);
    try {
      return readJsonRecord(bytes, this.shape, this.position, this.limits, this.cursor);
    } catch (error) {
      if (!(error instanceof JsonSyntaxError)) throw error;
      const index = byteIndexOf(UTF_8, bytes, error.offset);
      throw this.malformed(this.cursor.within(this.position, bytes, index), error);
    }
  }

  private skimOn(skim: JsonSkim, bytes: Buffer): void {
    try {
      skim.feed(bytes);
    } catch (error) {
      throw this.malformed(this.position, error);
    }
  }

  private malformed(place: Place, cause?: unknown): ReadError {
    const { record } = this.position;
    const message =
      `The file is not valid JSON at line ${place.line}, byte ${place.byte} (record ${Math.max(1, record)}); ` +
      'have the source system write it with a JSON library.';
    return new ReadError('malformed-file', message, { ...place, record }, cause);
  }

  private noArray(byte: number, place: Place): ReadError {
    const hint =
      byte === OPEN_BRACE
        ? "if it has one JSON object a line, read it as 'jsonl'; if it is one record, set singleRecord"
        : 'is this a JSON file?';
    const message = `The file does not start with [ as a JSON array of records does (line ${place.line}, byte ${place.byte}): ${hint}.`;
    return new ReadError('unexpected-content', message, place);
  }
}

function scalarEnd(piece: Buffer, from: number): number {
  for (let i = from; i < piece.length; i++) {
    const byte = piece[i] ?? 0;
    if (byte === COMMA || byte === CLOSE_BRACKET || byte <= 0x20) return i;
  }
  return -1;
}

function isScalar(bytes: Buffer): boolean {
  if (bytes.length > LONGEST_SCALAR) return false;
  try {
    const value: unknown = JSON.parse(bytes.toString('latin1'));
    return value === null || typeof value !== 'object';
  } catch {
    return false;
  }
}
