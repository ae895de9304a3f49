import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../src/lib/package-root.js';
import { temporaryFolder } from './temporary-folder.js';

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
}

/**
 * All parts that are installed to run the program, as CycloneDX. `npm sbom --omit dev` also leaves out what both the program
 * and its tools need; so npm is shown a package without the tools.
 */
export async function softwareBillOfMaterials(): Promise<string> {
  const manifest = (await readJson('package.json')) as object;
  const lock = (await readJson('package-lock.json')) as Lock;
  const packages = Object.fromEntries(
    Object.entries(lock.packages)
      .filter(([, { dev }]) => dev !== true)
      .map(([path, entry]) => [path, { ...entry, devDependencies: undefined }]),
  );
  await using folder = await temporaryFolder();
  // npm names the whole after the folder that it is in.
  const place = join(folder.path, 'user-sync');
  await mkdir(place);
  await writeFile(join(place, 'package.json'), JSON.stringify({ ...manifest, devDependencies: undefined }));
  await writeFile(join(place, 'package-lock.json'), JSON.stringify({ ...lock, packages }));
  return execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only', '--offline'], {
    cwd: place,
    encoding: 'utf8',
  });
}

async function readJson(file: string): Promise<unknown> {
  return JSON.parse(await readFile(join(packageRoot(), file), 'utf8'));
}
