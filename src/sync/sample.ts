import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import pLimit from 'p-limit';
import { UserSyncError } from '../lib/errors.js';
import type { PluginModule } from '../plugins/resolve-plugins.js';
import type { ReadLimits } from '../readers/reader.js';
import type { SyncContext } from './context.js';
import type { Sample } from './explain.js';
import type { PreviewTexts, PreviewedTexts } from './preview-texts.js';

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

/** What there is to do for the thread, by its kind. */
export type SampleWork =
  | { readonly kind: 'explain'; readonly sample: Sample; /** Of a record. */ readonly mostValues: number }
  | { readonly kind: 'preview'; readonly texts: PreviewTexts; /** For a record processor. */ readonly folder: string };

/** What becomes of it. */
export interface SampleResults {
  readonly explain: readonly MappedSample[];
  readonly preview: PreviewedTexts;
}

/** What the thread is given. */
export interface SampleJob {
  readonly model: string;
  readonly plugins: readonly PluginModule[];
  readonly limits: ReadLimits;
  readonly work: SampleWork;
  /** Of the result, as JSON. */
  readonly mostBytes: number;
}

/** What the thread says, once. */
export type SampleAnswer =
  | { readonly kind: 'mapped'; readonly json: string }
  | { readonly kind: 'too-much' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly isUsage: boolean };

export interface SampleBounds {
  readonly mostValues: number;
  readonly mostBytes: number;
  readonly timeoutMs: number;
  /** Of the thread's heap. */
  readonly memoryMb: number;
}

const SAMPLE_BOUNDS: SampleBounds = { mostValues: 300, mostBytes: 8_000_000, timeoutMs: 10_000, memoryMb: 192 };

type Surroundings = Pick<SyncContext, 'model' | 'plugins' | 'limits'>;

/** One after the other: runs need the machine more than those who try something out. */
const queue = pLimit(1);

/**
 * What a control file makes of a sample, value by value, in a thread of its own. Both come from whoever asks, and a long
 * list in a short record times many instructions in a loop is more work than a request may cost everybody else.
 *
 * @throws UserSyncError `sample-too-much` when it takes too long or too much memory; what `explainSample` throws
 */
export function mapSample(
  surroundings: Surroundings,
  sample: Sample,
  bounds: SampleBounds = SAMPLE_BOUNDS,
): Promise<readonly MappedSample[]> {
  return inThread(surroundings, { kind: 'explain', sample, mostValues: bounds.mostValues }, bounds);
}

/**
 * What `previewTexts` makes of files, in a thread of its own for the same reason.
 *
 * @throws UserSyncError `sample-too-much`; what `previewTexts` throws
 */
export async function previewSample(
  surroundings: Surroundings,
  texts: PreviewTexts,
  bounds: SampleBounds = SAMPLE_BOUNDS,
): Promise<PreviewedTexts> {
  // Made and removed here: a thread that takes too long is ended in the middle of its work.
  const folder = await mkdtemp(join(tmpdir(), 'user-sync-preview-'));
  try {
    return await inThread(surroundings, { kind: 'preview', texts, folder }, bounds);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function inThread<Kind extends keyof SampleResults>(
  { model, plugins, limits }: Surroundings,
  work: SampleWork & { readonly kind: Kind },
  { mostBytes, timeoutMs, memoryMb }: SampleBounds,
): Promise<SampleResults[Kind]> {
  const job: SampleJob = { model: model.source, plugins: plugins.modules, limits, work, mostBytes };
  return queue(async () => {
    const worker = new Worker(new URL('./sample-worker.js', import.meta.url), {
      workerData: job,
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    });
    try {
      const answer = await answerOf(worker, timeoutMs);
      if (answer.kind === 'mapped') return JSON.parse(answer.json) as SampleResults[Kind];
      if (answer.kind === 'too-much') throw tooMuch();
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
