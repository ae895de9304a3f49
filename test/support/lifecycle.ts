import { Readable } from 'node:stream';
import type { BatchFile } from '../../src/domain/run.js';
import type { SyncHarness } from './sync.js';

/** The code that a promise is rejected with; undefined when it is not. */
export async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'no code';
  }
}

/** A text in the harness's store, as a file of a batch. */
export async function store(harness: SyncHarness, name: string, text: string): Promise<BatchFile> {
  const stored = await harness.context.store.put(Readable.from([Buffer.from(text)]), 1e9);
  return { name, ...stored, originalFilename: `${name}.json`, source: 'test' };
}
