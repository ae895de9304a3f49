import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/lib/package-root.js';
import { temporaryFolder } from '../support/temporary-folder.js';

interface Results {
  readonly differences: readonly string[];
  readonly medians: readonly Readonly<Record<string, unknown>>[];
}

/** Small: what the figures are is for a machine that does nothing else. */
const FLAGS = [
  '--users',
  '500',
  '--rounds',
  '1',
  '--formats',
  'json,tsv',
  '--changed',
  '0.1',
  '--joined',
  '0.05',
  '--left',
  '0.05',
];

describe('The benchmark', () => {
  it('brings hand-written SQL and the product to the same directory, and measures both, scripts and formats', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'results.json');
    const { stdout } = await promisify(execFile)(process.execPath, [
      join(packageRoot(), 'dist/test/bench/run.js'),
      ...FLAGS,
      '--json',
      file,
    ]);
    const { differences, medians } = JSON.parse(await readFile(file, 'utf8')) as Results;
    expect(differences).to.deep.equal([]);
    expect(medians.map(({ batch, format }) => `${String(batch)} ${String(format)}`)).to.deep.equal([
      'first json',
      'unchanged json',
      'changed json',
      'first tsv',
      'unchanged tsv',
    ]);
    for (const { productSeconds, productToFloor, productToJson, peakRssMib } of medians) {
      expect(productSeconds).to.be.greaterThan(0);
      expect(peakRssMib).to.be.greaterThan(50);
      expect(productToFloor ?? productToJson).to.be.greaterThan(0);
    }
    // How many times as fast is for a machine that does nothing else.
    for (const ratio of ['rowsToProduct', 'carefulToProduct']) expect(medians[1]?.[ratio]).to.satisfy(Number.isFinite);
    expect(stdout).to.match(/^batch +format +floor s +product s/m);
  }).timeout(120_000);
});
