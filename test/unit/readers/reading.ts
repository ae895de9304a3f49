import { ReadError, type ReadItem, type ReadLimits, DEFAULT_LIMITS } from '../../../src/readers/reader.js';
import { type FileFormat, createReader } from '../../../src/readers/registry.js';

export interface Outcome {
  readonly items: readonly ReadItem[];
  readonly batches: number;
  readonly error: unknown;
}

/** Reads everything there is before the end or the error. */
export async function read(
  format: FileFormat | string,
  source: AsyncIterable<Uint8Array> | Uint8Array | string,
  limits: Partial<ReadLimits> = {},
): Promise<Outcome> {
  const reader = createReader(typeof format === 'string' ? { read: format } : format, { ...DEFAULT_LIMITS, ...limits });
  const bytes = typeof source === 'string' || source instanceof Uint8Array ? pieces(source, 1 << 20) : source;
  const items: ReadItem[] = [];
  let batches = 0;
  try {
    for await (const batch of reader(bytes, new AbortController().signal)) {
      items.push(...batch);
      batches++;
    }
    return { items, batches, error: undefined };
  } catch (error) {
    return { items, batches, error };
  }
}

/** The values of the records, for files that must have no other. */
export async function values(...args: Parameters<typeof read>): Promise<unknown[]> {
  const { items, error } = await read(...args);
  if (error !== undefined) throw error;
  return items.map((item) => (item.kind === 'record' ? { ...item.value } : item.error.code));
}

/** Each item in short: its value, or the code of its error. */
export function brief(items: readonly ReadItem[]): unknown[] {
  return items.map((item) => (item.kind === 'record' ? { ...item.value } : item.error.code));
}

export async function failureOf(...args: Parameters<typeof read>): Promise<ReadError> {
  const { error } = await read(...args);
  if (error instanceof ReadError) return error;
  throw new Error(`expected a ReadError, not ${String(error)}`);
}

export async function* pieces(source: Uint8Array | string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(source);
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

/** Cuts after as many bytes as the sizes say, again and again. */
export async function* cut(source: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (let i = 0; start < source.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    yield source.subarray(start, start + size);
    start += size;
  }
}
