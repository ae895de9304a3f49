/** What the benchmark has started or made, and must not leave behind: daemons, the server, databases, folders. */
export class Belongings {
  readonly #releasers: (() => Promise<void>)[] = [];

  /** @returns releases it before the others, if it is not gone yet. */
  keep(release: () => Promise<void>): () => Promise<void> {
    this.#releasers.push(release);
    return async () => {
      const index = this.#releasers.indexOf(release);
      if (index < 0) return;
      this.#releasers.splice(index, 1);
      await release();
    };
  }

  /** The last first. What cannot be released is told, and keeps nothing else from being released. */
  async releaseAll(): Promise<void> {
    for (let release = this.#releasers.pop(); release !== undefined; release = this.#releasers.pop()) {
      await release().catch((error: unknown) => {
        console.error('Cleaning up failed:', error);
      });
    }
  }
}
