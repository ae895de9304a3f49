import { join } from 'node:path';
import { Client } from 'pg';
import { loadModel, sqlDirectory } from '../../src/app.js';
import { Database } from '../../src/db/database.js';
import { openEmbeddedPostgres, type EmbeddedPostgres } from '../../src/db/embedded.js';
import { migrate } from '../../src/db/migrate.js';
import { Queries } from '../../src/db/queries.js';
import { packageRoot } from '../../src/lib/package-root.js';
import type { Model } from '../../src/model/model.js';
import { installModel } from '../../src/sync/install-model.js';

const TEMPLATE = 'bench_template';

/** The Postgres that all contestants share, in a folder of its own; its databases are copies of one that was migrated. */
export class BenchServer {
  readonly model: Model;
  readonly #embedded: EmbeddedPostgres;

  private constructor(embedded: EmbeddedPostgres, model: Model) {
    this.#embedded = embedded;
    this.model = model;
  }

  static async open(folder: string): Promise<BenchServer> {
    const model = await loadModel(join(packageRoot(), 'config', 'model.json'));
    const server = new BenchServer(await openEmbeddedPostgres(join(folder, 'postgres')), model);
    try {
      await server.#makeTemplate();
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  /** @returns the URL of a database with the product's schema and model, and nobody in it. */
  async create(name: string): Promise<string> {
    await this.drop(name);
    await this.query(`create database ${name} template ${TEMPLATE}`);
    return this.urlOf(name);
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
    const client = new Client({ connectionString: this.urlOf(name), application_name: 'bench' });
    await client.connect();
    try {
      return (await client.query<Row>(statement)).rows;
    } finally {
      await client.end();
    }
  }

  urlOf(name: string): string {
    const url = new URL(this.#embedded.url);
    url.pathname = `/${name}`;
    return url.href;
  }

  /** Whatever still runs there is ended first: the server only stops when nobody else uses it. */
  async close(): Promise<void> {
    const busy = `select pg_terminate_backend(pid, 10000) from pg_stat_activity
                  where backend_type = 'client backend' and datname <> 'postgres'`;
    await this.query(busy).catch(() => undefined);
    await this.#embedded.close();
  }

  async #makeTemplate(): Promise<void> {
    await this.query(`create database ${TEMPLATE}`);
    const database = new Database(
      { url: this.urlOf(TEMPLATE), poolSize: 2 },
      Queries.load(join(sqlDirectory(), 'sync')),
    );
    try {
      await migrate(database, sqlDirectory());
      await installModel(database, this.model);
    } finally {
      await database.close();
    }
  }
}
