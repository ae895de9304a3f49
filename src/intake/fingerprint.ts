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

export function isSameState(a: Fingerprint, b: Fingerprint): boolean {
  return a.device === b.device && a.inode === b.inode && a.sizeBytes === b.sizeBytes && a.ctimeNs === b.ctimeNs;
}
