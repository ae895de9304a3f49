import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { loadConfig } from '../../../src/config/load.js';
import { packageRoot } from '../../../src/lib/package-root.js';
import { fencesOf, readDocuments } from '../../support/docs-markdown.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { writeFile } from 'node:fs/promises';

const read = (...path: string[]): string => readFileSync(join(packageRoot(), ...path), 'utf8');

/** Keys of a unit; one that stands several times has several values. */
function unitOf(text: string): ReadonlyMap<string, readonly string[]> {
  const unit = new Map<string, string[]>();
  for (const [, key = '', value = ''] of text.matchAll(/^([A-Za-z]+)=(.*)$/gm)) {
    unit.set(key, [...(unit.get(key) ?? []), value]);
  }
  return unit;
}

describe('config/user-sync.service', () => {
  const unit = unitOf(read('config', 'user-sync.service'));
  const page = readDocuments().get('docs/operations.md') ?? '';
  const one = (key: string): string => {
    const values = unit.get(key) ?? [];
    expect(values, key).to.have.length(1);
    return values[0] ?? '';
  };
  const shell = fencesOf(page)
    .filter(({ info }) => info === 'sh')
    .map(({ text }) => text)
    .join('\n');
  const [prefix = '', program = '', ...args] =
    /^(.*)(\/node_modules\/\.bin\/user-sync) (.*)$/.exec(one('ExecStart'))?.slice(1) ?? [];

  it('starts the program where the commands of docs/operations.md install it', () => {
    expect(program).to.equal('/node_modules/.bin/user-sync');
    expect(shell).to.include(`npm install --prefix ${prefix} `);
    expect(args).to.deep.equal(['serve --config /etc/user-sync/user-sync.yaml']);
  });

  it('names a page that the package has', () => {
    const [, place = ''] = /^file:\/\/(.*)$/.exec(one('Documentation')) ?? [];
    const installed = posix.join(prefix, 'node_modules', 'user-sync');
    expect(place.startsWith(`${installed}/`), place).to.equal(true);
    const path = place.slice(installed.length + 1);
    expect(existsSync(join(packageRoot(), path)), path).to.equal(true);
    const { files } = JSON.parse(read('package.json')) as { files: string[] };
    expect(files).to.include(path.split('/')[0]);
    expect(files).to.include('config');
  });

  it('has the user, the folders and the secrets that docs/operations.md says how to make', () => {
    expect(shell).to.match(new RegExp(`^useradd .* ${one('User')}$`, 'm'));
    expect(one('Group')).to.equal(one('User'));
    expect(shell).to.include(one('EnvironmentFile').replace(/^-/, ''));
    for (const folder of one('ReadWritePaths').split(' ')) expect(shell).to.include(` ${folder}`);
  });

  it('keeps what the configuration of docs/operations.md writes within what the service may write', async () => {
    const yaml = fencesOf(page).find(({ info }) => info === 'yaml user-sync.yaml')?.text ?? '';
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'user-sync.yaml');
    await writeFile(file, yaml);
    const { dataDir, feeds } = await loadConfig({ file, environment: {} });
    expect(dataDir).to.equal(posix.join('/var/lib', one('StateDirectory')));
    const drop = feeds.default.dropDirectory ?? '';
    expect(drop.startsWith(`${one('ReadWritePaths')}/`), drop).to.equal(true);
    expect(shell).to.include(` ${drop}`);
    expect(unit.get('ProtectSystem')).to.deep.equal(['strict']);
  });

  it('gives the program more time to end than it takes for itself', () => {
    const [, digits = ''] = /GRACE_MS = ([\d_]+);/.exec(read('src', 'cli', 'serve.ts')) ?? [];
    const graceSeconds = Number(digits.replaceAll('_', '')) / 1000;
    expect(graceSeconds).to.be.greaterThan(0);
    expect(Number(one('TimeoutStopSec'))).to.be.greaterThan(graceSeconds);
  });
});
