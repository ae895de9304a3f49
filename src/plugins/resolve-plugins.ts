import { createRequire } from 'node:module';
import { basename, extname, isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserSyncError, messageOf } from '../lib/errors.js';

/** Which module a plugin is: plain data, so that every thread can load the same one. */
export interface PluginModule {
  /** What messages call it: the file's name without extension, or the package as it was given. */
  readonly name: string;
  readonly url: string;
}

/**
 * Finds the modules that the configuration names.
 *
 * @param specifiers absolute paths or names of packages
 * @param directory where packages are looked for: the folder of the configuration, then those above it
 * @throws UserSyncError `plugin-unreadable` for a package that is not installed
 */
export function resolvePlugins(specifiers: readonly string[], directory: string): PluginModule[] {
  return specifiers.map((specifier) =>
    isAbsolute(specifier)
      ? { name: basename(specifier, extname(specifier)), url: pathToFileURL(specifier).href }
      : { name: specifier, url: resolvePackage(specifier, directory) },
  );
}

function resolvePackage(specifier: string, directory: string): string {
  try {
    return pathToFileURL(createRequire(join(directory, 'user-sync.yaml')).resolve(specifier)).href;
  } catch (error) {
    throw new UserSyncError(
      'plugin-unreadable',
      `Finding the plugin ${specifier} from ${directory}: ${firstLine(messageOf(error))}. ` +
        'Install the package there, or give the path of its module, which starts with ./ or /.',
      { kind: 'usage', cause: error },
    );
  }
}

/** Node goes on with the stack of what required it. */
function firstLine(text: string): string {
  return text.split('\n')[0] ?? text;
}
