/**
 * Does `work` for at most `timeoutMs`, and no longer than `signal` allows. The signal that `work` gets tells it to stop;
 * the caller goes on at once, also when `work` does not heed it.
 *
 * @throws what `timedOut` makes, the reason of `signal`, or what `work` throws
 */
export async function within<T>(
  timeoutMs: number,
  signal: AbortSignal,
  timedOut: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  // Not AbortSignal.any and AbortSignal.timeout: what they make may be collected as garbage before it fires.
  const controller = new AbortController();
  const stop = (): void => controller.abort(signal.reason);
  const timer = setTimeout(() => controller.abort(timedOut()), timeoutMs);
  signal.addEventListener('abort', stop, { once: true });
  const stopped = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason as Error), { once: true });
  });
  try {
    return await Promise.race([work(controller.signal), stopped]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
