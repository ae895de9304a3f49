import { lstat, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AnchoredFolder } from './anchored-folder.js';
import { codeOf, explain, isOfSurroundings } from './file-system-error.js';
import { moveIfSame, removeIfSame } from './move.js';
import { quarantineRecordSchema, type QuarantineReason, type QuarantineRecord } from './quarantine-record.js';
import { FileChangedError, FileUnreadableError, readUnchanged } from './read-unchanged.js';
import type { DropEntry } from './scan.js';

export interface QuarantineCase {
  readonly feed: string;
  readonly reason: QuarantineReason;
  readonly detail: string;
  readonly expectedNames?: readonly string[];
}

export type QuarantineResult =
  | { readonly kind: 'held'; readonly record: QuarantineRecord }
  /** The sender removed or replaced it meanwhile. */
  | { readonly kind: 'changed' }
  /** It could not be moved and is where it was. `why` is for the operator. */
  | { readonly kind: 'left'; readonly why: string };

export interface QuarantineOptions {
  readonly now: () => Date;
  /** Letters, digits and hyphens; never the same twice. */
  readonly newId: () => string;
}

const ID = /^[A-Za-z0-9-]{1,100}$/;
const RECORD = '.json';

/**
 * What could not be taken, set aside for an operator: the thing itself under a generated name, and a record beside it. It
 * is moved as it is: nothing is followed, opened or run, and its rights are left alone, since a hard link shares them with
 * a file elsewhere. The folder is for this user alone.
 */
export class Quarantine {
  readonly #directory: string;
  readonly #options: QuarantineOptions;

  constructor(directory: string, options: QuarantineOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  /**
   * Moves an entry of a drop directory here. The record is on disk first: a program killed between the two leaves a
   * record without a file, which is not listed, rather than a file of which nobody knows why it is here.
   *
   * @throws what the file system says of the quarantine itself, such as ENOSPC.
   */
  async hold(
    folder: AnchoredFolder,
    entry: DropEntry,
    why: QuarantineCase,
    signal?: AbortSignal,
  ): Promise<QuarantineResult> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await using here = await AnchoredFolder.open(this.#directory);
    const record = this.#recordOf(entry, why);
    let isHeld = false;
    try {
      await writeRecord(here, record);
      const result = await this.#move(folder, entry, here, record, signal);
      isHeld = result.kind === 'held';
      return result;
    } finally {
      if (!isHeld) await rm(join(this.#directory, record.id + RECORD), { force: true });
      await here.sync();
    }
  }

  /** Newest first. */
  async list(): Promise<QuarantineRecord[]> {
    const here = await AnchoredFolder.open(this.#directory).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (here === undefined) return [];
    await using folder = here;
    const names = new Set((await folder.list()).map((name) => name.toString('latin1')));
    const ids = [...names].filter((name) => ID.test(name) && names.has(name + RECORD));
    const records = await Promise.all(ids.map((id) => readRecord(folder, id, this.pathOf(id))));
    return records
      .filter((record) => record !== undefined)
      .sort((a, b) => (a.quarantinedAt < b.quarantinedAt ? 1 : -1));
  }

  /** Where the thing itself is. It may be a link or a FIFO: see that it is a regular file before opening it. */
  pathOf(id: string): string {
    if (!ID.test(id)) throw new RangeError('not the id of anything in quarantine');
    return join(this.#directory, id);
  }

  /** Removes it for good. Nothing happens if it is not there. */
  async delete(id: string): Promise<void> {
    const path = this.pathOf(id);
    // Follows no links.
    await rm(path, { recursive: true, force: true });
    await rm(path + RECORD, { force: true });
  }

  #recordOf(entry: DropEntry, { feed, reason, detail, expectedNames }: QuarantineCase): QuarantineRecord {
    return {
      id: this.#options.newId(),
      feed,
      reason,
      detail,
      originalFilename: entry.name.shown,
      sizeBytes: Number(entry.fingerprint.sizeBytes),
      quarantinedAt: this.#options.now().toISOString(),
      ...(expectedNames === undefined ? {} : { expectedNames: [...expectedNames] }),
    };
  }

  async #move(
    folder: AnchoredFolder,
    entry: DropEntry,
    here: AnchoredFolder,
    record: QuarantineRecord,
    signal: AbortSignal | undefined,
  ): Promise<QuarantineResult> {
    const name = Buffer.from(record.id);
    try {
      const moved = await moveIfSame(folder, entry.name.bytes, entry.fingerprint, here, name);
      return moved === 'moved' ? { kind: 'held', record } : { kind: 'changed' };
    } catch (error) {
      const code = codeOf(error);
      if (code === 'EXDEV') return this.#copyAcross(folder, entry, here, record, signal);
      if (isOfSurroundings(code)) throw error;
      return { kind: 'left', why: explain(code) };
    }
  }

  /** To another file system: only what can be read can be copied, and what is too large would only fill the disk. */
  async #copyAcross(
    folder: AnchoredFolder,
    entry: DropEntry,
    here: AnchoredFolder,
    record: QuarantineRecord,
    signal: AbortSignal | undefined,
  ): Promise<QuarantineResult> {
    if (entry.kind !== 'file') return { kind: 'left', why: 'it cannot be moved to another file system' };
    if (record.reason === 'too-large') return { kind: 'left', why: 'it is too large to be copied elsewhere' };
    const name = Buffer.from(record.id);
    try {
      await copyFile(folder, entry, here, name, signal);
      const removed = await removeIfSame(folder, entry.name.bytes, entry.fingerprint, record.id);
      if (removed === 'moved') return { kind: 'held', record };
      await here.unlink(name);
      return { kind: 'changed' };
    } catch (error) {
      await rm(join(this.#directory, record.id), { force: true });
      if (error instanceof FileChangedError) return { kind: 'changed' };
      const code = codeOf(error instanceof FileUnreadableError ? error.cause : error);
      if (isOfSurroundings(code)) throw error;
      return { kind: 'left', why: explain(code) };
    }
  }
}

async function copyFile(
  from: AnchoredFolder,
  entry: DropEntry,
  to: AnchoredFolder,
  toName: Buffer,
  signal: AbortSignal | undefined,
): Promise<void> {
  const source = await from.openFile(entry.name.bytes);
  try {
    const target = await to.createFile(toName);
    try {
      for await (const piece of readUnchanged(source, entry.fingerprint)) {
        signal?.throwIfAborted();
        await target.writeFile(piece);
      }
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function writeRecord(here: AnchoredFolder, record: QuarantineRecord): Promise<void> {
  const handle = await here.createFile(recordName(record.id));
  try {
    await handle.writeFile(`${JSON.stringify(record, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await here.sync();
}

/** Undefined when it was deleted meanwhile. */
async function readRecord(here: AnchoredFolder, id: string, path: string): Promise<QuarantineRecord | undefined> {
  try {
    const handle = await here.openFile(recordName(id));
    try {
      return quarantineRecordSchema.parse(JSON.parse(await handle.readFile('utf8')));
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    // Somebody edited it. The file is still there for an operator to decide, and came at the latest when it last changed.
    const found = await lstat(path).catch(() => undefined);
    if (found === undefined) return undefined;
    return {
      id,
      feed: '',
      reason: 'refused',
      detail: 'The record beside this file cannot be read.',
      originalFilename: id,
      sizeBytes: 0,
      quarantinedAt: found.ctime.toISOString(),
    };
  }
}

function recordName(id: string): Buffer {
  return Buffer.from(id + RECORD);
}
