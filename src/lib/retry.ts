import { setTimeout as delay } from 'node:timers/promises';

export interface RetryOptions {
  /** Tries in all. */
  attempts: number;
  /** Upper bound of the first pause; it doubles with every try. */
  baseMs: number;
  maxMs: number;
  isRetryable: (error: unknown) => boolean;
  /** Told before each pause. */
  onRetry?: (error: unknown, attempt: number) => void;
  /** In [0, 1): spreads the pauses, so that many do not come back at once. */
  random?: () => number;
  signal?: AbortSignal;
}

/** Runs `work` until it succeeds, fails with an error that will not pass, or has used up its attempts. */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const random = options.random ?? Math.random;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= options.attempts || options.signal?.aborted === true || !options.isRetryable(error)) throw error;
      options.onRetry?.(error, attempt);
      const pauseMs = Math.min(options.maxMs, options.baseMs * 2 ** (attempt - 1)) * (0.5 + random() / 2);
      await delay(pauseMs, undefined, options.signal === undefined ? {} : { signal: options.signal });
    }
  }
}
