import type { BigIntStats } from 'node:fs';
import { constants } from 'node:fs';
import { link, lstat, mkdir, open, readdir, readlink, realpath, rename, rmdir, stat, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

/** Opens a directory and nothing else, without waiting for the other end of a FIFO. */
const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Follows no link, and does not wait for a writer when the entry became a FIFO since it was looked at. */
const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * A directory that stays the one that was opened, whoever renames it or puts a link in its place meanwhile: those who
 * may drop files often own the folders above as well, and must not be able to send us somewhere else between two calls.
 *
 * Node has no openat(2). Linux resolves a path through `/proc/self/fd/N` in the directory with that descriptor, which is
 * the same. Where there is no such thing, paths are used as they are, and the moment between two calls is not covered.
 */
export class AnchoredFolder implements AsyncDisposable {
  /** Where it was when it was opened. */
  readonly path: string;
  /** Tells it from another one at the same path. */
  readonly identity: string;
  readonly #handle: FileHandle;
  readonly #prefix: Buffer;

  private constructor(path: string, identity: string, handle: FileHandle, prefix: Buffer) {
    this.path = path;
    this.identity = identity;
    this.#handle = handle;
    this.#prefix = prefix;
  }

  /** @throws what the file system says: ENOENT, EACCES, ENOTDIR, … */
  static async open(path: string): Promise<AnchoredFolder> {
    const resolved = await realpath(path);
    return AnchoredFolder.#anchor(resolved, Buffer.from(resolved), (leadsTo) => leadsTo === resolved);
  }

  /** A directory in this one. A link is refused (ENOTDIR or ELOOP). */
  async child(name: Buffer): Promise<AnchoredFolder> {
    return AnchoredFolder.#anchor(`${this.path}/${name.toString()}`, this.#pathOf(name), () => true);
  }

  static async #anchor(path: string, target: Buffer, isRight: (leadsTo: string) => boolean): Promise<AnchoredFolder> {
    const handle = await open(target, DIRECTORY);
    try {
      const { dev, ino } = await handle.stat({ bigint: true });
      const descriptor = `/proc/self/fd/${handle.fd}`;
      const seen = await stat(descriptor, { bigint: true }).catch(() => undefined);
      const isAnchored = seen?.dev === dev && seen.ino === ino;
      if (isAnchored && !isRight(await readlink(descriptor))) {
        throw Object.assign(new Error(`${path} was replaced while it was opened`), { code: 'ENOENT' });
      }
      return new AnchoredFolder(path, `${dev}:${ino}`, handle, isAnchored ? Buffer.from(descriptor) : target);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** Names as bytes, in no particular order. */
  async list(): Promise<Buffer[]> {
    return readdir(this.#prefix, { encoding: 'buffer' });
  }

  async lstat(name: Buffer): Promise<BigIntStats> {
    return lstat(this.#pathOf(name), { bigint: true });
  }

  /** For reading. Only for what lstat says is a regular file; ask the handle again, since that may have changed. */
  async openFile(name: Buffer): Promise<FileHandle> {
    return open(this.#pathOf(name), FILE);
  }

  /** A new file for this user alone. */
  async createFile(name: Buffer): Promise<FileHandle> {
    return open(this.#pathOf(name), 'wx', 0o600);
  }

  async makeFolder(name: Buffer): Promise<void> {
    await mkdir(this.#pathOf(name), 0o700);
  }

  async removeFolder(name: Buffer): Promise<void> {
    await rmdir(this.#pathOf(name));
  }

  /** Overwrites what is there. */
  async rename(name: Buffer, to: AnchoredFolder, toName: Buffer): Promise<void> {
    await rename(this.#pathOf(name), to.#pathOf(toName));
  }

  /** A second name for an entry, unless there is something of that name (EEXIST). Links are not followed. */
  async link(name: Buffer, to: AnchoredFolder, toName: Buffer): Promise<void> {
    await link(this.#pathOf(name), to.#pathOf(toName));
  }

  async unlink(name: Buffer): Promise<void> {
    await unlink(this.#pathOf(name));
  }

  /** Entries that were made or renamed are lasting afterwards. */
  async sync(): Promise<void> {
    await this.#handle.sync();
  }

  #pathOf(name: Buffer): Buffer {
    return Buffer.concat([this.#prefix, SLASH, name]);
  }
}

const SLASH = Buffer.from('/');
