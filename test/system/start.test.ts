import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/lib/package-root.js';

/** Says on stderr what is imported, and at the end what was required. */
const HOOK = `
  import { writeSync } from 'node:fs';
  export async function load(url, context, next) { writeSync(2, url + '\\n'); return next(url, context); }`;
const REGISTER = `
  import { writeSync } from 'node:fs';
  import { createRequire, register } from 'node:module';
  register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(HOOK)}`)});
  const { cache } = createRequire('file:///');
  process.on('exit', () => writeSync(2, Object.keys(cache).join('\\n')));`;

/** The packages that a process loads, in the order of the alphabet. */
async function packagesOf(...args: string[]): Promise<string[]> {
  const hook = `data:text/javascript,${encodeURIComponent(REGISTER)}`;
  const { stderr } = await promisify(execFile)(process.execPath, ['--import', hook, ...args], { encoding: 'utf8' });
  const names = [...stderr.matchAll(/\/node_modules\/((?:@[^/]+\/)?[^/]+)\//g)].map(([, name = '']) => name);
  return [...new Set(names)].sort();
}

describe('Starting', () => {
  const dist = join(packageRoot(), 'dist', 'src');

  it('loads for a command what commands have in common, and not what only some of them need', async () => {
    const packages = await packagesOf(join(dist, 'main.js'), '--version');
    expect(packages).to.include('commander');
    const needless = ['fastify', 'nodemailer', 'knex', 'winston', 'saxes', 'csv-parse', 'libphonenumber-js'];
    expect(packages.filter((name) => needless.includes(name))).to.deep.equal([]);
  });

  it('loads for the thread that reads a batch no package: each format loads its own', async () => {
    const worker = `import ${JSON.stringify(join(dist, 'sync', 'stage-worker.js'))}`;
    expect(await packagesOf('--input-type=module', '--eval', worker)).to.deep.equal([]);
  });
});
