type Work = () => Promise<void>;

/**
 * Does one thing after the other, in the order in which they came. When more than `limit` wait, the oldest is given up:
 * the latest news is worth most.
 */
export class Lane {
  readonly #limit: number;
  readonly #waiting: { readonly work: Work; readonly onDropped: () => void }[] = [];
  #draining: Promise<void> | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @param work never fails; it deals with its errors itself */
  push(work: Work, onDropped: () => void): void {
    if (this.#waiting.length >= this.#limit) this.#waiting.shift()?.onDropped();
    this.#waiting.push({ work, onDropped });
    this.#draining ??= this.#drain();
  }

  /** Resolves when nothing is waiting or under way. */
  async idle(): Promise<void> {
    while (this.#draining !== undefined) await this.#draining;
  }

  async #drain(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) await next.work();
    this.#draining = undefined;
  }
}
