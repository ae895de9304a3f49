import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { readFile, readdir, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { FileStore } from '../../../src/intake/file-store.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text));
}

async function everythingIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

describe('The file store', () => {
  it('keeps bytes under their SHA-256, once, for its user alone', async () => {
    await using folder = await temporaryFolder();
    const store = new FileStore(join(folder.path, 'store'));
    const digest = createHash('sha256').update('hello').digest('hex');
    expect(await store.put(pieces('hel', 'lo'), 100)).to.deep.equal({ digest, sizeBytes: 5 });
    expect(await store.put(pieces('hello'), 100)).to.deep.equal({ digest, sizeBytes: 5 });
    expect(await everythingIn(folder.path)).to.deep.equal([digest]);
    expect(await readFile(store.pathOf(digest), 'utf8')).to.equal('hello');
    expect((await stat(join(folder.path, 'store'))).mode & 0o777).to.equal(0o700);
    expect((await stat(store.pathOf(digest))).mode & 0o777).to.equal(0o600);
    expect(await store.has(digest)).to.equal(true);
    expect(await store.has('0'.repeat(64))).to.equal(false);
  });

  it('leaves nothing behind when the source breaks off or is too large', async () => {
    await using folder = await temporaryFolder();
    const store = new FileStore(join(folder.path, 'store'));
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield* pieces('some');
      throw new Error('line dropped');
    }
    expect(await store.put(broken(), 100).catch((error: unknown) => error)).to.have.property('message', 'line dropped');
    expect(await store.put(pieces('too', 'long'), 5).catch((error: unknown) => error)).to.have.property(
      'code',
      'file-too-large',
    );
    expect(await everythingIn(folder.path)).to.deep.equal([]);
  });

  it('refuses bytes that are not those announced', async () => {
    await using folder = await temporaryFolder();
    const store = new FileStore(join(folder.path, 'store'));
    const digest = createHash('sha256').update('hello').digest('hex');
    expect(await store.put(pieces('hell'), 100, { digest }).catch((error: unknown) => error)).to.have.property(
      'code',
      'digest-differs',
    );
    expect(await everythingIn(folder.path)).to.deep.equal([]);
    expect(await store.put(pieces('hell', 'o'), 100, { digest })).to.deep.equal({ digest, sizeBytes: 5 });
  });

  it('takes regular files of this machine only', async () => {
    await using folder = await temporaryFolder({ 'users.json': '[]' });
    const store = new FileStore(join(folder.path, 'store'));
    expect(await store.putPath(join(folder.path, 'users.json'), 100)).to.include({ sizeBytes: 2 });
    const problem = async (path: string): Promise<unknown> => store.putPath(path, 100).catch((error: unknown) => error);
    expect(await problem(folder.path)).to.have.property('code', 'file-unreadable');
    expect(await problem(join(folder.path, 'missing.json'))).to.have.property('code', 'file-unreadable');
    await symlink(join(folder.path, 'nowhere'), join(folder.path, 'dangling'));
    expect(await problem(join(folder.path, 'dangling'))).to.have.property('code', 'file-unreadable');
  });
});
