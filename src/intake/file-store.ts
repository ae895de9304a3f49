import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, constants } from 'node:fs';
import { access, mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserSyncError } from '../lib/errors.js';

export interface StoredFile {
  /** SHA-256 of the bytes, hex: the file's name in the store. */
  digest: string;
  sizeBytes: number;
}

export interface PutOptions {
  readonly signal?: AbortSignal | undefined;
  /** What the sender says is the SHA-256 of the bytes; others are refused. */
  readonly digest?: string | undefined;
  /** Looks at the file that has all bytes, before it is kept; what it throws refuses them. */
  readonly check?: (path: string) => Promise<void>;
}

/**
 * Batch files, by the digest of their bytes: the same bytes are kept once. They are personal data, so only this user may
 * read them. A file is in the store whole and on disk, or not at all.
 */
export class FileStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Where the bytes with this digest are, whether they are there or not. */
  pathOf(digest: string): string {
    return join(this.#directory, digest.slice(0, 2), digest);
  }

  async has(digest: string): Promise<boolean> {
    return access(this.pathOf(digest), constants.R_OK).then(
      () => true,
      () => false,
    );
  }

  /** Everything that is kept, and what is left of files that were never finished. */
  async *list(): AsyncGenerator<{ readonly digest: string; readonly path: string }> {
    for (const folder of await readdir(this.#directory).catch(() => [])) {
      for (const name of await readdir(join(this.#directory, folder)).catch(() => [])) {
        yield { digest: name, path: join(this.#directory, folder, name) };
      }
    }
  }

  /**
   * Takes bytes in, hashing on the way.
   *
   * @param maxBytes more is refused.
   * @throws UserSyncError `file-too-large`, `digest-differs`, and whatever the source or `check` throw; nothing stays
   *   behind then.
   */
  async put(
    bytes: AsyncIterable<Uint8Array>,
    maxBytes: number,
    { signal, digest, check }: PutOptions = {},
  ): Promise<StoredFile> {
    const incoming = join(this.#directory, 'incoming');
    await makeFolder(incoming);
    const path = join(incoming, randomUUID());
    const handle = await open(path, 'wx', 0o600);
    try {
      const stored = await copy(bytes, handle, maxBytes, signal);
      if (digest !== undefined && digest !== stored.digest) {
        throw new UserSyncError(
          'digest-differs',
          `The file's SHA-256 is ${stored.digest}, but its sender announced ${digest}. Send it again.`,
        );
      }
      await handle.close();
      await check?.(path);
      await this.#settle(path, stored.digest);
      return stored;
    } catch (error) {
      await handle.close();
      await rm(path, { force: true });
      throw error;
    }
  }

  /** Takes a file of this machine in, as it is now. The original stays. */
  async putPath(path: string, maxBytes: number, signal?: AbortSignal): Promise<StoredFile> {
    const found = await stat(path).catch((error: unknown) => {
      throw new UserSyncError('file-unreadable', `Cannot read ${path}. Check the name and the permissions.`, {
        kind: 'usage',
        cause: error,
      });
    });
    if (!found.isFile()) {
      throw new UserSyncError('file-unreadable', `${path} is not a regular file.`, { kind: 'usage' });
    }
    return this.put(createReadStream(path, { highWaterMark: 1024 * 1024 }), maxBytes, { signal });
  }

  async #settle(incoming: string, digest: string): Promise<void> {
    const path = this.pathOf(digest);
    const folder = dirname(path);
    await makeFolder(folder);
    await rename(incoming, path);
    await syncFolder(folder);
  }
}

async function copy(
  bytes: AsyncIterable<Uint8Array>,
  handle: FileHandle,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<StoredFile> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of bytes) {
    signal?.throwIfAborted();
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxBytes) {
      throw new UserSyncError(
        'file-too-large',
        `The file is larger than ${maxBytes} bytes. Send less, or raise limits.fileBytes.`,
      );
    }
    hash.update(chunk);
    await handle.writeFile(chunk);
  }
  await handle.sync();
  return { digest: hash.digest('hex'), sizeBytes };
}

/** A folder for this user alone, which is as lasting as what will be in it. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/** A rename is only lasting once its folder is on disk. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
