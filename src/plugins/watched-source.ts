/**
 * Something to read that is handed to a plugin: keeps what went wrong in it, so that a plugin that catches it, or wraps it
 * in an error of its own, neither hides nor gets the blame. Only its owner closes it.
 */
export class WatchedSource<T> implements AsyncIterable<T> {
  /** Wrapped, as anything may be thrown. */
  failure: { readonly error: unknown } | undefined;
  /** Whether the end was reached. */
  ended = false;
  private readonly source: AsyncIterator<T>;

  constructor(source: AsyncIterable<T>) {
    this.source = source[Symbol.asyncIterator]();
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return { next: () => this.next(), return: async () => ({ done: true, value: undefined }) };
  }

  /** Reads on to the end, whatever is there. @throws what reading throws, or has thrown */
  async drain(): Promise<void> {
    if (this.failure !== undefined) throw this.failure.error;
    while (!this.ended) await this.next();
  }

  async close(): Promise<void> {
    await this.source.return?.();
  }

  private async next(): Promise<IteratorResult<T, undefined>> {
    try {
      const result = await this.source.next();
      if (result.done === true) {
        this.ended = true;
        return { done: true, value: undefined };
      }
      return result;
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }
}
