/** An answer that many ask for: found out once for all who ask at the same time, and kept for a moment. */
export class Remembered<T> {
  readonly #find: () => Promise<T>;
  readonly #keepMs: number;
  #answer: Promise<T> | undefined;
  #foundAt = 0;

  constructor(find: () => Promise<T>, keepMs: number) {
    this.#find = find;
    this.#keepMs = keepMs;
  }

  get(): Promise<T> {
    if (this.#answer !== undefined && performance.now() - this.#foundAt < this.#keepMs) return this.#answer;
    const answer = this.#find();
    this.#answer = answer;
    // While it is being found out, everybody waits for the same.
    this.#foundAt = Infinity;
    answer.then(
      () => (this.#foundAt = performance.now()),
      () => (this.#answer = undefined),
    );
    return answer;
  }
}
