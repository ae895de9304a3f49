import type { Knex } from 'knex';
import pLimit, { type LimitFunction } from 'p-limit';
import { Pool, types, type PoolClient, type QueryResultRow } from 'pg';
import { UserSyncError, messageOf } from '../lib/errors.js';
import { sqlState } from './sqlstate.js';
import { Liveness, USUAL_LIVENESS, type LivenessOptions } from './liveness.js';
import type { Queries, StageTable } from './queries.js';

/** `bigint` as a number: ids, counts and sizes here stay far below 2^53. */
const INT8_OID = 20;
const parsers = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8_OID && format !== 'binary'
      ? (text: string): number => Number(text)
      : (types.getTypeParser(oid, format) as (text: string) => unknown),
};

export interface DatabaseOptions {
  url: string;
  /** Most connections at once. */
  poolSize: number;
  /** How long the server may take to let a new connection in; 15 seconds unless told. */
  connectMs?: number;
  /** Called when an idle connection is lost; the pool opens another when needed. */
  onLostConnection?: (error: Error) => void;
  /** A session that idles in a transaction for longer is ended: what it holds would keep others waiting. */
  maxIdleInTransactionMs?: number;
  /** How a server that does not answer is found out. */
  liveness?: Omit<LivenessOptions, 'url'>;
}

/** Connections that are left for everything that is short: questions, heartbeats, pages. */
export const SPARE_CONNECTIONS = 2;

/** How many connections may be held for long at the same time. */
export function turnsOf(poolSize: number): number {
  return Math.max(1, poolSize - SPARE_CONNECTIONS);
}

/** Runs named queries of sql/sync on a connection of its own choosing (the pool) or on a given one (a transaction). */
export interface Executor {
  /** Rows of a named query. */
  rows<Row extends QueryResultRow>(name: string, params?: readonly unknown[], stage?: StageTable): Promise<Row[]>;
  /** Rows of a query written where it is used: for lookups of one table group, with parameters. */
  query<Row extends QueryResultRow>(text: string, params?: readonly unknown[]): Promise<Row[]>;
  /** Runs a named query; tells how many rows it wrote. */
  run(name: string, params?: readonly unknown[], stage?: StageTable): Promise<number>;
}

export interface Connection extends Executor {
  readonly client: PoolClient;
}

/** The pool of connections. Everything that talks to Postgres goes through here. */
export class Database implements Executor {
  readonly #pool: Pool;
  readonly #queries: Queries;
  readonly #liveness: Liveness;
  readonly #slots: LimitFunction;
  readonly #turns: LimitFunction;
  #builder: Knex | undefined;

  constructor(options: DatabaseOptions, queries: Queries) {
    this.#queries = queries;
    // In front of the pool, which cannot tell a server that lets nobody in from connections that are all in use.
    this.#slots = pLimit(options.poolSize);
    this.#turns = pLimit(turnsOf(options.poolSize));
    this.#liveness = new Liveness({ url: options.url, ...(options.liveness ?? USUAL_LIVENESS) });
    this.#pool = new Pool({
      connectionString: options.url,
      max: options.poolSize,
      types: parsers,
      application_name: 'user-sync',
      connectionTimeoutMillis: options.connectMs ?? 15_000,
      keepAlive: true,
      idle_in_transaction_session_timeout: options.maxIdleInTransactionMs ?? 60_000,
    });
    this.#pool.on('error', (error) => options.onLostConnection?.(error));
  }

  async rows<Row extends QueryResultRow>(
    name: string,
    params: readonly unknown[] = [],
    stage?: StageTable,
  ): Promise<Row[]> {
    return this.query<Row>(this.#queries.text(name, stage), params);
  }

  async query<Row extends QueryResultRow>(text: string, params: readonly unknown[] = []): Promise<Row[]> {
    return this.withConnection((connection) => connection.query<Row>(text, params));
  }

  /** Rows of a list whose filters and paging depend on what was asked for. */
  async list<Row extends QueryResultRow>(build: (builder: Knex) => Knex.QueryBuilder): Promise<Row[]> {
    // Only builds statements: it has no connections of its own. Loaded when needed, as it is large.
    this.#builder ??= (await import('knex')).default({ client: 'pg' });
    const { sql, bindings } = build(this.#builder).toSQL().toNative();
    return this.query<Row>(sql, bindings);
  }

  async run(name: string, params: readonly unknown[] = [], stage?: StageTable): Promise<number> {
    return this.withConnection((connection) => connection.run(name, params, stage));
  }

  /** Holds one connection for the time of `work`, waiting until one is free. One whose session is in doubt is thrown away. */
  withConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#slots(() => this.#withConnection(work));
  }

  /**
   * Runs what holds a connection for long when it is its turn, so that a few are left for everything else. Such work may
   * ask for connections beside its own, but not for another turn: it could wait for itself.
   */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns(work);
  }

  async #withConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    let lost: Error | undefined;
    const onError = (error: Error): void => {
      lost = error;
    };
    client.on('error', onError);
    this.#liveness.begin(client);
    try {
      return await work(this.#on(client));
    } catch (error) {
      lost ??= isConnectionError(error) ? (error as Error) : undefined;
      throw error;
    } finally {
      this.#liveness.end(client);
      client.off('error', onError);
      client.release(lost);
    }
  }

  /** Runs `work` in one transaction: committed when it returns, rolled back when it throws. */
  async transaction<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.withConnection(async (connection) => {
      await connection.client.query('begin');
      try {
        const result = await work(connection);
        await connection.client.query('commit');
        return result;
      } catch (error) {
        // When the connection is gone there is nothing to roll back; the first error is the one to tell.
        await connection.client.query('rollback').catch(() => undefined);
        throw error;
      }
    });
  }

  queryText(name: string, stage?: StageTable): string {
    return this.#queries.text(name, stage);
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #connect(): Promise<PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw new UserSyncError(
        'database-unreachable',
        `Cannot connect to Postgres: ${messageOf(error)}. Check that it runs and that database.url or DATABASE_URL is right.`,
        { cause: error },
      );
    }
  }

  #on(client: PoolClient): Connection {
    const queries = this.#queries;
    return {
      client,
      async rows<Row extends QueryResultRow>(name: string, params: readonly unknown[] = [], stage?: StageTable) {
        return (await client.query<Row>(queries.text(name, stage), [...params])).rows;
      },
      async query<Row extends QueryResultRow>(text: string, params: readonly unknown[] = []) {
        return (await client.query<Row>(text, [...params])).rows;
      },
      async run(name, params = [], stage) {
        return (await client.query(queries.text(name, stage), [...params])).rowCount ?? 0;
      },
    };
  }
}

function isConnectionError(error: unknown): boolean {
  const code = sqlState(error);
  return code === undefined ? error instanceof Error && /connection/i.test(error.message) : code.startsWith('08');
}
