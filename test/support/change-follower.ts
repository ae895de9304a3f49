import { expect } from 'chai';
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../../src/db/database.js';

const PAGE = 7;
const PAUSE_MS = 20;

/** An application that follows the change log all the time, and remembers only how far it has come. */
export class ChangeFollower implements AsyncDisposable {
  readonly #seen: number[] = [];
  readonly #database: Database;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #reading: Promise<unknown> = Promise.resolve();

  constructor(database: Database) {
    this.#database = database;
    this.#done = this.#follow();
  }

  /** It has heard of every change once, in order. */
  async expectComplete(): Promise<void> {
    while ((await this.#read()) > 0);
    const all = await this.#database.query<{ id: number }>('select id from directory.changes order by id');
    expect(this.#seen, 'what a follower heard of').to.deep.equal(all.map(({ id }) => id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#read();
      await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** One page at a time. */
  async #read(): Promise<number> {
    const page = this.#reading.then(async () => {
      const last = this.#seen.at(-1) ?? 0;
      const changes = await this.#database.query<{ id: number }>('select id from directory.changes_after($1, $2)', [
        last,
        PAGE,
      ]);
      this.#seen.push(...changes.map(({ id }) => id));
      return changes.length;
    });
    this.#reading = page.catch(() => undefined);
    return page;
  }
}
