import type { BigIntStats } from 'node:fs';

/**
 * Which file, and which state of it. ctime cannot be set by the sender: every write, rename and change of rights moves it
 * to the file system's own present. mtime is what the sender says, so it is no witness.
 */
export interface Fingerprint {
  readonly device: bigint;
  readonly inode: bigint;
  readonly sizeBytes: bigint;
  readonly ctimeNs: bigint;
}

export function fingerprintOf(stats: BigIntStats): Fingerprint {
  return { device: stats.dev, inode: stats.ino, sizeBytes: stats.size, ctimeNs: stats.ctimeNs };
}

/**
 * By what a file of a drop directory is known as the one that was recorded before, when it could not be removed since: the
 * program was killed, or may not write there. Unlike the fingerprint it stays the same when the file is put back from where
 * it is removed, when somebody mends its rights, and after a restart of the machine, which may number its devices anew.
 *
 * No two uploads have it in common. One that is made anew has an inode of its own or, as numbers of inodes come again, was
 * made later; so neither need have another mtime, which senders may copy from their own file. One that is written over an
 * earlier one has another mtime; only a sender who sets that back, too, and wrote the same bytes (which are compared as
 * well) has sent nothing new.
 */
export function originalOf({ ino, birthtimeNs, ctimeNs, size, mtimeNs }: BigIntStats): string {
  // Where a file system does not keep when a file was made, its last change of state is as good, until it is moved.
  const madeNs = birthtimeNs > 0n ? birthtimeNs : ctimeNs;
  return [ino, madeNs, size, mtimeNs].join(' ');
}

export function isSameState(a: Fingerprint, b: Fingerprint): boolean {
  return a.device === b.device && a.inode === b.inode && a.sizeBytes === b.sizeBytes && a.ctimeNs === b.ctimeNs;
}
