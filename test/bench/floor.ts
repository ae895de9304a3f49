import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { CopyInto } from '../../src/db/copy.js';
import { Database, type Connection } from '../../src/db/database.js';
import { Queries } from '../../src/db/queries.js';
import { packageRoot } from '../../src/lib/package-root.js';
import type { Model } from '../../src/model/model.js';
import { modelDigest } from '../../src/sync/install-model.js';

const PIECE_BYTES = 1024 * 1024;

interface Found {
  readonly records: number;
  readonly added: number;
  readonly differing: number;
  readonly still_there: number;
  readonly in_feed: number;
}

/**
 * The floor: rows that somebody else has read and mapped go through `COPY` and then through the statements of floor.sql,
 * on one connection and in one transaction. It checks nothing, guards nothing, and cannot go on where it was interrupted;
 * whatever does those things as well can hardly be faster than this on one connection.
 */
export class Floor {
  readonly #url: string;
  readonly #model: Model;
  readonly #queries = Queries.load(join(packageRoot(), 'test', 'bench'));
  #feedId = 0;
  #controlId = 0;

  constructor(url: string, model: Model) {
    this.#url = url;
    this.#model = model;
  }

  /** Makes the feed, as the product does at its start. */
  async prepare(controlText: string): Promise<void> {
    await this.#connected(async (connection) => {
      const [feed] = await connection.query<{ id: number }>(
        `insert into sync.feed (name) values ('default') returning id`,
      );
      const [control] = await connection.query<{ id: number }>(
        `insert into sync.control_file (feed_id, digest, content, source) values ($1, 'floor', $2, 'floor') returning id`,
        [feed?.id, controlText],
      );
      this.#feedId = feed?.id ?? 0;
      this.#controlId = control?.id ?? 0;
    });
  }

  /**
   * @param rowsFile from `writePreparedRows`
   * @returns seconds from the first statement until everything is committed
   */
  async takeIn(rowsFile: string): Promise<number> {
    return this.#connected(async (connection) => {
      const started = performance.now();
      await connection.client.query('begin');
      await this.#sync(connection, rowsFile);
      await connection.client.query('commit');
      return (performance.now() - started) / 1000;
    });
  }

  async #sync(connection: Connection, rowsFile: string): Promise<void> {
    await connection.run('floor/make-stage');
    const copy = new CopyInto(connection, this.#queries.text('floor/copy-stage'));
    for await (const piece of createReadStream(rowsFile, { highWaterMark: PIECE_BYTES })) {
      await copy.write(piece as Uint8Array);
    }
    await copy.end();
    await connection.run('floor/analyze-stage');
    const [found] = await connection.rows<Found & Record<string, number>>('floor/classify');
    if (found === undefined) throw new Error('floor/classify returned nothing');
    const [run] = await connection.rows<{ id: number }>('floor/begin-run', [
      this.#controlId,
      modelDigest(this.#model),
      JSON.stringify(found),
    ]);
    const runId = run?.id ?? 0;
    const gone = found.in_feed - found.still_there;
    if (found.added > 0) await this.#add(connection, runId);
    if (found.differing > 0) await this.#change(connection, runId);
    if (gone > 0) await this.#block(connection, runId, found.records);
    if (found.added + found.differing + gone > 0) {
      await connection.run('floor/note-chunk', [runId, found.records + gone - 1]);
    }
    await connection.run('floor/drop-stage');
  }

  async #add(connection: Connection, runId: number): Promise<void> {
    await connection.run('floor/find-added');
    await connection.run('floor/analyze-added');
    await connection.run('floor/add-profiles');
    await connection.run('floor/add-accounts');
    await connection.run('floor/add-memberships');
    await connection.run('floor/add-state', [runId, this.#feedId]);
    await connection.run('floor/log-added', [runId]);
    await connection.run('floor/keep-received-of-added', [runId, this.#feedId]);
  }

  async #change(connection: Connection, runId: number): Promise<void> {
    await connection.run('floor/find-changed');
    await connection.run('floor/analyze-changed');
    await connection.run('floor/make-difference');
    await connection.run('floor/analyze-difference');
    await connection.run('floor/log-changed', [runId]);
    await connection.run('floor/change-accounts');
    await connection.run('floor/change-profiles');
    await connection.run('floor/end-memberships');
    await connection.run('floor/begin-memberships');
    await connection.run('floor/change-state', [runId]);
    await connection.run('floor/keep-received-of-changed', [runId]);
  }

  async #block(connection: Connection, runId: number, firstOrdinal: number): Promise<void> {
    await connection.run('floor/find-gone');
    await connection.run('floor/log-gone', [runId, firstOrdinal]);
    await connection.run('floor/block-accounts');
    await connection.run('floor/block-profiles');
    await connection.run('floor/block-state', [runId]);
  }

  /** A connection of its own for each batch, as a script has. */
  async #connected<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const database = new Database({ url: this.#url, poolSize: 1 }, this.#queries);
    try {
      return await database.withConnection(work);
    } finally {
      await database.close();
    }
  }
}
