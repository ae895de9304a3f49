import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { UserSyncError } from '../lib/errors.js';
import type { Connection, Database } from './database.js';

/** How long a process may be silent before another may take over its runs. */
export const LEASE_MS = 60_000;

/**
 * First key of the advisory locks that fence feeds: shared by those who write under a lease, exclusive for who takes one.
 * Unlike a lock on the feed's row, it is not in the way of the heartbeat.
 */
const FENCE = 5_231_987;

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

  private constructor(
    database: Database,
    readonly feed: string,
    readonly feedId: number,
    readonly token: number,
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

  /** @returns undefined while another process holds the feed. */
  static async acquire(
    database: Database,
    feed: { id: number; name: string },
    holder: string,
    leaseMs: number = LEASE_MS,
  ): Promise<Lease | undefined> {
    if (!(await isFree(database, feed.id))) {
      return (await forgetDeadHolder(database, feed.id)) ? Lease.acquire(database, feed, holder, leaseMs) : undefined;
    }
    const taken = await database.transaction(async (connection) => {
      // Waits for what the former owner is still writing.
      await connection.query('select pg_advisory_xact_lock($1, $2)', [FENCE, feed.id]);
      const [row] = await connection.query<{ token: number }>(
        `update sync.feed
         set lease_holder = $2, lease_token = lease_token + 1,
             lease_expires_at = clock_timestamp() + $3::integer * interval '1 millisecond'
         where id = $1 and (lease_holder is null or lease_expires_at < clock_timestamp())
         returning lease_token as token`,
        [feed.id, holder, leaseMs],
      );
      return row;
    });
    return taken === undefined ? undefined : new Lease(database, feed.name, feed.id, taken.token, leaseMs);
  }

  /** To be called in the transaction that writes. */
  async assertHeld(connection: Connection): Promise<void> {
    await connection.query('select pg_advisory_xact_lock_shared($1, $2)', [FENCE, this.feedId]);
    const held = await connection.query('select 1 from sync.feed where id = $1 and lease_token = $2', [
      this.feedId,
      this.token,
    ]);
    if (held.length === 0) throw new LeaseLostError(this.feed);
  }

  /** Tells the others that this process is alive. A missed beat is no harm: the token decides. */
  async renew(leaseMs: number): Promise<void> {
    await this.#database
      .query(
        `update sync.feed set lease_expires_at = clock_timestamp() + $3::integer * interval '1 millisecond'
         where id = $1 and lease_token = $2`,
        [this.feedId, this.token, leaseMs],
      )
      .catch(() => undefined);
  }

  async release(): Promise<void> {
    clearInterval(this.#heartbeat);
    await this.#database
      .query('update sync.feed set lease_holder = null, lease_expires_at = null where id = $1 and lease_token = $2', [
        this.feedId,
        this.token,
      ])
      // Not released means expired a little later.
      .catch(() => undefined);
  }
}

async function isFree(database: Database, feedId: number): Promise<boolean> {
  const free = await database.query(
    'select from sync.feed where id = $1 and (lease_holder is null or lease_expires_at < clock_timestamp())',
    [feedId],
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
async function forgetDeadHolder(database: Database, feedId: number): Promise<boolean> {
  const [row] = await database.query<{ holder: string | null }>(
    'select lease_holder as holder from sync.feed where id = $1',
    [feedId],
  );
  // Released in between.
  if (row?.holder == null) return row !== undefined;
  const [machine, pid] = row.holder.split(':');
  if (machine !== hostname() || pid === undefined || isAlive(Number(pid))) return false;
  await database.query('update sync.feed set lease_holder = null where id = $1 and lease_holder = $2', [
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
