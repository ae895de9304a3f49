import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import { packageRoot } from '../../src/lib/package-root.js';
import { peakMemoryMib } from './process-gauges.js';
import { PASSWORD } from '../support/http-site.js';

/**
 * How the web page and the status answer while a large batch passes: `npm run bench:http -- 1000000`. The real program on
 * its embedded Postgres; several clients ask without a pause, first of a daemon that idles, then of one that works. The
 * ratio of the two is what stays true on another machine.
 */

const USERS = Number(process.argv[2] ?? 1_000_000);
const CLIENTS = 8;
const IDLE_MS = 8000;
/** Two clients ask for the page in one of so many turns. */
const PAGE_TURNS = 8;

interface Asked {
  readonly times: number[];
  failures: number;
  seconds: number;
}

const folder = await mkdtemp(join(tmpdir(), 'user-sync-bench-'));
await chmod(folder, 0o755);
try {
  await prepare();
  const serve = spawn(process.execPath, [join(packageRoot(), 'dist/src/main.js'), 'serve'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lines = createInterface({ input: serve.stderr });
  let origin: string | undefined;
  let phase = '';
  lines.on('line', (line) => {
    const { message = '', origin: found } = JSON.parse(line) as { message?: string; origin?: string };
    origin ??= found;
    if (/^The run is /.test(message)) phase = message;
  });
  while (origin === undefined) await delay(50);
  const cookie = await signIn(origin);
  await delay(3000);
  const paths = ['/status', '/'];
  const idleStart = performance.now();
  const idle = await askInTurns(origin, cookie, paths, () => performance.now() - idleStart < IDLE_MS);
  const before = await peakMemoryMib(serve.pid ?? 0);
  await rename(join(folder, 'users.json'), join(folder, 'var', 'drop', 'default', 'users.json'));
  while (!/applying/.test(phase)) await delay(100);
  const started = performance.now();
  const busy = await askInTurns(origin, cookie, paths, () => !/complete/.test(phase));
  const seconds = (performance.now() - started) / 1000;
  console.log(`${USERS} users, ${CLIENTS} clients; applying took ${seconds.toFixed(1)} s while they asked`);
  console.log('path       idle/s  p50 ms  p99 ms | busy/s  p50 ms  p99 ms  failed');
  for (const path of paths)
    console.log(
      `${path.padEnd(9)}${row(idle.get(path))} |${row(busy.get(path))}${String(busy.get(path)?.failures).padStart(8)}`,
    );
  console.log(
    `peak memory of the process: ${await peakMemoryMib(serve.pid ?? 0)} MiB (${before} MiB before the batch)`,
  );
  serve.kill('SIGTERM');
  await once(serve, 'exit');
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function prepare(): Promise<void> {
  const control = join(packageRoot(), 'config', 'examples', 'control.json');
  const feed = { control, guards: 'off', settleMs: 0, scanIntervalMs: 200 };
  await writeFile(
    join(folder, 'user-sync.yaml'),
    stringify({ http: { port: 0 }, log: { format: 'json' }, feeds: { default: feed } }),
  );
  await mkdir(join(folder, 'var', 'drop', 'default'), { recursive: true });
  const file = createWriteStream(join(folder, 'users.json'));
  file.write('[');
  for (let index = 0; index < USERS; index++) {
    const text = JSON.stringify({
      USERNAME: `user${index}`,
      FIRST_NAME: `First${index % 997}`,
      LAST_NAME: `Last${index % 9973}`,
      EMAIL: `user${index}@example.org`,
      ROLE: index % 3 === 0 ? 'staff' : 'student',
    });
    if (!file.write(`${index === 0 ? '' : ',\n'}${text}`)) await once(file, 'drain');
  }
  file.end(']');
  await once(file, 'close');
}

async function signIn(at: string): Promise<string> {
  const add = spawn(process.execPath, [join(packageRoot(), 'dist/src/main.js'), 'admins', 'add', 'bench'], {
    cwd: folder,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  add.stdin.end(`${PASSWORD}\n`);
  await once(add, 'exit');
  const body = new URLSearchParams({ name: 'bench', password: PASSWORD });
  const response = await fetch(new URL('/sign-in', at), { method: 'POST', body, redirect: 'manual' });
  return response.headers
    .getSetCookie()
    .map((line) => line.split(';')[0] ?? '')
    .join('; ');
}

/** All clients ask for one path after the other, so that each path meets the same moments. */
async function askInTurns(
  at: string,
  cookie: string,
  paths: readonly string[],
  goesOn: () => boolean,
): Promise<Map<string, Asked>> {
  const asked = new Map(paths.map((path) => [path, { times: [] as number[], failures: 0, seconds: 0 }]));
  const client = async (index: number): Promise<void> => {
    for (let turn = 0; goesOn(); turn++) {
      const path = paths[turn % paths.length] ?? '/';
      // Pages are limited for each address: a few clients ask for them at the rate that people could.
      if (path === '/' && (index > 1 || turn % PAGE_TURNS !== 1)) continue;
      const result = asked.get(path);
      const begun = performance.now();
      const isGood = await fetch(new URL(path, at), { headers: { cookie }, redirect: 'manual' }).then(
        async (response) => (await response.text()).length > 0 && response.status === 200,
        () => false,
      );
      if (result === undefined) continue;
      result.times.push(performance.now() - begun);
      if (!isGood) result.failures += 1;
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(index)));
  for (const one of asked.values()) one.seconds = (performance.now() - begun) / 1000;
  return asked;
}

function row(asked: Asked | undefined): string {
  const times = (asked?.times ?? []).toSorted((a, b) => a - b);
  const at = (share: number): string => (times[Math.floor(times.length * share)] ?? 0).toFixed(1).padStart(8);
  return `${(times.length / (asked?.seconds ?? 1)).toFixed(0).padStart(8)}${at(0.5)}${at(0.99)}`;
}
