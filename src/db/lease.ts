import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { UserSyncError } from '../lib/errors.js';
import type { QueryResultRow } from 'pg';
import type { Connection, Database, Executor } from './database.js';
import type { StageTable } from './queries.js';

/**
 * What a lease is about: `lease` is the right to run a feed's runs, `duty` to take its files in, start its runs and
 * raise its alarms. Each has columns of its own in sync.feed.
 */
export type LeaseKind = 'lease' | 'duty';

/**
 * First key of the advisory locks that fence feeds: shared by those who write under a lease, exclusive for who takes one.
 * Unlike a lock on the feed's row, it is not in the way of the heartbeat.
 */
const FENCES: Readonly<Record<LeaseKind, number>> = { lease: 5_231_987, duty: 5_231_988 };

/**
 * The leases that this process holds, by database, kind and feed. One that it could not release, as the database was away,
 * is not among them and is taken again at once; one that it holds is not taken from itself.
 */
const heldHere = new WeakMap<Database, Set<string>>();

function heldOn(database: Database): Set<string> {
  const known = heldHere.get(database) ?? new Set();
  heldHere.set(database, known);
  return known;
}

function keyOf(kind: LeaseKind, feedId: number, holder: string): string {
  return `${kind} ${feedId} ${holder}`;
}

/** This process no longer holds the feed: another one took over. Nothing more may be written. */
export class LeaseLostError extends UserSyncError {
  constructor(feed: string) {
    super(
      'lease-lost',
      `Another process took over feed "${feed}" because this one had been silent for too long. It goes on with the run.`,
    );
  }
}

/**
 * The right of one process to run a feed. The token grows with every owner; `assertHeld` compares it inside the
 * transaction that is to write, and holds it until the commit, so that a process which overslept cannot write after its
 * successor began.
 */
export class Lease {
  readonly #database: Database;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #loss = new AbortController();

  private constructor(
    database: Database,
    readonly kind: LeaseKind,
    readonly feed: string,
    readonly feedId: number,
    readonly token: number,
    private readonly holder: string,
    leaseMs: number,
  ) {
    this.#database = database;
    let isRenewing = false;
    this.#heartbeat = setInterval(() => {
      if (isRenewing) return;
      isRenewing = true;
      void this.renew(leaseMs).finally(() => (isRenewing = false));
    }, leaseMs / 4);
    this.#heartbeat.unref();
  }

  /** Aborted when it is noticed that another process took over. A late notice is no harm: the token decides. */
  get lost(): AbortSignal {
    return this.#loss.signal;
  }

  /**
   * @param leaseMs how long this process may be silent before another may take over
   * @returns undefined while another process holds the feed.
   */
  static async acquire(
    database: Database,
    feed: { id: number; name: string },
    holder: string,
    leaseMs: number,
    kind: LeaseKind = 'lease',
  ): Promise<Lease | undefined> {
    const here = heldOn(database);
    const key = keyOf(kind, feed.id, holder);
    if (here.has(key)) return undefined;
    here.add(key);
    try {
      const token = await takeToken(database, feed.id, holder, leaseMs, kind);
      if (token !== undefined) return new Lease(database, kind, feed.name, feed.id, token, holder, leaseMs);
    } catch (error) {
      here.delete(key);
      throw error;
    }
    here.delete(key);
    return undefined;
  }

  /** To be called in the transaction that writes. */
  async assertHeld(connection: Connection): Promise<void> {
    await connection.query('select pg_advisory_xact_lock_shared($1, $2)', [FENCES[this.kind], this.feedId]);
    const held = await connection.query(`select 1 from sync.feed where id = $1 and ${this.kind}_token = $2`, [
      this.feedId,
      this.token,
    ]);
    if (held.length > 0) return;
    const error = new LeaseLostError(this.feed);
    this.#loss.abort(error);
    throw error;
  }

  /** A transaction that only the holder can commit, when it is its turn (`Database.inTurn`). */
  transaction<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#database.inTurn(() => this.fenced(work));
  }

  /** The same for who has a turn already. */
  fenced<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#database.transaction(async (connection) => {
      await this.assertHeld(connection);
      return work(connection);
    });
  }

  /** Runs each query in a transaction that only the holder can commit. */
  get executor(): Executor {
    return {
      rows: <Row extends QueryResultRow>(name: string, params?: readonly unknown[], stage?: StageTable) =>
        this.transaction((connection) => connection.rows<Row>(name, params, stage)),
      query: <Row extends QueryResultRow>(text: string, params?: readonly unknown[]) =>
        this.transaction((connection) => connection.query<Row>(text, params)),
      run: (name, params, stage) => this.transaction((connection) => connection.run(name, params, stage)),
    };
  }

  /** Tells the others that this process is alive. A missed beat is no harm: the token decides. */
  async renew(leaseMs: number): Promise<void> {
    const renewed = await this.#database
      .query(
        `update sync.feed set ${this.kind}_expires_at = clock_timestamp() + $3::integer * interval '1 millisecond'
         where id = $1 and ${this.kind}_token = $2 returning id`,
        [this.feedId, this.token, leaseMs],
      )
      .catch(() => undefined);
    if (renewed?.length === 0) this.#loss.abort(new LeaseLostError(this.feed));
  }

  async release(): Promise<void> {
    clearInterval(this.#heartbeat);
    heldOn(this.#database).delete(keyOf(this.kind, this.feedId, this.holder));
    await this.#database
      .query(
        `update sync.feed set ${this.kind}_holder = null, ${this.kind}_expires_at = null
         where id = $1 and ${this.kind}_token = $2`,
        [this.feedId, this.token],
      )
      // Not released means expired a little later.
      .catch(() => undefined);
  }
}

/** @returns undefined while another process, which may be alive, holds the feed */
async function takeToken(
  database: Database,
  feedId: number,
  holder: string,
  leaseMs: number,
  kind: LeaseKind,
): Promise<number | undefined> {
  while (!(await isFree(database, feedId, holder, kind))) {
    if (!(await forgetDeadHolder(database, feedId, kind))) return undefined;
  }
  return database.transaction(async (connection) => {
    // Waits for what the former owner is still writing.
    await connection.query('select pg_advisory_xact_lock($1, $2)', [FENCES[kind], feedId]);
    const [row] = await connection.query<{ token: number }>(
      `update sync.feed
       set ${kind}_holder = $2, ${kind}_token = ${kind}_token + 1,
           ${kind}_expires_at = clock_timestamp() + $3::integer * interval '1 millisecond'
       where id = $1 and (${kind}_holder is null or ${kind}_holder = $2 or ${kind}_expires_at < clock_timestamp())
       returning ${kind}_token as token`,
      [feedId, holder, leaseMs],
    );
    return row?.token;
  });
}

/** What this very process holds is left from an attempt that could not release it. */
async function isFree(database: Database, feedId: number, holder: string, kind: LeaseKind): Promise<boolean> {
  const free = await database.query(
    `select from sync.feed
     where id = $1 and (${kind}_holder is null or ${kind}_holder = $2 or ${kind}_expires_at < clock_timestamp())`,
    [feedId, holder],
  );
  return free.length > 0;
}

/** Names this process in leases: `machine:process:unique`. */
export function leaseHolder(): string {
  return `${hostname()}:${process.pid}:${randomUUID()}`;
}

/**
 * A process of this machine that is gone need not be waited for. Should it be alive after all, somewhere that calls itself
 * by the same name, its token stops it.
 */
async function forgetDeadHolder(database: Database, feedId: number, kind: LeaseKind): Promise<boolean> {
  const [row] = await database.query<{ holder: string | null }>(
    `select ${kind}_holder as holder from sync.feed where id = $1`,
    [feedId],
  );
  // Released in between.
  if (row?.holder == null) return row !== undefined;
  const [machine, pid] = row.holder.split(':');
  if (machine !== hostname() || pid === undefined || isAlive(Number(pid))) return false;
  await database.query(`update sync.feed set ${kind}_holder = null where id = $1 and ${kind}_holder = $2`, [
    feedId,
    row.holder,
  ]);
  return true;
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process may not be signalled, but is there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
