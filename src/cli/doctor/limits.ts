import { readFile } from 'node:fs/promises';
import { bad, good, type Finding } from './finding.js';

const ENOUGH_WATCHES = 8192;
const ENOUGH_INSTANCES = 64;
const ENOUGH_FILES = 1024;

/** What the operating system allows. Scans find files also where the watcher cannot work. */
export async function checkLimits(): Promise<Finding[]> {
  const [watches, instances, files] = await Promise.all([
    inotify('max_user_watches', ENOUGH_WATCHES),
    inotify('max_user_instances', ENOUGH_INSTANCES),
    openFiles(),
  ]);
  return [watches, instances, files];
}

async function inotify(name: string, enough: number): Promise<Finding> {
  const check = name === 'max_user_watches' ? 'file watcher' : 'file watchers';
  const text = await readFile(`/proc/sys/fs/inotify/${name}`, 'utf8').catch(() => undefined);
  if (text === undefined) return good(check, 'no inotify on this system; scans find files');
  const allowed = Number(text);
  if (allowed >= enough) return good(check, `${name} is ${allowed}`);
  return bad(check, `${name} is only ${allowed}: sysctl fs.inotify.${name}=${enough}. Scans find files all the same.`);
}

async function openFiles(): Promise<Finding> {
  const check = 'open files';
  const text = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const soft = /^Max open files\s+(\S+)/m.exec(text)?.[1];
  if (soft === undefined || soft === 'unlimited') return good(check, 'no limit is known');
  const allowed = Number(soft);
  if (allowed >= ENOUGH_FILES) return good(check, `${allowed} allowed`);
  return bad(check, `only ${allowed} allowed: LimitNOFILE=${ENOUGH_FILES} in the unit, or ulimit -n.`);
}
