import type { RunPhase } from '../../src/domain/run.js';
import type { Batch } from './feed.js';
import type { Format } from './feed-file.js';
import type { Contestant } from './options.js';

/** One contestant's work on one batch. */
export interface Measurement {
  readonly round: number;
  readonly contestant: Contestant;
  readonly batch: Batch;
  readonly format: Format;
  readonly users: number;
  /** Of what goes row by row: of the sample, as if it had been all records. */
  readonly seconds: number;
  /** Records that were really worked on, where those are a sample. */
  readonly sample?: number;
  readonly phases?: Readonly<Record<RunPhase, number>>;
  readonly peakRssMib?: number | null;
  readonly eventLoopP99Ms?: number | null;
}

/** @returns undefined for none. */
export function median(values: readonly (number | null | undefined)[]): number | undefined {
  const sorted = values.filter((value) => value != null).sort((left, right) => left - right);
  const middle = sorted.length / 2;
  const [below, above] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return below === undefined || above === undefined ? undefined : (below + above) / 2;
}
