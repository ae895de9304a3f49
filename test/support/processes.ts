import { execFileSync } from 'node:child_process';

/** A process and those that it started. */
export function familyOf(root: number): number[] {
  const children = execFileSync('ps', ['-eo', 'pid,ppid'], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === root);
  return [root, ...children.map(([pid]) => pid!)];
}

/** Parents first, so that one that is stopped starts no other. */
export function signalAll(pids: readonly number[], name: 'SIGSTOP' | 'SIGCONT'): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It ended meanwhile.
    }
  }
}
