/**
 * The bytes of a file such that waiting for more of them can end at any time: when the signal aborts, or when the
 * consumer closes it. Either way the source is closed, once.
 */
export class Interruptible implements AsyncIterableIterator<Uint8Array> {
  private readonly source: AsyncIterator<Uint8Array>;
  private interrupt: (() => void) | undefined;
  private closed = false;

  constructor(
    bytes: AsyncIterable<Uint8Array>,
    private readonly signal: AbortSignal,
  ) {
    this.source = bytes[Symbol.asyncIterator]();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws the signal's reason */
  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.signal.aborted) {
      await this.return();
      throw this.signal.reason;
    }
    if (this.closed) return { done: true, value: undefined };
    const result = await this.untilInterrupted(this.source.next());
    if (result?.done === true) this.closed = true;
    return result === undefined || result.done === true ? { done: true, value: undefined } : result;
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    if (!this.closed) {
      this.closed = true;
      const waiting = this.interrupt !== undefined;
      this.interrupt?.();
      const closing = this.source.return?.();
      // A source that is busy with its next piece closes after it, which may take for ever: nobody waits for that.
      if (waiting) closing?.catch(() => undefined);
      else await closing;
    }
    return { done: true, value: undefined };
  }

  /** One promise a call: racing against one promise that lives as long as the file would keep every piece alive. */
  private untilInterrupted<T>(pending: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        reject(this.signal.reason as Error);
        void this.return();
      };
      const settle = (): void => {
        this.interrupt = undefined;
        this.signal.removeEventListener('abort', onAbort);
      };
      this.interrupt = () => {
        settle();
        resolve(undefined);
      };
      this.signal.addEventListener('abort', onAbort, { once: true });
      pending.then(
        (value) => {
          settle();
          resolve(value);
        },
        (error: Error) => {
          this.closed = true;
          settle();
          reject(error);
        },
      );
    });
  }
}
