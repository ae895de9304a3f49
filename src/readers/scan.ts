import { type Charset, UTF_16_BE, UTF_16_LE, UTF_8 } from './charset.js';
import { LARGEST_PIECE_BYTES, decompressed } from './decompressed.js';
import type { ReadItem, ReadLimits, Reader } from './reader.js';
import { Utf16ToUtf8 } from './utf16.js';

/**
 * What a format has to provide: takes the file piece by piece, appends the records that are complete. Synchronous, holds
 * at most one record; throws a `ReadError` when the file cannot be read on.
 *
 * Pieces are in an ASCII-based charset (UTF-16 arrives as UTF-8) and without byte-order mark. A scanner must not keep a
 * piece: it copies what it needs later.
 */
export interface Scanner {
  push(piece: Buffer, out: ReadItem[]): void;
  end(out: ReadItem[]): void;
}

/** What is known about a file before its first character. */
export interface Opening {
  /** From the byte-order mark or the way the first character is stored; else the one asked for. */
  readonly charset: Charset;
  /** Offset of the first character, after a byte-order mark. */
  readonly byte: number;
}

export interface ScanOptions {
  readonly limits: ReadLimits;
  /** Holds unless there is a byte-order mark. */
  readonly charset: Charset;
  /** Whether the first character is known to be ASCII, so that UTF-16 shows without a byte-order mark (RFC 4627, 3). */
  readonly startsWithAscii: boolean;
}

const LARGEST_BATCH = 2000;

/** Makes a reader of a scanner: decompression, byte-order mark, UTF-16, batches, closing of the source. */
export function scanWith(makeScanner: (opening: Opening) => Promise<Scanner>, options: ScanOptions): Reader {
  return (bytes, signal) => scan(makeScanner, options, bytes, signal);
}

async function* scan(
  makeScanner: (opening: Opening) => Promise<Scanner>,
  options: ScanOptions,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<readonly ReadItem[], void, undefined> {
  let scanner: Scanner | undefined;
  let out: ReadItem[] = [];
  let taken = 0;
  try {
    for await (const { opening, bytes: piece } of decodedPieces(bytes, options, signal)) {
      scanner ??= await makeScanner(opening);
      scanner.push(piece, out);
      taken += piece.length;
      if (out.length >= LARGEST_BATCH || taken >= LARGEST_PIECE_BYTES) {
        yield* batches(out, signal);
        out = [];
        taken = 0;
      }
    }
    scanner?.end(out);
  } catch (error) {
    // What stands before the place of the failure was read well.
    if (!signal.aborted) yield* batches(out, signal);
    throw error;
  }
  yield* batches(out, signal);
}

function* batches(items: readonly ReadItem[], signal: AbortSignal): Generator<readonly ReadItem[], void, undefined> {
  for (let start = 0; start < items.length; start += LARGEST_BATCH) {
    yield items.length <= LARGEST_BATCH ? items : items.slice(start, start + LARGEST_BATCH);
    signal.throwIfAborted();
  }
}

interface Piece {
  readonly opening: Opening;
  readonly bytes: Buffer;
}

async function* decodedPieces(
  bytes: AsyncIterable<Uint8Array>,
  options: ScanOptions,
  signal: AbortSignal,
): AsyncGenerator<Piece, void, undefined> {
  let opening: Opening | undefined;
  let utf16: Utf16ToUtf8 | undefined;
  for await (const piece of startingWith(4, decompressed(bytes, options.limits, signal))) {
    let text = piece;
    if (opening === undefined) {
      opening = openingOf(piece, options);
      if (opening.charset.utf16 !== undefined) utf16 = new Utf16ToUtf8(opening.charset.utf16);
      text = piece.subarray(opening.byte);
    }
    yield { opening, bytes: utf16 === undefined ? text : utf16.push(text) };
  }
  if (opening !== undefined && utf16 !== undefined) yield { opening, bytes: utf16.end() };
}

/** The same bytes such that the first piece has as many as it takes to tell what they are, or else is the whole file. */
async function* startingWith(count: number, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const piece of pieces) {
    if (head === undefined) {
      yield piece;
      continue;
    }
    head = Buffer.concat([head, piece]);
    if (head.length < count) continue;
    yield head;
    head = undefined;
  }
  if (head !== undefined) yield head;
}

function openingOf(head: Buffer, options: ScanOptions): Opening {
  const [a, b, c] = head;
  if (a === 0xef && b === 0xbb && c === 0xbf) return { charset: UTF_8, byte: 3 };
  if (a === 0xff && b === 0xfe) return { charset: UTF_16_LE, byte: 2 };
  if (a === 0xfe && b === 0xff) return { charset: UTF_16_BE, byte: 2 };
  if (options.startsWithAscii && a !== undefined && b !== undefined) {
    if (a !== 0 && b === 0) return { charset: UTF_16_LE, byte: 0 };
    if (a === 0 && b !== 0) return { charset: UTF_16_BE, byte: 0 };
  }
  return { charset: options.charset, byte: 0 };
}
