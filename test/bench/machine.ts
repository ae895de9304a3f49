import { execFile } from 'node:child_process';
import { cpus, platform, release, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/lib/package-root.js';
import type { BenchServer } from './server.js';

export interface Machine {
  readonly cpus: number;
  readonly cpu: string;
  readonly memoryMib: number;
  readonly system: string;
  readonly node: string;
  readonly postgres: string;
  /** Null outside a checkout. */
  readonly commit: string | null;
}

/** What the absolute times of a benchmark depend on. */
export async function describeMachine(server: BenchServer): Promise<Machine> {
  const [version] = await server.query<{ server_version: string }>('show server_version');
  const commit = await promisify(execFile)('git', ['rev-parse', 'HEAD'], { cwd: packageRoot() }).then(
    ({ stdout }) => stdout.trim(),
    () => null,
  );
  return {
    cpus: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryMib: Math.round(totalmem() / 1024 ** 2),
    system: `${platform()} ${release()}`,
    node: process.version,
    postgres: version?.server_version ?? 'unknown',
    commit,
  };
}
