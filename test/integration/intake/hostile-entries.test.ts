import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { link, lstat, mkdir, readFile, readdir, readlink, rename, symlink, truncate, unlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { printable } from '../../../src/lib/printable.js';
import { DropSite, SETTLE_MS } from '../../support/drop-site.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const [ESCAPE, NEWLINE] = ['\u001b[2J', '\n'];

describe('What is no batch file in a drop directory', () => {
  it('a link is set aside as it is, and not followed', async () => {
    await using elsewhere = await temporaryFolder({ 'secret.json': 'secret' });
    await using site = await DropSite.open();
    await symlink(join(elsewhere.path, 'secret.json'), site.pathOf('users.json'));
    await symlink('/nowhere', site.pathOf('dangling.json'));
    await site.settle();
    expect(site.reasons).to.deep.equal(['link', 'link']);
    expect(site.handler.files).to.deep.equal([]);
    expect(await site.left()).to.deep.equal([]);
    const [record] = site.handler.quarantined.filter((one) => one.originalFilename === 'users.json');
    expect(await readlink(site.quarantine.pathOf(record!.id))).to.equal(join(elsewhere.path, 'secret.json'));
    expect(await readFile(join(elsewhere.path, 'secret.json'), 'utf8')).to.equal('secret');
  });

  it('a link in the place of a marker or sidecar says nothing, and is set aside', async () => {
    await using site = await DropSite.open();
    await site.put('users.json', '[]');
    await symlink('users.json', site.pathOf('users.json.done'));
    await symlink('users.json', site.pathOf('users.json.sha256'));
    await site.scan();
    expect(site.handler.files).to.deep.equal([]);
    site.wait(SETTLE_MS);
    await site.scan();
    expect(site.handler.files).to.have.length(1);
    expect(site.reasons).to.deep.equal(['link', 'link']);
  });

  it('a FIFO is not opened, and holds nothing up', async () => {
    await using site = await DropSite.open();
    for (const name of ['users.json', 'a', 'b', 'c', 'users.json.sha256', 'users.json.done']) {
      execFileSync('mkfifo', [site.pathOf(name)]);
    }
    await site.put('groups.json', '[]');
    await site.settle();
    expect(site.reasons).to.deep.equal(Array(6).fill('special-file'));
    expect(site.handler.files.map((file) => file.name)).to.deep.equal(['groups']);
    expect(await site.left()).to.deep.equal([]);
    const { id } = site.handler.quarantined[0]!;
    expect((await lstat(site.quarantine.pathOf(id))).isFIFO()).to.equal(true);
    expect(await site.quarantine.list()).to.have.length(6);
    await site.quarantine.delete(id);
    expect(await site.quarantine.list()).to.have.length(5);
  });

  it('a socket is set aside', async () => {
    await using site = await DropSite.open();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(site.pathOf('users.json'), resolve));
    await site.settle();
    expect(site.reasons).to.deep.equal(['special-file']);
    await new Promise((resolve) => server.close(resolve));
  });

  it('a directory stays, with what is in it, and is warned of once', async () => {
    await using site = await DropSite.open();
    await mkdir(site.pathOf('users.json'));
    await site.put('users.json/inner.json', '[]');
    await site.settle();
    await site.scan();
    expect(site.warningCodes).to.deep.equal(['directory-ignored']);
    expect(await readdir(site.pathOf('users.json'))).to.deep.equal(['inner.json']);
    expect(site.handler.quarantined).to.deep.equal([]);
  });

  it('a second name for a moment, as OpenSSH renames, does not matter', async () => {
    await using site = await DropSite.open();
    await site.put('users.json.part', '[]');
    await site.scan();
    site.wait(SETTLE_MS);
    await link(site.pathOf('users.json.part'), site.pathOf('users.json'));
    await site.put('users.json.done', '');
    await site.scan();
    expect(site.handler.told).to.deep.equal([]);
    await unlink(site.pathOf('users.json.part'));
    await site.settle();
    expect(await site.taken()).to.deep.equal(['[]']);
    expect(site.reasons).to.deep.equal([]);
  });

  for (const settleMs of [0, SETTLE_MS]) {
    it(`a lasting hard link is set aside at the second look (quiet period ${settleMs})`, async () => {
      await using elsewhere = await temporaryFolder({ 'secret.json': 'secret' });
      await using site = await DropSite.open({ settleMs });
      const { mode } = await lstat(join(elsewhere.path, 'secret.json'));
      try {
        await link(join(elsewhere.path, 'secret.json'), site.pathOf('users.json'));
        await site.scan();
        expect(site.reasons).to.deep.equal([]);
        site.wait(settleMs);
        await site.scan();
        expect(site.reasons).to.deep.equal(['hard-link']);
        expect(site.handler.files).to.deep.equal([]);
        // Rights are shared with the other name, so they are left alone.
        expect((await lstat(join(elsewhere.path, 'secret.json'))).mode).to.equal(mode);
      } finally {
        await unlink(join(elsewhere.path, 'secret.json'));
      }
    });
  }

  it('a file that is too large is set aside without being copied', async () => {
    await using site = await DropSite.open({ maxBytes: 10 });
    await site.put('users.json', 'exactly 10');
    await site.put('groups.json', 'more than 10');
    await site.settle();
    expect(await site.taken()).to.deep.equal(['exactly 10']);
    expect(site.handler.quarantined[0]).to.deep.include({ reason: 'too-large', sizeBytes: 12 });
    expect(await readFile(site.quarantine.pathOf(site.handler.quarantined[0]!.id), 'utf8')).to.equal('more than 10');
  });

  it('a sparse file is no larger for being empty', async () => {
    await using site = await DropSite.open();
    await site.put('users.json', '');
    await truncate(site.pathOf('users.json'), 1024 ** 4);
    await site.settle();
    expect(site.reasons).to.deep.equal(['too-large']);
  });

  it('a name that is not UTF-8 is taken by its bytes, and shown escaped', async () => {
    await using site = await DropSite.open();
    await site.put(Buffer.from([0x75, 0xff, 0x1b, 0x2e, 0x6a]), 'content');
    await site.settle();
    const [record] = site.handler.quarantined;
    expect(record).to.deep.include({ reason: 'bad-name', originalFilename: 'u\\xff\\x1b.j', sizeBytes: 7 });
    expect(await readFile(site.quarantine.pathOf(record!.id), 'utf8')).to.equal('content');
    expect(await site.left()).to.deep.equal([]);
  });

  it('names with line ends, escape sequences and marks that reorder text are shown escaped, wherever they are', async () => {
    await using site = await DropSite.open();
    for (const name of [`users.${NEWLINE}json`, `users.${ESCAPE}json`, 'users.\u202enosj', '<b>&.json']) {
      await site.put(name, '');
    }
    await mkdir(site.pathOf(`directory${ESCAPE}`));
    await site.settle();
    expect(site.reasons).to.deep.equal(Array(4).fill('bad-name'));
    expect(site.handler.quarantined.map((one) => one.originalFilename)).to.have.members([
      'users.\\u000ajson',
      'users.\\u001b[2Jjson',
      'users.\\u202enosj',
      '<b>&.json',
    ]);
    const texts = textsIn([site.handler.warnings, site.handler.quarantined, site.logger.entries]);
    expect(texts).to.include('directory\\u001b[2J');
    expect(texts.filter((text) => text !== printable(text))).to.deep.equal([]);
  });

  it('a name that no control file can list is set aside', async () => {
    await using site = await DropSite.open();
    for (const name of ['users (1).json', 'ü.json', 'a b', `${'n'.repeat(201)}.json`]) await site.put(name, '');
    await site.settle();
    expect(site.reasons).to.deep.equal(Array(4).fill('bad-name'));
  });
});

describe('A drop directory that is a link', () => {
  it('is followed where it leads at first, but not elsewhere', async () => {
    await using first = await temporaryFolder();
    await using second = await temporaryFolder({ 'users.json': 'not ours' });
    const path = join(first.path, 'drop');
    await mkdir(join(first.path, 'real'));
    await symlink(join(first.path, 'real'), path);
    await using site = await DropSite.open({ path });
    await site.put('users.json', '[]');
    await site.settle();
    expect(await site.taken()).to.deep.equal(['[]']);
    await unlink(path);
    await symlink(second.path, path);
    await site.settle();
    expect(site.warningCodes).to.deep.equal(['directory-moved']);
    expect(await readdir(second.path)).to.deep.equal(['users.json']);
  });

  it('is noticed when it takes the place of the directory', async () => {
    await using victim = await temporaryFolder({ 'users.json': 'not ours' });
    await using site = await DropSite.open();
    await site.scan();
    await rename(site.drop, `${site.drop}.away`);
    await symlink(victim.path, site.drop);
    await site.settle();
    expect(site.warningCodes).to.deep.equal(['directory-moved']);
    expect(site.handler.files).to.deep.equal([]);
    expect(await readdir(victim.path)).to.deep.equal(['users.json']);
  });
});

/** Every string in plain data. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
