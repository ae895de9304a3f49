import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A file system of a few kilobytes or megabytes, in memory. */
export class SmallDisk implements AsyncDisposable {
  private constructor(readonly path: string) {}

  /**
   * @param size as `mount` takes it: 400k, 2m
   * @throws when this process may not mount: it must be root, and in a container have the capability SYS_ADMIN.
   */
  static async mount(path: string, size: string): Promise<SmallDisk> {
    await mkdir(path, { recursive: true });
    await run('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=755`, 'small', path]).catch((cause: unknown) => {
      throw new Error(
        'This test fills a small file system, which it may not mount: run it as root (in a container with the capability SYS_ADMIN).',
        { cause },
      );
    });
    return new SmallDisk(path);
  }

  async enlarge(size: string): Promise<void> {
    await run('mount', ['-o', `remount,size=${size}`, this.path]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run('umount', ['--lazy', this.path]);
  }
}
