import { readFile, writeFile } from 'node:fs/promises';

/** Makes the peak of a process begin anew; does nothing where the system cannot. */
export async function resetPeakMemory(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5').catch(() => undefined);
}

/** @returns null where the system does not tell. */
export async function peakMemoryMib(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kib = /^VmHWM:\s+(\d+)/m.exec(status)?.[1];
  return kib === undefined ? null : Math.round(Number(kib) / 1024);
}

/**
 * The 99th percentile of the delay of a daemon's event loop since somebody last asked: prom-client forgets with each
 * answer what was before.
 */
export async function loopDelayMs(origin: string): Promise<number | null> {
  const response = await fetch(new URL('/metrics', origin));
  const seconds = /^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(await response.text())?.[1];
  return seconds === undefined ? null : Math.round(Number(seconds) * 10_000) / 10;
}
