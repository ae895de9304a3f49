/**
 * Scenarios of the intake that need a process of their own, since a limit or a user is the whole process's. Run as
 * `node intake-child.js SCENARIO [ARGUMENT…]`; the result is one JSON document on standard output.
 */
import { EventEmitter, once } from 'node:events';
import { chmod, open, readdir, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { AnchoredFolder } from '../../src/intake/anchored-folder.js';
import { FileStore } from '../../src/intake/file-store.js';
import { DirectoryHints } from '../../src/intake/watch.js';
import { DropSite } from './drop-site.js';

export interface ScenarioResult {
  /** Codes of warnings after each step. */
  readonly warnings: readonly (readonly string[])[];
  readonly messages: readonly string[];
  readonly taken: readonly string[];
  readonly left: readonly string[];
}

const NOBODY = 65534;

const SCENARIOS: Readonly<Record<string, (...args: string[]) => Promise<ScenarioResult>>> = {
  'unreadable-file': () =>
    asNobody(async (site, note) => {
      await site.put('users.json', '[]');
      await site.put('groups.json', '[]');
      await chmod(site.pathOf('users.json'), 0);
      await site.settle();
      await site.scan();
      note();
      await chmod(site.pathOf('users.json'), 0o600);
      await site.settle();
      note();
    }),

  'unreadable-directory': () =>
    asNobody(async (site, note) => {
      await site.put('users.json', '[]');
      await chmod(site.drop, 0);
      await site.settle();
      note();
      await chmod(site.drop, 0o700);
      await site.settle();
      note();
    }),

  'unwritable-directory': () =>
    asNobody(async (site, note) => {
      await site.put('users.json', '[]');
      await site.put('bad name', '');
      await chmod(site.drop, 0o500);
      await site.settle();
      await site.scan();
      note();
      await chmod(site.drop, 0o700);
      site.wait(60_000);
      await site.scan();
      note();
    }),

  'unwatchable-directory': () =>
    asNobody(async (site, note) => {
      const errors = new EventEmitter();
      const failed = once(errors, 'failed');
      const hints = new DirectoryHints({ onHint: () => undefined, onError: (error) => errors.emit('failed', error) });
      const folder = await AnchoredFolder.open(site.drop);
      await chmod(site.drop, 0);
      await hints.follow(folder);
      await failed;
      note();
      await chmod(site.drop, 0o700);
      // An error is no end: the same directory is watched anew.
      await hints.follow(folder);
      await hints.close();
      await folder.close();
    }),

  /** Under `ulimit -n`: every descriptor is in use, and then some are not. */
  'no-descriptors': () =>
    scenario(DropSite.open(), async (site, note) => {
      await site.put('users.json', '[]');
      await site.scan();
      site.wait(5000);
      const held = await allDescriptors();
      await site.scan();
      await site.scan();
      // Enough for the directory and a file, not for its copy.
      await held.pop()?.close();
      await held.pop()?.close();
      await site.scan();
      note();
      for (const handle of held) await handle.close();
      await site.scan();
      note();
    }),

  /** Store and quarantine have less room than the files need that are in the drop directory already. */
  'no-room': (drop = '', small = '') =>
    scenario(
      DropSite.open({
        path: drop,
        store: new FileStore(join(small, 'store')),
        quarantinePath: join(small, 'quarantine'),
      }),
      async (site, note) => {
        await site.put('groups.json', 'small');
        await site.settle();
        await site.scan();
        note();
        const debris = await readdir(join(small, 'store', 'incoming'));
        if (debris.length > 0) throw new Error(`left behind: ${debris.join(', ')}`);
        await writeFile(site.pathOf('users.json'), 'smaller');
        if ((await site.left()).includes('bad name')) await writeFile(site.pathOf('bad name'), 'smaller');
        await site.settle();
        note();
        const held = await readdir(join(small, 'quarantine'));
        if (held.length !== 2) throw new Error(`not one file and its record: ${held.join(', ')}`);
      },
    ),
};

type Steps = (site: DropSite, note: () => void) => Promise<void>;

async function asNobody(steps: Steps): Promise<ScenarioResult> {
  if (process.getuid?.() === 0) {
    process.setgroups?.([]);
    process.setgid?.(NOBODY);
    process.setuid?.(NOBODY);
  }
  return scenario(DropSite.open(), steps);
}

async function scenario(opening: Promise<DropSite>, steps: Steps): Promise<ScenarioResult> {
  await using site = await opening;
  const warnings: string[][] = [];
  await steps(site, () => {
    warnings.push([...site.warningCodes]);
  });
  return {
    warnings,
    messages: site.handler.warnings.map((warning) => warning.message),
    taken: await site.taken(),
    left: await site.left(),
  };
}

async function allDescriptors(): Promise<FileHandle[]> {
  const held: FileHandle[] = [];
  for (;;) {
    const handle = await open('/dev/null').catch(() => undefined);
    if (handle === undefined) return held;
    held.push(handle);
  }
}

const [name = '', ...args] = process.argv.slice(2);
const run = SCENARIOS[name];
if (run === undefined) throw new Error(`no scenario ${name}`);
process.stdout.write(JSON.stringify(await run(...args)));
