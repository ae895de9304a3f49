import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ScenarioResult } from '../../support/intake-child.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const run = promisify(execFile);
const CHILD = fileURLToPath(new URL('../../support/intake-child.js', import.meta.url));

/** @param setUp shell commands before the program */
async function scenario(name: string, setUp = ':', ...args: string[]): Promise<ScenarioResult> {
  const command = ['-c', `${setUp}; exec "$0" "$@"`, process.execPath, CHILD, name, ...args];
  const { stdout } = await run('sh', command);
  return JSON.parse(stdout) as ScenarioResult;
}

describe('When the system says no, a drop directory', () => {
  it('warns once of a file that may not be read, takes the others, and takes it when it may', async () => {
    const { warnings, taken, left } = await scenario('unreadable-file');
    expect(warnings).to.deep.equal([['file-unreadable'], ['file-unreadable']]);
    expect(taken).to.have.length(2);
    expect(left).to.deep.equal([]);
  });

  it('warns of a directory that may not be read, and goes on when it may', async () => {
    const { warnings, messages, taken } = await scenario('unreadable-directory');
    expect(warnings).to.deep.equal([['directory-unreadable'], ['directory-unreadable']]);
    expect(messages[0]).to.include('look at the owner and the rights');
    expect(taken).to.have.length(1);
  });

  it('tells of a file once that it may not remove, and removes it when it may', async () => {
    const { warnings, taken, left } = await scenario('unwritable-directory');
    expect(warnings[0]).to.have.members(['file-not-removed', 'file-not-quarantined']);
    expect(warnings[1]).to.deep.equal(warnings[0]);
    expect(taken).to.have.length(1);
    expect(left).to.deep.equal([]);
  });

  it('hears of hints that cannot come, rather than failing', async () => {
    expect((await scenario('unwatchable-directory')).warnings).to.deep.equal([[]]);
  });

  it('warns of too many open files, and goes on when there are fewer', async () => {
    const { warnings, messages, taken, left } = await scenario('no-descriptors', 'ulimit -n 512');
    expect(warnings[0]).to.deep.equal(['directory-unreadable', 'store-failed']);
    expect(warnings[1]).to.deep.equal(warnings[0]);
    for (const message of messages) expect(message).to.include('too many open files');
    expect(taken).to.deep.equal(['[]']);
    expect(left).to.deep.equal([]);
  });

  for (const [what, isFull] of [
    ['a file that is too long for the file system', false],
    ['a disk that is full', true],
  ] as const) {
    it(`warns of ${what}, takes what there is room for, and loses nothing`, async () => {
      await using folder = await temporaryFolder();
      const [drop, small] = [join(folder.path, 'drop'), join(folder.path, 'small')];
      await mkdir(drop);
      await mkdir(small);
      for (const name of ['users.json', 'bad name']) await writeFile(join(drop, name), Buffer.alloc(1_000_000));
      const mount = `mount -t tmpfs -o size=400k none '${small}'`;
      const result =
        isFull && (await canMount())
          ? await inNamespace(mount, 'no-room', drop, small)
          : await scenario('no-room', 'ulimit -f 200', drop, small);
      expect(result.warnings).to.deep.equal([['store-failed'], ['store-failed']]);
      expect(result.messages[0]).to.match(/the disk is full|larger than the file system/);
      expect(result.taken).to.deep.equal(['small', 'smaller']);
      expect(result.left).to.deep.equal([]);
    });
  }
});

/** Mounts of its own need user namespaces, which some containers do not allow; a limit on file sizes is next best. */
async function canMount(): Promise<boolean> {
  return run('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs none /mnt']).then(
    () => true,
    () => false,
  );
}

async function inNamespace(mount: string, ...args: string[]): Promise<ScenarioResult> {
  const command = ['-rm', 'sh', '-c', `${mount} && exec "$0" "$@"`, process.execPath, CHILD, ...args];
  const { stdout } = await run('unshare', command);
  return JSON.parse(stdout) as ScenarioResult;
}
