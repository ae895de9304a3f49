import { constants } from 'node:fs';
import { access, mkdir, statfs } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Config } from '../../config/config.js';
import { Quarantine } from '../../intake/quarantine.js';
import { messageOf } from '../../lib/errors.js';
import { bad, good, type Finding } from './finding.js';

const ENOUGH_MIB = 1024;

/** Folders that the daemon works in: there, usable, with room; and nothing set aside that nobody looked at. */
export async function checkDirectories(config: Config): Promise<Finding[]> {
  const own = await checkFolder('data directory', config.dataDir, true);
  const drops = Object.entries(config.feeds).map(async ([name, { dropDirectory }]) =>
    // A place that was named may be a mount that is missing: made here, it would look empty for ever.
    checkFolder(`drop of ${name}`, dropDirectory, dropDirectory.startsWith(join(config.dataDir, sep))),
  );
  return [own, ...(await Promise.all(drops)), await checkQuarantine(config)];
}

async function checkFolder(check: string, folder: string, isOurs: boolean): Promise<Finding> {
  try {
    if (isOurs) await mkdir(folder, { recursive: true });
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(folder);
    const freeMib = Math.floor((bavail * bsize) / 1024 ** 2);
    if (freeMib >= ENOUGH_MIB) return good(check, `${folder}: ${freeMib} MiB free`);
    return bad(check, `${folder}: only ${freeMib} MiB free. A batch needs several times its size.`);
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const mend = isMissing
      ? 'Make it, or mount what should be there, or correct dropDirectory.'
      : 'Make it readable, writable and searchable for this user.';
    return bad(check, `${folder}: ${messageOf(error)}. ${mend}`);
  }
}

async function checkQuarantine({ dataDir }: Config): Promise<Finding> {
  const folder = join(dataDir, 'quarantine');
  const quarantine = new Quarantine(folder, { now: () => new Date(), newId: () => '' });
  const held = await quarantine.list().catch(() => []);
  if (held.length === 0) return good('quarantine', 'empty');
  const newest = held.reduce((one, other) => (one.quarantinedAt > other.quarantinedAt ? one : other));
  const what = held.length === 1 ? '1 file was' : `${held.length} files were`;
  return bad(
    'quarantine',
    `${what} set aside in ${folder}, the last one (${newest.originalFilename}) for ${newest.reason}. See why, send it again if need be, then delete it (docs/errors.md#quarantine).`,
  );
}
