import type { BigIntStats } from 'node:fs';
import type { AnchoredFolder } from './anchored-folder.js';
import { codeOf } from './file-system-error.js';
import { fingerprintOf, isSameState, type Fingerprint } from './fingerprint.js';

export type MoveResult =
  | 'moved'
  /** There is nothing of that name. */
  | 'gone'
  /** The sender has changed or replaced it since; what is there now is left there. */
  | 'changed';

/** Where removed files are for a moment, in the drop directory itself: a rename must stay on one file system. */
const ASIDE = '.user-sync-';

/**
 * Moves an entry if it is what was looked at. No system call renames or unlinks 'only this inode': between looking and
 * acting the sender may rename a new version into place. So it is moved first, looked at in its new place, where the
 * sender has no name for it, and put back if it is another one.
 *
 * @throws what the file system says, such as EXDEV or EACCES; then nothing was moved.
 */
export async function moveIfSame(
  from: AnchoredFolder,
  name: Buffer,
  expected: Fingerprint,
  to: AnchoredFolder,
  toName: Buffer,
): Promise<MoveResult> {
  const before = await lookAt(from, name);
  if (before === undefined) return 'gone';
  if (!isSameState(fingerprintOf(before), expected)) return 'changed';
  try {
    await from.rename(name, to, toName);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'gone';
    throw error;
  }
  if (isUntouched(before, await to.lstat(toName))) return 'moved';
  await putBack(to, toName, from, name);
  return 'changed';
}

/**
 * Removes an entry if it is what was looked at.
 *
 * @param id a name that nothing else has, for the folder in which it is looked at a last time.
 */
export async function removeIfSame(
  folder: AnchoredFolder,
  name: Buffer,
  expected: Fingerprint,
  id: string,
): Promise<MoveResult> {
  const asideName = Buffer.from(ASIDE + id);
  await folder.makeFolder(asideName);
  try {
    const aside = await folder.child(asideName);
    try {
      const result = await moveIfSame(folder, name, expected, aside, name);
      if (result === 'moved') await aside.unlink(name);
      return result;
    } finally {
      await aside.close();
    }
  } finally {
    await folder.removeFolder(asideName);
  }
}

/** Whether an entry is a folder of `removeIfSame`, which is there for a moment, or since the program was killed. */
export function isAside(name: Buffer): boolean {
  return name.subarray(0, ASIDE.length).equals(Buffer.from(ASIDE));
}

/**
 * Puts back what a killed program left in a folder of `removeIfSame`: whether it was the file that had been taken, or a
 * newer one, is not known. Its `original` tells whoever has it on record.
 */
export async function restoreAside(folder: AnchoredFolder, asideName: Buffer): Promise<void> {
  const aside = await folder.child(asideName);
  try {
    for (const name of await aside.list()) await putBack(aside, name, folder, name);
  } finally {
    await aside.close();
  }
  await folder.removeFolder(asideName);
}

/** What has got the name meanwhile is newer, and stays. */
async function putBack(from: AnchoredFolder, name: Buffer, to: AnchoredFolder, toName: Buffer): Promise<void> {
  try {
    await from.link(name, to, toName);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') {
      // No hard links here, or not of such a thing.
      await from.rename(name, to, toName);
      return;
    }
  }
  await from.unlink(name);
}

async function lookAt(folder: AnchoredFolder, name: Buffer): Promise<BigIntStats | undefined> {
  try {
    return await folder.lstat(name);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** A rename changes ctime itself, so here mtime has to do: writing moves it. */
function isUntouched(before: BigIntStats, after: BigIntStats): boolean {
  return (
    before.dev === after.dev &&
    before.ino === after.ino &&
    before.size === after.size &&
    before.mtimeNs === after.mtimeNs
  );
}
