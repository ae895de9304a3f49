import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserSyncError } from './errors.js';

/**
 * The folder that holds this package's package.json, and with it `sql/` and `config/`. Found by walking up from this
 * file, because compiled code lies at a different depth in a checkout, an installed package and a test build.
 */
export function packageRoot(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) {
      throw new UserSyncError('incomplete-installation', 'Finding the package: no package.json above the program.');
    }
  }
}

export function packageVersion(): string {
  return (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version;
}
