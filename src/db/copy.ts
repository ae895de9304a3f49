import { once } from 'node:events';
import { from as copyFrom, type CopyStreamQuery } from 'pg-copy-streams';
import type { Connection } from './database.js';

/**
 * A `COPY … FROM STDIN` under way: `write` waits when Postgres is slower than the source, `end` tells how many rows the
 * database took.
 */
export class CopyInto {
  readonly #stream: CopyStreamQuery;
  #failure: Error | undefined;

  constructor(connection: Connection, statement: string) {
    this.#stream = connection.client.query(copyFrom(statement));
    this.#stream.on('error', (error) => (this.#failure ??= error));
  }

  async write(rows: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#stream.write(rows)) await once(this.#stream, 'drain');
  }

  /** @returns rows that are now in the table (visible at commit). */
  async end(): Promise<number> {
    if (this.#failure !== undefined) throw this.#failure;
    const finished = once(this.#stream, 'finish');
    this.#stream.end();
    await finished;
    return this.#stream.rowCount;
  }

  /** Gives up: the rows copied so far vanish with the transaction. */
  destroy(error: Error): void {
    this.#stream.destroy(error);
  }
}
