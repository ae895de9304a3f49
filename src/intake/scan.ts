import type { BigIntStats } from 'node:fs';
import pLimit from 'p-limit';
import type { AnchoredFolder } from './anchored-folder.js';
import { entryName, roleOf, subjectOf, type EntryName, type Role } from './entry-name.js';
import { codeOf } from './file-system-error.js';
import { fingerprintOf, originalOf, type Fingerprint } from './fingerprint.js';

export type EntryKind = 'file' | 'directory' | 'link' | 'fifo' | 'socket' | 'device';

/** One entry of a drop directory, as one look found it. */
export interface DropEntry {
  readonly name: EntryName;
  readonly role: Role;
  readonly kind: EntryKind;
  readonly fingerprint: Fingerprint;
  readonly original: string;
  /** How many names the file has. */
  readonly links: number;
}

/** The entries of a drop directory by what is to be done with them. */
export interface Scan {
  readonly all: readonly DropEntry[];
  /** Regular files that are, or will be, for us. Oldest change first, so that of two versions the newer comes later. */
  readonly files: readonly DropEntry[];
  /** By the key of the file they speak of. Regular files only: a link is no word of the sender. */
  readonly markers: ReadonlyMap<string, DropEntry>;
  readonly sidecars: ReadonlyMap<string, DropEntry>;
  readonly ignored: readonly DropEntry[];
  /** Links, FIFOs and the like, whatever they are called. */
  readonly foreign: readonly DropEntry[];
}

/** More would only queue for the four threads that Node has for files, which others need too. */
const CONCURRENCY = 8;

/**
 * Looks at everything in a drop directory. Nothing is opened: opening a FIFO would wait for its writer.
 *
 * @throws what the file system says when the directory cannot be read.
 */
export async function scanFolder(folder: AnchoredFolder, signal: AbortSignal): Promise<Scan> {
  const limit = pLimit(CONCURRENCY);
  const names = await folder.list();
  const looks = await limit.map(names, async (name) => {
    signal.throwIfAborted();
    return lookAt(folder, name);
  });
  return sortEntries(looks.filter((entry) => entry !== undefined));
}

function sortEntries(all: readonly DropEntry[]): Scan {
  const ignored = all.filter((entry) => entry.role === 'ignored');
  const others = all.filter((entry) => entry.role !== 'ignored');
  const regular = others.filter((entry) => entry.kind === 'file');
  const bySubject = (role: Role): Map<string, DropEntry> =>
    new Map(regular.filter((entry) => entry.role === role).map((entry) => [subjectOf(entry.name), entry]));
  return {
    all,
    files: regular.filter((entry) => entry.role === 'file').sort(byLastChange),
    markers: bySubject('marker'),
    sidecars: bySubject('sidecar'),
    ignored,
    foreign: others.filter((entry) => entry.kind !== 'file'),
  };
}

/** Undefined when it is gone again. */
async function lookAt(folder: AnchoredFolder, bytes: Buffer): Promise<DropEntry | undefined> {
  try {
    const stats = await folder.lstat(bytes);
    const name = entryName(bytes);
    return {
      name,
      role: roleOf(name),
      kind: kindOf(stats),
      fingerprint: fingerprintOf(stats),
      original: originalOf(stats),
      links: Number(stats.nlink),
    };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function kindOf(stats: BigIntStats): EntryKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'link';
  if (stats.isFIFO()) return 'fifo';
  return stats.isSocket() ? 'socket' : 'device';
}

function byLastChange(a: DropEntry, b: DropEntry): number {
  const difference = a.fingerprint.ctimeNs - b.fingerprint.ctimeNs;
  if (difference !== 0n) return difference < 0n ? -1 : 1;
  return Buffer.compare(a.name.bytes, b.name.bytes);
}
