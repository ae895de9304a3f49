import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { appendFile, chmod, mkdir, open, readFile, rename, rm, unlink, utimes, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { tickAfter } from '../../support/file-system-clock.js';
import { DropSite, SETTLE_MS } from '../../support/drop-site.js';

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

describe('A drop directory', () => {
  it('takes a file once it has been quiet, tells of it once, and removes it', async () => {
    await using site = await DropSite.open();
    await site.put('users.2026-11-22.json', '[]');
    await site.scan();
    site.wait(SETTLE_MS - 1);
    await site.scan();
    expect(site.handler.told).to.deep.equal([]);
    expect(site.directory.pending()).to.deep.equal({ count: 1, oldestAgeMs: SETTLE_MS - 1 });
    site.wait(1);
    await site.scan();
    expect(site.handler.files).to.have.length(1);
    expect(site.handler.files[0]).to.deep.include({
      name: 'users',
      originalFilename: 'users.2026-11-22.json',
      digest: sha256('[]'),
      sizeBytes: 2,
    });
    expect(await site.taken()).to.deep.equal(['[]']);
    expect(await site.left()).to.deep.equal([]);
    expect(site.directory.pending()).to.deep.equal({ count: 0, oldestAgeMs: undefined });
    await site.settle();
    expect(site.handler.told).to.deep.equal(['file users']);
  });

  it('does not take a slow upload in its pauses', async () => {
    await using site = await DropSite.open();
    await site.put('users.json', '[');
    for (const piece of ['{"a":1}', ',', '{"b":2}']) {
      await site.scan();
      site.wait(SETTLE_MS - 1);
      await site.scan();
      await appendFile(site.pathOf('users.json'), piece);
    }
    await site.scan();
    site.wait(SETTLE_MS - 1);
    await site.scan();
    expect(site.handler.told).to.deep.equal([]);
    await appendFile(site.pathOf('users.json'), ']');
    await site.settle();
    expect(await site.taken()).to.deep.equal(['[{"a":1},{"b":2}]']);
  });

  it('starts the quiet period anew when a file is overwritten in place with as many bytes', async () => {
    await using site = await DropSite.open();
    await site.put('users.json', 'old');
    await site.scan();
    site.wait(SETTLE_MS);
    await tickAfter(site.pathOf('users.json'));
    await site.put('users.json', 'new');
    await site.scan();
    expect(site.handler.told).to.deep.equal([]);
    site.wait(SETTLE_MS);
    await site.scan();
    expect(await site.taken()).to.deep.equal(['new']);
  });

  it('takes what was renamed over a file, and only that', async () => {
    await using site = await DropSite.open();
    await site.put('users.json', 'old');
    await site.scan();
    site.wait(SETTLE_MS);
    await site.put('users.json.tmp', 'new');
    await rename(site.pathOf('users.json.tmp'), site.pathOf('users.json'));
    await site.settle();
    expect(await site.taken()).to.deep.equal(['new']);
  });

  it('forgets a file that is removed, and does not mind', async () => {
    await using site = await DropSite.open();
    await site.put('users.json', '[]');
    await site.scan();
    await unlink(site.pathOf('users.json'));
    site.wait(SETTLE_MS);
    await site.scan();
    expect(site.handler.told).to.deep.equal([]);
    expect(site.directory.pending().count).to.equal(0);
    await site.put('users.json', 'again');
    await site.scan();
    expect(site.handler.told).to.deep.equal([]);
  });

  it('takes a later version that a sender writes through a descriptor kept open', async () => {
    await using site = await DropSite.open();
    const sender = await open(site.pathOf('users.json'), 'w');
    await sender.writeFile('half');
    // While the handler records the first version, the sender goes on: nothing of it may be lost.
    site.handler.answer = async () => {
      if (site.handler.files.length === 1) await sender.writeFile(' and half');
      return { kind: 'taken' };
    };
    await site.settle();
    expect(await site.left()).to.deep.equal(['users.json']);
    await sender.close();
    await site.settle();
    expect(await site.taken()).to.deep.equal(['half', 'half and half']);
    expect(await site.left()).to.deep.equal([]);
  });

  it('leaves a version alone that was renamed into place while the former one was recorded', async () => {
    await using site = await DropSite.open();
    await site.put('users.json', 'old');
    site.handler.answer = async () => {
      if (site.handler.files.length === 1) {
        await site.put('users.json.part', 'new');
        await rename(site.pathOf('users.json.part'), site.pathOf('users.json'));
      }
      return { kind: 'taken' };
    };
    await site.settle();
    expect(await readFile(site.pathOf('users.json'), 'utf8')).to.equal('new');
    await site.settle();
    expect(await site.taken()).to.deep.equal(['old', 'new']);
  });

  for (const [what, mtime] of [
    ['in the past', new Date('1999-01-01')],
    ['in the future', new Date('2099-01-01')],
  ] as const) {
    it(`waits for a file whose modification time is ${what}, and no longer than for others`, async () => {
      await using site = await DropSite.open();
      await site.put('users.json', '[]');
      await utimes(site.pathOf('users.json'), mtime, mtime);
      await site.scan();
      site.wait(SETTLE_MS - 1);
      await site.scan();
      expect(site.handler.told).to.deep.equal([]);
      site.wait(1);
      await site.scan();
      expect(site.handler.told).to.deep.equal(['file users']);
    });
  }

  it('is not hurried by a clock that is set forward, nor held up by one set back', async () => {
    await using site = await DropSite.open();
    await site.put('users.json', '[]');
    await site.scan();
    site.setClock(365 * 24 * 60 * 60 * 1000);
    await site.scan();
    expect(site.handler.told).to.deep.equal([]);
    site.setClock(-2 * 365 * 24 * 60 * 60 * 1000);
    site.wait(SETTLE_MS);
    await site.scan();
    expect(site.handler.told).to.deep.equal(['file users']);
  });

  it('ignores unfinished names, and takes the file once when it gets its name', async () => {
    await using site = await DropSite.open();
    const names = ['.users.json', 'users.json~', 'users.json.part', 'users.json.filepart', 'users.json.tmp'];
    for (const name of [...names, 'users.json.crdownload']) await site.put(name, '[]');
    await site.settle();
    expect(site.handler.told).to.deep.equal([]);
    expect(site.directory.pending().count).to.equal(0);
    await rename(site.pathOf('users.json.part'), site.pathOf('users.json'));
    await site.settle();
    await site.settle();
    expect(site.handler.told).to.deep.equal(['file users']);
    expect(await site.left()).to.have.length(5);
  });

  it('warns once of an ignored file that has been there for an hour', async () => {
    await using site = await DropSite.open();
    await site.put('users.json.part', '[]');
    await site.scan();
    site.wait(59 * 60 * 1000);
    await site.scan();
    expect(site.handler.warnings).to.deep.equal([]);
    site.wait(60 * 1000);
    await site.scan();
    site.wait(60 * 1000);
    await site.scan();
    expect(site.warningCodes).to.deep.equal(['ignored-for-long']);
    expect(site.handler.warnings[0]!.originalFilename).to.equal('users.json.part');
  });

  it('takes files that were there before it looked, but not before they were quiet', async () => {
    await using site = await DropSite.open();
    await site.put('users.json', 'users');
    await site.put('groups.csv', 'groups');
    await site.scan();
    expect(site.handler.told).to.deep.equal([]);
    site.wait(SETTLE_MS);
    await site.scan();
    expect(site.handler.told.sort()).to.deep.equal(['file groups', 'file users']);
  });

  it('leaves gzip as it is', async () => {
    await using site = await DropSite.open();
    const bytes = gzipSync('[]');
    await site.put('users.json.gz', bytes);
    await site.settle();
    expect(site.handler.files[0]).to.deep.include({ name: 'users', digest: sha256(bytes), sizeBytes: bytes.length });
  });

  it('takes an empty file, since what is in it is not for the intake to judge', async () => {
    await using site = await DropSite.open();
    await site.put('users.json', '');
    await site.settle();
    expect(await site.taken()).to.deep.equal(['']);
  });

  it('takes the same bytes under a new name, and new bytes under the same name', async () => {
    await using site = await DropSite.open();
    await site.put('users.1.json', 'one');
    await site.settle();
    await site.put('users.2.json', 'one');
    await site.settle();
    await site.put('users.2.json', 'two');
    await site.settle();
    expect(await site.taken()).to.deep.equal(['one', 'one', 'two']);
  });

  it('tells of the newer of two versions later, whatever they are called', async () => {
    await using site = await DropSite.open();
    await site.put('users.b.json', 'older');
    await tickAfter(site.pathOf('users.b.json'));
    await site.put('users.a.json', 'newer');
    await site.settle();
    expect(await site.taken()).to.deep.equal(['older', 'newer']);
  });

  it('tells by what a file is known, the same whenever it is told, and of each upload another', async () => {
    await using site = await DropSite.open();
    site.handler.answer = () => ({ kind: 'later' });
    const path = site.pathOf('users.json');
    const upload = async (): Promise<void> => {
      await site.put('users.json', '[]');
      await utimes(path, new Date(0), new Date(0));
      await site.settle();
    };
    await upload();
    await chmod(path, 0o600);
    await site.settle();
    await mkdir(site.pathOf('.user-sync-killed'));
    await rename(path, site.pathOf('.user-sync-killed/users.json'));
    await site.settle();
    await site.settle();
    const before = new Set(site.handler.files.map(({ original }) => original));
    expect(site.handler.files).to.have.length.greaterThan(2);
    expect(before.size).to.equal(1);
    await unlink(path);
    await upload();
    expect(before.has(site.handler.files.at(-1)!.original), 'the same bytes with the same time').to.equal(false);
  });

  it('is gone while the directory is, and goes on in a new one', async () => {
    await using site = await DropSite.open();
    await site.put('users.json', 'lost');
    await site.scan();
    await rm(site.drop, { recursive: true });
    await site.scan();
    await site.scan();
    expect(site.warningCodes).to.deep.equal(['directory-unreadable']);
    await mkdir(site.drop);
    await site.put('users.json', 'found');
    await site.settle();
    expect(await site.taken()).to.deep.equal(['found']);
    await rm(site.drop, { recursive: true });
    await writeFile(site.drop, 'a file in its place');
    await site.scan();
    expect(site.warningCodes).to.deep.equal(['directory-unreadable', 'directory-unreadable']);
    await rm(site.drop);
  });

  it('finds ten thousand files at once', async () => {
    await using site = await DropSite.open();
    const names = Array.from({ length: 10_000 }, (_, index) => `n${index}.json`);
    for (const name of names) await site.put(name, '');
    await site.scan();
    expect(site.directory.pending().count).to.equal(10_000);
    expect(site.handler.told).to.deep.equal([]);
  });

  it('takes many files at once, each once, and none early', async () => {
    await using site = await DropSite.open();
    const names = Array.from({ length: 300 }, (_, index) => `n${index}`);
    for (const name of names) await site.put(`${name}.json`, name);
    await site.scan();
    expect(site.handler.files).to.deep.equal([]);
    site.wait(SETTLE_MS);
    await site.scan();
    expect(site.handler.files.map((file) => file.name).sort()).to.deep.equal([...names].sort());
    expect((await site.taken()).sort()).to.deep.equal([...names].sort());
    expect(await site.left()).to.deep.equal([]);
  });

  it('shares a scan that is under way', async () => {
    await using site = await DropSite.open();
    await site.put('users.json', '[]');
    await Promise.all([site.scan(), site.scan(), site.scan()]);
    site.wait(SETTLE_MS);
    await Promise.all([site.scan(), site.scan(), site.scan()]);
    expect(site.handler.told).to.deep.equal(['file users']);
  });

  it('takes files without waiting when the quiet period is zero', async () => {
    await using site = await DropSite.open({ settleMs: 0 });
    await site.put('users.json', '[]');
    await site.scan();
    expect(site.handler.told).to.deep.equal(['file users']);
  });
});
