import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { appendFile, rename } from 'node:fs/promises';
import { tickAfter } from '../../support/file-system-clock.js';
import { DropSite, SETTLE_MS } from '../../support/drop-site.js';

const MINUTE = 60_000;

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

describe('A marker', () => {
  it('lets a file be taken at once, and goes with it', async () => {
    await using site = await DropSite.open();
    await site.put('users.json', '[]');
    await site.put('users.json.done', '');
    await site.scan();
    expect(await site.taken()).to.deep.equal(['[]']);
    expect(await site.left()).to.deep.equal([]);
  });

  it('does not speak for a file that was changed after it', async () => {
    await using site = await DropSite.open();
    await site.put('users.json.done', '');
    await site.scan();
    await tickAfter(site.pathOf('users.json.done'));
    await site.put('users.json', '[');
    await site.scan();
    expect(site.handler.told).to.deep.equal([]);
    await appendFile(site.pathOf('users.json'), ']');
    await site.settle();
    expect(await site.taken()).to.deep.equal(['[]']);
    expect(await site.left()).to.deep.equal([]);
  });

  it('is cleared away when it comes after its file was taken', async () => {
    await using site = await DropSite.open();
    await site.put('users.json', '[]');
    await site.settle();
    await site.put('users.json.done', '');
    await site.settle();
    expect(await site.left()).to.deep.equal([]);
    expect(site.handler.told).to.deep.equal(['file users']);
  });

  it('is warned of when its file does not come', async () => {
    await using site = await DropSite.open();
    await site.put('users.json.done', '');
    await site.settle();
    site.wait(60 * MINUTE);
    await site.scan();
    expect(site.warningCodes).to.deep.equal(['ignored-for-long']);
    expect(await site.left()).to.deep.equal(['users.json.done']);
  });
});

describe('A sidecar', () => {
  it('lets a file be taken at once when the content is right, in every way to write it', async () => {
    const digest = sha256('[]');
    for (const text of [digest, `${digest.toUpperCase()}\n`, `${digest}  users.json\n`, `${digest} *users.json\r\n`]) {
      await using site = await DropSite.open();
      await site.put('users.json', '[]');
      await site.put('users.json.sha256', text);
      await site.scan();
      expect(await site.taken(), text).to.deep.equal(['[]']);
      expect(await site.left()).to.deep.equal([]);
    }
  });

  it('holds a file back that was cut off, until the rest is there', async () => {
    await using site = await DropSite.open();
    await site.put('users.json', '[1,');
    await site.put('users.json.sha256', sha256('[1,2]'));
    await site.scan();
    site.wait(2 * SETTLE_MS);
    await site.scan();
    expect(site.handler.told).to.deep.equal([]);
    await appendFile(site.pathOf('users.json'), '2]');
    await site.settle();
    expect(await site.taken()).to.deep.equal(['[1,2]']);
    expect(await site.left()).to.deep.equal([]);
  });

  it('has a file set aside that stays different, with nothing of it in the store', async () => {
    await using site = await DropSite.open();
    await site.put('users.json', '[1,');
    await site.put('users.json.sha256', sha256('[1,2]'));
    await site.scan();
    site.wait(10 * MINUTE - 1);
    await site.scan();
    expect(site.handler.told).to.deep.equal([]);
    site.wait(1);
    await site.scan();
    expect(site.reasons).to.deep.equal(['digest-differs']);
    expect(site.handler.files).to.deep.equal([]);
    expect(await site.left()).to.deep.equal([]);
    expect(await site.store.has(sha256('[1,'))).to.equal(false);
  });

  it('of an earlier file only holds the next one up until its own comes', async () => {
    await using site = await DropSite.open();
    await site.put('users.json.sha256', sha256('yesterday'));
    await site.put('users.json', 'today');
    await site.settle();
    expect(site.handler.told).to.deep.equal([]);
    await site.put('users.json.sha256', sha256('today'));
    await site.scan();
    expect(await site.taken()).to.deep.equal(['today']);
  });

  it('without a digest holds its file up, and has it set aside in the end', async () => {
    await using site = await DropSite.open();
    await site.put('users.json', '[]');
    await site.put('users.json.sha256', 'not a digest');
    await site.settle();
    expect(site.handler.told).to.deep.equal([]);
    site.wait(10 * MINUTE);
    await site.scan();
    expect(site.reasons).to.deep.equal(['digest-differs']);
  });

  it('counts for more than a marker', async () => {
    await using site = await DropSite.open();
    await site.put('users.json', '[1,');
    await site.put('users.json.sha256', sha256('[1,2]'));
    await site.put('users.json.done', '');
    await site.settle();
    expect(site.handler.told).to.deep.equal([]);
  });

  it('that comes after its file was taken is cleared away, but one of another content is not', async () => {
    await using site = await DropSite.open();
    await site.put('users.json', 'one');
    await site.settle();
    await site.put('users.json.sha256', sha256('one'));
    await site.settle();
    expect(await site.left()).to.deep.equal([]);
    await site.put('users.json.sha256', sha256('two'));
    await site.settle();
    expect(await site.left()).to.deep.equal(['users.json.sha256']);
  });
});

describe('Control files and start signals', () => {
  it('come before, and after, the files that are there with them', async () => {
    await using site = await DropSite.open();
    for (const name of ['_start', 'users.json', 'groups.json', '_control.json']) await site.put(name, name);
    await site.settle();
    expect(site.handler.told[0]).to.equal('control');
    expect(site.handler.told.slice(1, 3).sort()).to.deep.equal(['file groups', 'file users']);
    expect(site.handler.told.slice(3)).to.deep.equal(['start']);
    expect(site.handler.controls[0]).to.deep.include({ name: '_control', originalFilename: '_control.json' });
    expect(site.handler.starts[0]!.originalFilename).to.equal('_start');
    expect(await site.left()).to.deep.equal([]);
  });

  it('a start signal waits for the files that were there when it came, not for later ones', async () => {
    await using site = await DropSite.open();
    await site.put('users.json', '[');
    await site.put('_start.txt', '');
    await site.scan();
    site.wait(SETTLE_MS - 1);
    await appendFile(site.pathOf('users.json'), ']');
    await site.scan();
    site.wait(1);
    await site.put('late.json', '[]');
    await site.scan();
    expect(site.handler.told).to.deep.equal([]);
    site.wait(SETTLE_MS - 1);
    await appendFile(site.pathOf('late.json'), ' ');
    await site.scan();
    expect(site.handler.told).to.deep.equal(['file users', 'start']);
  });

  it('a start signal is never heard at first sight, since a listing may lack what was there before it', async () => {
    await using site = await DropSite.open({ settleMs: 0 });
    await site.put('_start', '');
    await site.scan();
    expect(site.handler.told).to.deep.equal([]);
    await site.scan();
    expect(site.handler.told).to.deep.equal(['start']);
    expect(await site.left()).to.deep.equal([]);
  });

  it('files wait for a control file that is still coming', async () => {
    await using site = await DropSite.open();
    await site.put('staff.json', '[]');
    await site.put('_control.json.part', '{}');
    await site.scan();
    site.wait(SETTLE_MS);
    await rename(site.pathOf('_control.json.part'), site.pathOf('_control.json'));
    await site.scan();
    expect(site.handler.told).to.deep.equal([]);
    expect(site.directory.pending().count).to.equal(2);
    site.wait(SETTLE_MS);
    await site.scan();
    expect(site.handler.told).to.deep.equal(['control', 'file staff']);
  });
});

describe('The handler of a drop directory', () => {
  it('has a file set aside whose name it does not know, with the names it knows', async () => {
    await using site = await DropSite.open();
    site.handler.answer = () => ({ kind: 'unknown-name', expectedNames: ['users', 'groups'] });
    await site.put('uesrs.json', '[]');
    await site.settle();
    expect(site.reasons).to.deep.equal(['unknown-name']);
    expect(site.handler.quarantined[0]!.expectedNames).to.deep.equal(['users', 'groups']);
    expect(site.handler.quarantined[0]!.detail).to.include('users, groups');
    expect(await site.left()).to.deep.equal([]);
  });

  it('has a control file set aside that it refuses', async () => {
    await using site = await DropSite.open();
    site.handler.answer = () => ({ kind: 'refused', detail: 'It has 3 problems.' });
    await site.put('_control.json', '{');
    await site.settle();
    expect(site.handler.quarantined[0]).to.deep.include({ reason: 'refused', detail: 'It has 3 problems.' });
  });

  it('may put a file off, which then stays and is asked for again', async () => {
    await using site = await DropSite.open();
    site.handler.answer = () => ({ kind: 'later' });
    await site.put('users.json', '[]');
    await site.put('_start', '');
    await site.settle();
    await site.scan();
    expect(await site.left()).to.deep.equal(['_start', 'users.json']);
    expect(site.handler.told).to.deep.equal(['file users', 'file users']);
    site.handler.answer = () => ({ kind: 'taken' });
    await site.scan();
    expect(await site.left()).to.deep.equal([]);
    expect(site.handler.told.at(-1)).to.equal('start');
  });

  it('that fails is warned of once, and loses nothing', async () => {
    await using site = await DropSite.open();
    site.handler.answer = () => Promise.reject(new Error('the database is away'));
    await site.put('users.json', '[]');
    await site.put('groups.json', '[]');
    await site.settle();
    await site.scan();
    expect(site.warningCodes).to.deep.equal(['handler-failed']);
    expect(await site.left()).to.deep.equal(['groups.json', 'users.json']);
    site.handler.answer = () => ({ kind: 'taken' });
    await site.scan();
    expect(await site.left()).to.deep.equal([]);
  });

  it('is not called for all of many files when it fails for each', async () => {
    await using site = await DropSite.open();
    site.handler.answer = () => Promise.reject(new Error('the database is away'));
    for (let index = 0; index < 30; index += 1) await site.put(`n${index}.json`, '');
    await site.settle();
    expect(site.handler.files).to.have.length(10);
    expect(site.directory.pending().count).to.equal(30);
  });

  it('that fails to hear of a quarantined file or a warning does not stop the intake', async () => {
    await using site = await DropSite.open();
    site.handler.onQuarantined = () => Promise.reject(new Error('mail is down'));
    await site.put('bad name.json', '[]');
    await site.put('users.json', '[]');
    await site.settle();
    expect(await site.left()).to.deep.equal([]);
    expect(site.handler.told).to.deep.equal(['file users']);
    expect(site.logger.entries.filter((entry) => entry.level === 'error')).to.have.length(1);
  });

  it('has the file on record before the original is removed', async () => {
    await using site = await DropSite.open();
    let there: string[] = [];
    site.handler.answer = async (file) => {
      there = await site.left();
      expect(await site.store.has(file.digest)).to.equal(true);
      return { kind: 'taken' };
    };
    await site.put('users.json', '[]');
    await site.put('users.json.done', '');
    await site.scan();
    expect(there).to.deep.equal(['users.json', 'users.json.done']);
    expect(await site.left()).to.deep.equal([]);
  });
});
