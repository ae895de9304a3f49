import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AnchoredFolder } from '../../../src/intake/anchored-folder.js';
import { FileStore } from '../../../src/intake/file-store.js';
import { scanFolder } from '../../../src/intake/scan.js';
import { takeFile, type TakeResult } from '../../../src/intake/take.js';
import { tickAfter } from '../../support/file-system-clock.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const MIB = 1024 * 1024;
const signal = new AbortController().signal;

interface Attempt {
  readonly result: TakeResult;
  readonly stored: readonly string[];
}

/**
 * Scans, does one thing, and takes `users.json`, which is three pieces long, doing another thing after the first piece.
 */
async function attempt(
  events: { before?: (path: string) => void; within?: (path: string) => void },
  maxBytes = 10 * MIB,
): Promise<Attempt> {
  await using drop = await temporaryFolder({ 'users.json': Buffer.alloc(3 * MIB), next: Buffer.alloc(3 * MIB, 1) });
  await using other = await temporaryFolder();
  const store = new FileStore(join(other.path, 'store'));
  await using folder = await AnchoredFolder.open(drop.path);
  const { files } = await scanFolder(folder, signal);
  const entry = files.find((one) => one.name.text === 'users.json')!;
  const path = join(drop.path, 'users.json');
  await tickAfter(path);
  events.before?.(path);
  let within = events.within;
  const onProgress = (): void => {
    const event = within;
    within = undefined;
    event?.(path);
  };
  const result = await takeFile(folder, entry, store, { maxBytes, signal, onProgress });
  const found = await readdir(other.path, { recursive: true, withFileTypes: true });
  return { result, stored: found.filter((one) => one.isFile()).map((one) => one.name) };
}

function overwriteInPlace(path: string): void {
  const descriptor = openSync(path, 'r+');
  writeSync(descriptor, 'x', 0);
  closeSync(descriptor);
}

describe('Taking a file', () => {
  it('copies it whole into the store', async () => {
    const { result, stored } = await attempt({});
    expect(result).to.have.property('kind', 'stored');
    expect(result).to.have.nested.property('stored.sizeBytes', 3 * MIB);
    expect(stored).to.have.length(1);
  });

  const within: Readonly<Record<string, (path: string) => void>> = {
    'is appended to': (path) => appendFileSync(path, 'x'),
    'is overwritten in place': overwriteInPlace,
    'is cut short': (path) => truncateSync(path, MIB + 1),
    'is emptied': (path) => truncateSync(path, 0),
    'is removed': (path) => unlinkSync(path),
    'is renamed over': (path) => renameSync(join(path, '..', 'next'), path),
    'is renamed away': (path) => renameSync(path, `${path}.away`),
  };
  for (const [what, event] of Object.entries(within)) {
    it(`takes nothing when the file ${what} meanwhile`, async () => {
      expect(await attempt({ within: event })).to.deep.equal({ result: { kind: 'changed' }, stored: [] });
    });
  }

  const before: Readonly<Record<string, (path: string) => void>> = {
    'nothing any more': (path) => unlinkSync(path),
    'another file': (path) => renameSync(join(path, '..', 'next'), path),
    'a link to the same bytes': (path) => {
      renameSync(path, `${path}.away`);
      symlinkSync(`${path}.away`, path);
    },
    'a FIFO that nobody writes to': (path) => {
      unlinkSync(path);
      execFileSync('mkfifo', [path]);
    },
    'a directory': (path) => {
      unlinkSync(path);
      mkdirSync(path);
    },
    'a longer file': (path) => writeFileSync(path, Buffer.alloc(4 * MIB)),
  };
  for (const [what, event] of Object.entries(before)) {
    it(`takes nothing when there is ${what} since the scan`, async () => {
      expect(await attempt({ before: event })).to.deep.equal({ result: { kind: 'changed' }, stored: [] });
    });
  }

  it('does not begin to copy what is too large', async () => {
    const { result, stored } = await attempt({}, 3 * MIB - 1);
    expect(result).to.deep.equal({ kind: 'too-large' });
    expect(stored).to.deep.equal([]);
  });
});
