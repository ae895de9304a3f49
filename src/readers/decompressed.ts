import { gunzip, looksLikeGzip } from './gzip.js';
import { Interruptible } from './interruptible.js';
import { ReadError, type ReadLimits } from './reader.js';

export const LARGEST_PIECE_BYTES = 256 * 1024;

/** The file's bytes in pieces of bounded size, decompressed if need be, capped. */
export async function* decompressed(
  bytes: AsyncIterable<Uint8Array>,
  limits: ReadLimits,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const source = new Interruptible(bytes, signal);
  let size = 0;
  try {
    let head: Uint8Array = new Uint8Array(0);
    while (head.length < 2) {
      const next = await source.next();
      if (next.done === true) break;
      head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
    }
    const contents = looksLikeGzip(head) ? gunzip(head, source, limits) : plain(head, source);
    for await (const content of contents) {
      const buffer = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
      size += buffer.length;
      if (size > limits.fileBytes) {
        const message = `The file is longer than ${limits.fileBytes} bytes; split it, or raise the limit for files.`;
        throw new ReadError('file-too-large', message, { byte: limits.fileBytes });
      }
      for (let start = 0; start < buffer.length; start += LARGEST_PIECE_BYTES) {
        signal.throwIfAborted();
        yield buffer.subarray(start, start + LARGEST_PIECE_BYTES);
      }
    }
  } finally {
    await source.return();
  }
}

async function* plain(head: Uint8Array, rest: Interruptible): AsyncGenerator<Uint8Array, void, undefined> {
  if (head.length > 0) yield head;
  yield* rest;
}
