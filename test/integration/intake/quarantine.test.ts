import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnchoredFolder } from '../../../src/intake/anchored-folder.js';
import { moveIfSame, removeIfSame } from '../../../src/intake/move.js';
import { fingerprintOf, type Fingerprint } from '../../../src/intake/fingerprint.js';
import { Quarantine } from '../../../src/intake/quarantine.js';
import { DropSite } from '../../support/drop-site.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

describe('The quarantine', () => {
  it('is for this user alone, and keeps the file and why it is there under a name of its own', async () => {
    await using site = await DropSite.open();
    await site.put('bad name.json', 'content');
    await site.settle();
    const [record] = await site.quarantine.list();
    expect(record).to.deep.equal(site.handler.quarantined[0]);
    expect(record).to.deep.include({
      feed: 'default',
      reason: 'bad-name',
      originalFilename: 'bad name.json',
      sizeBytes: 7,
    });
    const path = site.quarantine.pathOf(record!.id);
    expect(path).not.to.include('bad name');
    expect(await readFile(path, 'utf8')).to.equal('content');
    expect((await stat(join(path, '..'))).mode & 0o777).to.equal(0o700);
    expect((await stat(`${path}.json`)).mode & 0o777).to.equal(0o600);
  });

  it('lists the newest first, and forgets what is deleted', async () => {
    await using site = await DropSite.open();
    for (const name of ['bad 1', 'bad 2', 'bad 3']) {
      await site.put(name, '');
      await site.settle();
    }
    const records = await site.quarantine.list();
    expect(records.map((record) => record.originalFilename)).to.deep.equal(['bad 3', 'bad 2', 'bad 1']);
    await site.quarantine.delete(records[1]!.id);
    await site.quarantine.delete(records[1]!.id);
    expect((await site.quarantine.list()).map((record) => record.originalFilename)).to.deep.equal(['bad 3', 'bad 1']);
  });

  it('is empty before there is a folder', async () => {
    const quarantine = new Quarantine('/nowhere/at/all', { now: () => new Date(), newId: () => randomUUID() });
    expect(await quarantine.list()).to.deep.equal([]);
  });

  it('knows no names but its own', async () => {
    await using site = await DropSite.open();
    for (const id of ['../store', '..', '', 'a/b', 'a.json']) {
      expect(() => site.quarantine.pathOf(id), id).to.throw(RangeError);
      const error = await site.quarantine.delete(id).catch((thrown: unknown) => thrown);
      expect(error, id).to.be.instanceOf(RangeError);
    }
  });

  it('does not list a record whose file is missing, and lists a file whose record was spoilt', async () => {
    await using site = await DropSite.open();
    for (const name of ['bad 1', 'bad 2']) await site.put(name, '');
    await site.settle();
    const [first, second] = await site.quarantine.list();
    await rm(site.quarantine.pathOf(first!.id));
    await writeFile(`${site.quarantine.pathOf(second!.id)}.json`, '{');
    const records = await site.quarantine.list();
    expect(records.map(({ id, reason }) => ({ id, reason }))).to.deep.equal([{ id: second!.id, reason: 'refused' }]);
    // It is not taken for old, which would have it removed.
    expect(Math.abs(Date.parse(records[0]!.quarantinedAt) - Date.now())).to.be.lessThan(60_000);
  });

  it('copies files from another file system, and leaves links there', async () => {
    const other = await otherFileSystem();
    await using site = await DropSite.open({ quarantinePath: join(other, 'quarantine') });
    try {
      const isOther = (await stat(other)).dev !== (await stat(site.drop)).dev;
      await site.put('bad name', 'content');
      await symlink('/nowhere', site.pathOf('link'));
      await site.settle();
      await site.scan();
      expect(site.reasons).to.deep.equal(isOther ? ['bad-name'] : ['bad-name', 'link']);
      expect(site.warningCodes).to.deep.equal(isOther ? ['file-not-quarantined'] : []);
      expect(await site.left()).to.deep.equal(isOther ? ['link'] : []);
      const id = site.handler.quarantined.find((record) => record.reason === 'bad-name')!.id;
      expect(await readFile(site.quarantine.pathOf(id), 'utf8')).to.equal('content');
      expect((await readdir(join(other, 'quarantine'))).length).to.equal(isOther ? 2 : 4);
    } finally {
      await rm(other, { recursive: true });
    }
  });
});

describe('Moving and removing', () => {
  const users = Buffer.from('users.json');
  const moved = Buffer.from('moved');

  /** Something that happens between looking at an entry and moving it. */
  function afterLooking(folder: AnchoredFolder, event: () => Promise<void>): void {
    const lstat = folder.lstat.bind(folder);
    folder.lstat = async (name) => {
      const stats = await lstat(name);
      folder.lstat = lstat;
      await event();
      return stats;
    };
  }

  async function stateOf(path: string): Promise<Fingerprint> {
    return fingerprintOf(await stat(path, { bigint: true }));
  }

  it('puts a version back that took the place in between', async () => {
    await using folder = await temporaryFolder({ 'users.json': 'old', next: 'new' });
    await using from = await AnchoredFolder.open(folder.path);
    const expected = await stateOf(join(folder.path, 'users.json'));
    afterLooking(from, () => rename(join(folder.path, 'next'), join(folder.path, 'users.json')));
    expect(await removeIfSame(from, users, expected, 'id')).to.equal('changed');
    expect(await readdir(folder.path)).to.deep.equal(['users.json']);
    expect(await readFile(join(folder.path, 'users.json'), 'utf8')).to.equal('new');
  });

  it('does not move what was written to in between', async () => {
    await using folder = await temporaryFolder({ 'users.json': 'old' });
    await using elsewhere = await temporaryFolder();
    await using from = await AnchoredFolder.open(folder.path);
    await using to = await AnchoredFolder.open(elsewhere.path);
    const expected = await stateOf(join(folder.path, 'users.json'));
    afterLooking(from, () => writeFile(join(folder.path, 'users.json'), 'more'));
    expect(await moveIfSame(from, users, expected, to, moved)).to.equal('changed');
    expect(await readFile(join(folder.path, 'users.json'), 'utf8')).to.equal('more');
    expect(await readdir(elsewhere.path)).to.deep.equal([]);
  });

  it('says so when the entry is gone, before or in between', async () => {
    await using folder = await temporaryFolder({ 'users.json': 'old' });
    await using from = await AnchoredFolder.open(folder.path);
    const expected = await stateOf(join(folder.path, 'users.json'));
    afterLooking(from, () => rm(join(folder.path, 'users.json')));
    expect(await removeIfSame(from, users, expected, 'id')).to.equal('gone');
    expect(await removeIfSame(from, users, expected, 'id')).to.equal('gone');
    expect(await readdir(folder.path)).to.deep.equal([]);
  });

  it('stays in the directory that was opened, whatever is put in its place', async () => {
    await using folder = await temporaryFolder({ 'users.json': 'other' });
    await using site = await DropSite.open();
    await site.put('users.json', 'ours');
    await using from = await AnchoredFolder.open(site.drop);
    const expected = await stateOf(join(site.drop, 'users.json'));
    await rename(site.drop, `${site.drop}.away`);
    await symlink(folder.path, site.drop);
    expect(await removeIfSame(from, users, expected, 'id')).to.equal('moved');
    expect(await readdir(folder.path)).to.deep.equal(['users.json']);
    expect(await readdir(`${site.drop}.away`)).to.deep.equal([]);
  });

  it('is made good after the program was killed in the middle of it', async () => {
    await using site = await DropSite.open();
    await using folder = await AnchoredFolder.open(site.drop);
    for (const [id, name] of [
      ['1', 'users.json'],
      ['2', 'groups.json'],
    ] as const) {
      await folder.makeFolder(Buffer.from(`.user-sync-${id}`));
      await site.put(`.user-sync-${id}/${name}`, 'from before');
    }
    await site.put('groups.json', 'newer');
    await site.settle();
    await site.settle();
    expect((await site.taken()).sort()).to.deep.equal(['from before', 'newer']);
    expect(await site.left()).to.deep.equal([]);
  });
});

/** Most systems have a second one in memory; where there is none, moving is as good. */
async function otherFileSystem(): Promise<string> {
  return mkdtemp('/dev/shm/user-sync-').catch(() => mkdtemp(join(tmpdir(), 'user-sync-')));
}
