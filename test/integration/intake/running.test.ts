import { expect } from 'chai';
import { execFile, execFileSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdir, rename, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { AnchoredFolder } from '../../../src/intake/anchored-folder.js';
import type { DropDirectoryOptions } from '../../../src/intake/drop-directory.js';
import { DirectoryHints } from '../../../src/intake/watch.js';
import { DropSite } from '../../support/drop-site.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const HOUR_MS = 60 * 60 * 1000;

interface Running extends AsyncDisposable {
  readonly site: DropSite;
  readonly told: EventEmitter;
}

/** A directory that runs by the real clock, and tells when something was told to its handler. */
async function running(options: Partial<DropDirectoryOptions>): Promise<Running> {
  const site = await DropSite.open({ settleMs: 50, monotonicMs: () => performance.now(), ...options });
  const told = new EventEmitter();
  const { handler } = site;
  handler.answer = (file) => {
    told.emit(file.name);
    return { kind: 'taken' };
  };
  const onWarning = handler.onWarning.bind(handler);
  handler.onWarning = async (warning) => {
    await onWarning(warning);
    told.emit(warning.code);
  };
  return { site, told, [Symbol.asyncDispose]: () => site[Symbol.asyncDispose]() };
}

describe('A running drop directory', () => {
  it('hears by hints of files, and of the directory going, long before the next scan is due', async () => {
    await using run = await running({ scanIntervalMs: HOUR_MS });
    const { site, told } = run;
    await site.put('first.json', '[]');
    const first = once(told, 'first');
    site.directory.start();
    await first;
    const second = once(told, 'second');
    await site.put('second.json', '[]');
    await second;
    const missing = once(told, 'directory-unreadable');
    await rm(site.drop, { recursive: true });
    await missing;
    await site.directory.stop();
  });

  for (const usePolling of [false, true]) {
    it(`goes on in a directory that was removed and made again (${usePolling ? 'polling' : 'events'})`, async () => {
      await using run = await running({ scanIntervalMs: 300, usePolling });
      const { site, told } = run;
      const missing = once(told, 'directory-unreadable');
      site.directory.start();
      await rm(site.drop, { recursive: true });
      await missing;
      const users = once(told, 'users');
      await mkdir(site.drop);
      await site.put('users.json', '[]');
      await users;
      expect(site.warningCodes).to.deep.equal(['directory-unreadable']);
    });
  }

  it('scans at intervals when nothing hints at anything', async () => {
    const looks = new EventEmitter();
    const monotonicMs = (): number => {
      looks.emit('look');
      return performance.now();
    };
    await using run = await running({ scanIntervalMs: 100, monotonicMs });
    const { site } = run;
    site.directory.start();
    // A scan reads the clock five times or so; the beginning of the watch is a hint by itself.
    for (let count = 0; count < 50; count += 1) await once(looks, 'look');
    expect(site.directory.lastActivityMs).to.be.a('number');
  });

  it('stops when it is told to, at once and for good, and by the signal as well', async () => {
    await using run = await running({ scanIntervalMs: HOUR_MS });
    const { site } = run;
    const controller = new AbortController();
    site.directory.start(controller.signal);
    site.directory.start();
    controller.abort();
    await Promise.all([site.directory.stop(), site.directory.stop()]);
    site.directory.start();
    await site.put('users.json', '[]');
    await site.directory.stop();
    expect(site.handler.told).to.deep.equal([]);
  });

  it('gives up a copy when it is stopped, and leaves the file', async () => {
    await using run = await running({ settleMs: 0, maxBytes: 64 * 1024 * 1024 });
    const { site } = run;
    await site.put('users.json', Buffer.alloc(32 * 1024 * 1024));
    const put = site.store.put.bind(site.store);
    const begun = new Promise<void>((resolve) => {
      site.store.put = async (...args) => {
        resolve();
        return put(...args);
      };
    });
    site.directory.start();
    await begun;
    await site.directory.stop();
    expect(site.handler.told).to.deep.equal([]);
    expect(await site.left()).to.deep.equal(['users.json']);
  });

  it('waits for what is being recorded when it is stopped, and removes the original', async () => {
    await using run = await running({ settleMs: 0 });
    const { site } = run;
    await site.put('users.json', '[]');
    const events = new EventEmitter();
    const asked = once(events, 'asked');
    site.handler.answer = async () => {
      const recorded = once(events, 'recorded');
      events.emit('asked');
      await recorded;
      return { kind: 'taken' };
    };
    site.directory.start();
    await asked;
    const stopped = site.directory.stop();
    events.emit('recorded');
    await stopped;
    expect(await site.left()).to.deep.equal([]);
  });
});

describe('Hints', () => {
  for (const usePolling of [false, true]) {
    const how = usePolling ? 'polling' : 'events';

    it(`come of new, renamed and removed entries, FIFOs among them (${how})`, async () => {
      await using folder = await temporaryFolder({ 'there.json': '[]' });
      execFileSync('mkfifo', [`${folder.path}/fifo`]);
      await using hints = await following(folder.path, usePolling);
      await hints.after(() => rename(`${folder.path}/there.json`, `${folder.path}/renamed.json`));
      await hints.after(() => promisify(execFile)('mkfifo', [`${folder.path}/other`]));
      await hints.after(() => rm(`${folder.path}/renamed.json`));
    });
  }

  it('come of the directory itself going, and may be asked to end twice', async () => {
    await using folder = await temporaryFolder();
    await mkdir(`${folder.path}/drop`);
    await using hints = await following(`${folder.path}/drop`, false);
    await hints.after(() => rm(`${folder.path}/drop`, { recursive: true }));
    await hints.follow(undefined);
    await hints.follow(undefined);
  });
});

interface Following extends AsyncDisposable {
  /** Does something, and waits for a hint at it. */
  after(event: () => Promise<unknown>): Promise<void>;
  follow(folder: AnchoredFolder | undefined): Promise<void>;
}

async function following(path: string, usePolling: boolean): Promise<Following> {
  const events = new EventEmitter();
  const hints = new DirectoryHints({
    usePolling,
    pollIntervalMs: 20,
    onHint: () => events.emit('hint'),
    onError: (error) => events.emit('error', error),
  });
  const after = async (event: () => Promise<unknown>): Promise<void> => {
    const hinted = once(events, 'hint');
    await event();
    await hinted;
  };
  const folder = await AnchoredFolder.open(path);
  // That watching has begun is a hint as well.
  await after(() => hints.follow(folder));
  await folder.close();
  return { after, follow: (next) => hints.follow(next), [Symbol.asyncDispose]: () => hints.close() };
}
