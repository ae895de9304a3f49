import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { loadModel } from '../../src/app.js';
import { openEmbeddedPostgres, type EmbeddedPostgres } from '../../src/db/embedded.js';
import { packageRoot } from '../../src/lib/package-root.js';
import type { Model } from '../../src/model/model.js';
import { installModel } from '../../src/sync/install-model.js';
import { createMigrated, createRoles, open, rolesNamed, urlAs } from '../support/database-roles.js';

const TEMPLATE = 'bench_template';

const ROLES = rolesNamed('bench');

const END_INTERVAL_MS = 100;

/**
 * The Postgres that all contestants share, in a folder of its own; its databases are copies of one that was migrated. When
 * the signal is given, whatever runs on it is ended, so that everybody stops soon.
 */
export class BenchServer {
  readonly model: Model;
  readonly #embedded: EmbeddedPostgres;
  readonly #signal: AbortSignal;
  #isClosed = false;

  private constructor(embedded: EmbeddedPostgres, model: Model, signal: AbortSignal) {
    this.#embedded = embedded;
    this.model = model;
    this.#signal = signal;
    signal.addEventListener('abort', () => void this.#keepEnding());
  }

  static async open(folder: string, signal: AbortSignal): Promise<BenchServer> {
    const model = await loadModel(join(packageRoot(), 'config', 'model.json'));
    const server = new BenchServer(await openEmbeddedPostgres(join(folder, 'postgres')), model, signal);
    try {
      await server.#makeTemplate();
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  /**
   * Makes a database with the product's schema and model, and nobody in it.
   *
   * @returns its URL for the role that owns the schema, and for that which the daemon has
   */
  async create(name: string): Promise<{ ownerUrl: string; daemonUrl: string }> {
    await this.drop(name);
    await this.query(`create database ${name} template ${TEMPLATE}`);
    const url = this.urlOf(name);
    return { ownerUrl: urlAs(url, ROLES.owner), daemonUrl: urlAs(url, ROLES.daemon) };
  }

  /** @returns the URL of a copy of a database that nobody is connected to. */
  async copy(from: string, name: string): Promise<string> {
    await this.drop(name);
    await this.query(`create database ${name} template ${from} strategy file_copy`);
    return this.urlOf(name);
  }

  async drop(name: string): Promise<void> {
    await this.query(`drop database if exists ${name} with (force)`);
  }

  /**
   * What Postgres would do by itself at some moment is done now, so that it does not fall on whoever is measured next:
   * statistics, vacuum, and writing what is only in memory.
   */
  async settle(name: string): Promise<void> {
    await this.query('vacuum (analyze)', name);
    await this.query('checkpoint');
  }

  async query<Row extends object>(statement: string, name = 'postgres'): Promise<Row[]> {
    this.#signal.throwIfAborted();
    return this.#execute<Row>(statement, name);
  }

  urlOf(name: string): string {
    const url = new URL(this.#embedded.url);
    url.pathname = `/${name}`;
    return url.href;
  }

  /** Whoever is still connected is cut off first: the server only stops when nobody else uses it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#endOthers();
    await this.#embedded.close();
  }

  /** Somebody may be about to connect: once is not enough. */
  async #keepEnding(): Promise<void> {
    while (!this.#isClosed) {
      await this.#endOthers();
      await delay(END_INTERVAL_MS);
    }
  }

  /** All connections but the one that holds the server, which is the product's own way of keeping it. */
  async #endOthers(): Promise<void> {
    await this.#execute(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where backend_type = 'client backend' and pid <> pg_backend_pid()
         and not (datname = 'postgres' and application_name = 'user-sync')`,
      'postgres',
    ).catch(() => undefined);
  }

  async #execute<Row extends object>(statement: string, name: string): Promise<Row[]> {
    const client = new Client({ connectionString: this.urlOf(name), application_name: 'bench' });
    // The query that is cut off says so.
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Row>(statement)).rows;
    } finally {
      await client.end();
    }
  }

  async #makeTemplate(): Promise<void> {
    const { url } = this.#embedded;
    await createRoles(url, ROLES);
    await createMigrated(url, TEMPLATE, ROLES);
    const database = open(urlAs(this.urlOf(TEMPLATE), ROLES.daemon), 2);
    try {
      await installModel(database, this.model);
    } finally {
      await database.close();
    }
  }
}
