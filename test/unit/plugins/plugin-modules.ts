import { join } from 'node:path';
import type { UserSyncError } from '../../../src/lib/errors.js';
import { loadPlugins, type Plugins } from '../../../src/plugins/load-plugins.js';
import { resolvePlugins } from '../../../src/plugins/resolve-plugins.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

/** Writes modules by their names, and loads them as the configuration would. */
export async function loaded(modules: Readonly<Record<string, string>>): Promise<Plugins> {
  await using folder = await temporaryFolder(
    Object.fromEntries(Object.entries(modules).map(([name, text]) => [`${name}.mjs`, text])),
  );
  const paths = Object.keys(modules).map((name) => join(folder.path, `${name}.mjs`));
  return await loadPlugins(resolvePlugins(paths, folder.path));
}

/** The error that comes of it; a test that gets none fails. */
export async function caught(work: Promise<unknown>): Promise<UserSyncError> {
  return work.then(
    () => {
      throw new Error('nothing was thrown');
    },
    (error: UserSyncError) => error,
  );
}
