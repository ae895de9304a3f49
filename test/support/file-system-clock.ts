import { rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Waits until a change to this file would have another ctime: the clock of a file system has ticks of some milliseconds,
 * and within one even the kernel cannot tell two changes apart.
 */
export async function tickAfter(path: string): Promise<void> {
  const probe = join(dirname(path), '.tick');
  const before = (await stat(path, { bigint: true })).ctimeNs;
  do await writeFile(probe, '');
  while ((await stat(probe, { bigint: true })).ctimeNs === before);
  await rm(probe);
}
