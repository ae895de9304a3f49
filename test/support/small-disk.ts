import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Why a small file system cannot be had here; undefined when it can. */
export function missingForSmallDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'user-sync-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'small', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'a small file system may not be mounted: it takes root, and in a container the capability SYS_ADMIN';
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A file system of a few kilobytes or megabytes, in memory. */
export class SmallDisk implements AsyncDisposable {
  private constructor(readonly path: string) {}

  /**
   * @param size as `mount` takes it: 400k, 2m
   */
  static async mount(path: string, size: string): Promise<SmallDisk> {
    await mkdir(path, { recursive: true });
    await run('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=755`, 'small', path]);
    return new SmallDisk(path);
  }

  async enlarge(size: string): Promise<void> {
    await run('mount', ['-o', `remount,size=${size}`, this.path]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run('umount', ['--lazy', this.path]);
  }
}
