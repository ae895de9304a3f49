import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { Interruptible } from './interruptible.js';
import { ReadError, type ReadLimits } from './reader.js';

/** Below this a high ratio proves nothing: a small file of spaces compresses a thousandfold. */
const RATIO_COUNTS_FROM_BYTES = 1024 * 1024;

export function looksLikeGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

/**
 * Decompresses, with as many members as there are (RFC 1952, 2.2), and refuses what is cut off, damaged, out of
 * proportion, or followed by anything but zero padding.
 *
 * @param head what was already taken from `rest`
 */
export async function* gunzip(
  head: Uint8Array,
  rest: Interruptible,
  limits: ReadLimits,
): AsyncGenerator<Buffer, void, undefined> {
  const unzip = createGunzip();
  const input = new CountedInput(head, rest);
  const feeding = pipeline(input, unzip);
  // A failure also reaches the loop below; this keeps it from being reported as unhandled when the loop has ended.
  feeding.catch(() => undefined);
  let size = 0;
  try {
    for await (const piece of unzip.iterator({ destroyOnReturn: false })) {
      const bytes = piece as Buffer;
      size += bytes.length;
      if (size > RATIO_COUNTS_FROM_BYTES && size > unzip.bytesWritten * limits.gzipRatio) {
        throw new ReadError(
          'gzip-bomb',
          `The file grows more than ${limits.gzipRatio} times when it is decompressed, which no real list of users does; ` +
            'send it uncompressed or raise the limit if it is genuine.',
          { byte: size },
        );
      }
      yield bytes;
    }
    await feeding;
    if (input.lastNonZero >= unzip.bytesWritten) throw damaged(size, 'it goes on after its end');
  } catch (error) {
    throw explained(error, size);
  } finally {
    await rest.return();
    unzip.destroy();
  }
}

/** What goes into the decompressor, which stops at zero bytes after a member and would ignore all that follows. */
class CountedInput {
  /** Offset of the last byte that is not zero. */
  lastNonZero = -1;
  private size = 0;

  constructor(
    private readonly head: Uint8Array,
    private readonly rest: Interruptible,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    yield this.count(this.head);
    for await (const piece of this.rest) yield this.count(piece);
  }

  private count(piece: Uint8Array): Uint8Array {
    const last = piece.findLastIndex((byte) => byte !== 0);
    if (last >= 0) this.lastNonZero = this.size + last;
    this.size += piece.length;
    return piece;
  }
}

function explained(error: unknown, size: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'Z_BUF_ERROR') {
    const message = `The gzip file is cut off (after ${size} decompressed bytes); upload it again, whole.`;
    return new ReadError('truncated-file', message, { byte: size }, error);
  }
  if (code === 'Z_DATA_ERROR' || code === 'Z_NEED_DICT') return damaged(size, 'its contents do not add up', error);
  if (code === 'ERR_STREAM_PUSH_AFTER_EOF') return damaged(size, 'it goes on after its end', error);
  return error;
}

function damaged(size: number, what: string, cause?: unknown): ReadError {
  const message = `The gzip file is damaged: ${what} (after ${size} decompressed bytes); upload it again.`;
  return new ReadError('gzip-damaged', message, { byte: size }, cause);
}
