import pLimit from 'p-limit';
import { Worker } from 'node:worker_threads';
import { UserSyncError } from '../lib/errors.js';
import type { PluginModule } from '../plugins/resolve-plugins.js';
import type { ReadLimits } from '../readers/reader.js';
import type { SyncContext } from './context.js';
import type { Sample } from './explain.js';

/** One value of a mapped record, and the instruction that set it. */
export interface SampleValue {
  readonly name: string;
  readonly value: string;
  readonly qualifier?: string;
  /** Stands for no value. */
  readonly isAbsent: boolean;
  /** JSON pointer into the control file. */
  readonly pointer?: string;
  readonly source?: string;
}

export interface MappedSample {
  readonly record: number;
  readonly line: number;
  readonly username: string | null;
  readonly accepted: boolean;
  readonly values: readonly SampleValue[];
  /** How many values more there are than are listed. */
  readonly more: number;
  readonly errors: readonly { readonly code: string; readonly source?: string; readonly message: string }[];
}

/** What the thread is given. */
export interface SampleJob {
  readonly model: string;
  readonly plugins: readonly PluginModule[];
  readonly limits: ReadLimits;
  readonly sample: Sample;
  /** Most values of a record. */
  readonly mostValues: number;
}

/** What the thread says, once. */
export type SampleAnswer =
  | { readonly kind: 'mapped'; readonly records: readonly MappedSample[] }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly isUsage: boolean };

export interface SampleBounds {
  readonly mostValues: number;
  readonly timeoutMs: number;
  /** Of the thread's heap. */
  readonly memoryMb: number;
}

const SAMPLE_BOUNDS: SampleBounds = { mostValues: 300, timeoutMs: 10_000, memoryMb: 192 };

/** One after the other: runs need the machine more than those who try something out. */
const queue = pLimit(1);

/**
 * What a control file makes of a sample, in a thread of its own. Both come from whoever asks, and a long list in a short
 * record times many instructions in a loop is more work than a request may cost everybody else.
 *
 * @throws UserSyncError `sample-too-much` when it takes too long or too much memory; what `explainSample` throws
 */
export function mapSample(
  { model, plugins, limits }: Pick<SyncContext, 'model' | 'plugins' | 'limits'>,
  sample: Sample,
  { mostValues, timeoutMs, memoryMb }: SampleBounds = SAMPLE_BOUNDS,
): Promise<readonly MappedSample[]> {
  const job: SampleJob = { model: model.source, plugins: plugins.modules, limits, sample, mostValues };
  return queue(async () => {
    const worker = new Worker(new URL('./sample-worker.js', import.meta.url), {
      workerData: job,
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    });
    try {
      const answer = await answerOf(worker, timeoutMs);
      if (answer.kind === 'mapped') return answer.records;
      throw new UserSyncError(answer.code, answer.message, { kind: answer.isUsage ? 'usage' : 'failed' });
    } finally {
      await worker.terminate();
    }
  });
}

function answerOf(worker: Worker, timeoutMs: number): Promise<SampleAnswer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(tooMuch()), timeoutMs);
    const settled = (): void => clearTimeout(timer);
    worker.once('message', (answer: SampleAnswer) => {
      settled();
      resolve(answer);
    });
    worker.once('error', (error: NodeJS.ErrnoException) => {
      settled();
      reject(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooMuch() : error);
    });
    worker.once('exit', () => {
      settled();
      reject(new UserSyncError('internal', 'The thread that maps the sample ended early.'));
    });
  });
}

function tooMuch(): UserSyncError {
  return new UserSyncError(
    'sample-too-much',
    'Mapping this sample takes too long or too much memory. Try fewer records, or shorter lists in them.',
    { kind: 'usage' },
  );
}
