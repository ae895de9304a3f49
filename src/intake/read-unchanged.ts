import type { FileHandle } from 'node:fs/promises';
import { fingerprintOf, isSameState, type Fingerprint } from './fingerprint.js';

/** The file is not, or no longer, in the state in which it was seen: nothing wrong, it is only not complete. */
export class FileChangedError extends Error {
  constructor() {
    super('the file changed while it was read');
  }
}

/** The file itself cannot be read: as opposed to trouble with what is done with its bytes. */
export class FileUnreadableError extends Error {
  constructor(cause: unknown) {
    super('the file cannot be read', { cause });
  }
}

const CHUNK_BYTES = 1024 * 1024;

/**
 * The bytes of a regular file that has been in one state from before the first to after the last of them. A sender who
 * still has it open and writes is found out by the second look, as far as the file system tells: a change within the same
 * tick of its clock, without a change of size, or through a memory map that was not flushed, cannot be seen by anybody.
 *
 * The pieces share one buffer: use each before asking for the next.
 *
 * @throws FileChangedError, FileUnreadableError
 */
export async function* readUnchanged(handle: FileHandle, expected: Fingerprint): AsyncGenerator<Uint8Array> {
  await checkState(handle, expected);
  const buffer = Buffer.allocUnsafe(Math.max(1, Math.min(CHUNK_BYTES, Number(expected.sizeBytes))));
  let leftBytes = Number(expected.sizeBytes);
  while (leftBytes > 0) {
    const length = await readNext(handle, buffer, leftBytes);
    // It was cut short, which the look below tells.
    if (length === 0) break;
    yield buffer.subarray(0, length);
    leftBytes -= length;
  }
  await checkState(handle, expected);
}

async function checkState(handle: FileHandle, expected: Fingerprint): Promise<void> {
  const stats = await handle.stat({ bigint: true }).catch((error: unknown) => {
    throw new FileUnreadableError(error);
  });
  if (!stats.isFile() || !isSameState(fingerprintOf(stats), expected)) throw new FileChangedError();
}

async function readNext(handle: FileHandle, buffer: Buffer, wantedBytes: number): Promise<number> {
  try {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, wantedBytes), null);
    return bytesRead;
  } catch (error) {
    throw new FileUnreadableError(error);
  }
}
