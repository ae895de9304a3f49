import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/lib/package-root.js';
import type { Sources } from './architecture.js';
import { stringsIn } from './docs-codes.js';

/** A package as package-lock.json has it. */
export interface Locked {
  /** `node_modules/a/node_modules/b` */
  readonly path: string;
  readonly licence: string | undefined;
  readonly dev: boolean;
  readonly hasInstallScript: boolean;
}

interface LockEntry {
  readonly license?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

export function readPackage(): {
  dependencies: string[];
  devDependencies: string[];
  scripts: Readonly<Record<string, string>>;
} {
  const { dependencies, devDependencies, scripts } = readJson('package.json') as Record<string, Record<string, string>>;
  return {
    dependencies: Object.keys(dependencies ?? {}),
    devDependencies: Object.keys(devDependencies ?? {}),
    scripts: scripts ?? {},
  };
}

export function readLock(): Locked[] {
  const { packages } = readJson('package-lock.json') as { packages: Readonly<Record<string, LockEntry>> };
  return Object.entries(packages)
    .filter(([path]) => path !== '')
    .map(([path, entry]) => ({
      path,
      licence: entry.license,
      dev: entry.dev === true,
      hasInstallScript: entry.hasInstallScript === true,
    }));
}

/** `node_modules/a/node_modules/@b/c` → `@b/c` */
export function nameOf(path: string): string {
  return path.split('node_modules/').at(-1) ?? path;
}

/** What the package itself says; undefined when it is not installed, as those of other platforms. */
export function installedLicence(path: string): string | undefined {
  const file = join(path, 'package.json');
  if (!existsSync(join(packageRoot(), file))) return undefined;
  const { license } = readJson(file) as { license?: string };
  return license ?? 'none';
}

/** All strings of the sources: what is imported is among them, and what is looked for by its name. */
export function stringsOf(sources: Sources): ReadonlySet<string> {
  return new Set([...sources].flatMap(([file, text]) => stringsIn(file, text)));
}

/** Whether the package, or a file of it, is named. */
export function isNamed(name: string, strings: ReadonlySet<string>): boolean {
  return [...strings].some((one) => one === name || one.startsWith(`${name}/`));
}

/** The tests, and what configures the tools. */
export function testSources(): Sources {
  const root = packageRoot();
  const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join('test', file));
  return new Map([...tests, 'eslint.config.js'].map((file) => [file, readFileSync(join(root, file), 'utf8')]));
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(join(packageRoot(), file), 'utf8'));
}
