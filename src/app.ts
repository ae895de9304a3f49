import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config, FeedConfig } from './config/config.js';
import { Database } from './db/database.js';
import { openEmbeddedPostgres } from './db/embedded.js';
import { leaseHolder } from './db/lease.js';
import { migrate } from './db/migrate.js';
import { Queries } from './db/queries.js';
import { FileStore } from './intake/file-store.js';
import { UserSyncError, messageOf } from './lib/errors.js';
import type { Logger } from './lib/logger.js';
import { packageRoot } from './lib/package-root.js';
import type { Model } from './model/model.js';
import { parseModel } from './model/parse-model.js';
import { controlLanguage, type ControlLanguage } from './plugins/control-language.js';
import { loadPlugins, type CompleteDestination, type Plugins } from './plugins/load-plugins.js';
import { resolvePlugins } from './plugins/resolve-plugins.js';
import { feedInForce } from './settings/feed-settings.js';
import type { FeedSettings, SyncContext } from './sync/context.js';

/**
 * The composition root: opens what the program works with in order, and closes it in reverse. Commands and pages get
 * everything from here.
 */
export class App implements AsyncDisposable {
  readonly config: Config;
  readonly logger: Logger;
  readonly database: Database;
  readonly sync: SyncContext;
  /** Where Postgres is, with password: not for printing. */
  readonly databaseUrl: string;
  readonly #releasers: (() => Promise<void>)[];

  private constructor(
    config: Config,
    logger: Logger,
    databaseUrl: string,
    database: Database,
    sync: SyncContext,
    releasers: (() => Promise<void>)[],
  ) {
    this.config = config;
    this.logger = logger;
    this.databaseUrl = databaseUrl;
    this.database = database;
    this.sync = sync;
    this.#releasers = releasers;
  }

  /** Opens everything; what was opened is closed again when something fails. */
  static async open(config: Config, logger: Logger): Promise<App> {
    const releasers: (() => Promise<void>)[] = [];
    try {
      const { plugins, language } = await loadLanguage(config);
      await mkdir(config.dataDir, { recursive: true });
      const url = config.database.url ?? (await openEmbedded(config, logger, releasers));
      const database = openDatabase(config, url, logger);
      releasers.push(() => database.close());
      await bringUpToDate(database, logger);
      const sync: SyncContext = {
        database,
        model: language.model,
        language,
        plugins,
        logger,
        store: new FileStore(join(config.dataDir, 'store')),
        limits: config.limits,
        processingFolder: join(config.dataDir, 'processing'),
        holder: leaseHolder(),
        leaseMs: leaseMsOf(config),
      };
      return new App(config, logger, url, database, sync, releasers);
    } catch (error) {
      await release(releasers);
      throw error;
    }
  }

  /** How a feed is configured, with what operators set. */
  feed(name: string): Promise<FeedConfig> {
    return feedInForce(this.database, this.config, name);
  }

  /** How a feed wants its runs. */
  async feedSettings(name: string): Promise<FeedSettings> {
    const { autoApply, force, chunkSize, concurrency, guards, leavers } = await this.feed(name);
    return { name, autoApply, force, chunkSize, concurrency, guards, leavers };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** May be called twice. */
  async close(): Promise<void> {
    await release(this.#releasers);
  }
}

/** The database alone, for commands that look at it or bring it up to date. */
export async function withDatabase<T>(
  config: Config,
  logger: Logger,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const releasers: (() => Promise<void>)[] = [];
  try {
    const url = config.database.url ?? (await openEmbedded(config, logger, releasers));
    const database = openDatabase(config, url, logger);
    releasers.push(() => database.close());
    return await work(database);
  } finally {
    await release(releasers);
  }
}

/**
 * Plugins, model, and what control files may say with both.
 *
 * @param modelPath another model than the configured one
 */
export async function loadLanguage(
  config: Config,
  modelPath = config.model,
): Promise<{ plugins: Plugins; language: ControlLanguage }> {
  const plugins = await loadPlugins(resolvePlugins(config.plugins, config.directory));
  return { plugins, language: controlLanguage(await loadModel(modelPath, plugins.destinations), plugins) };
}

/** @param destinations what plugins add to those of the file */
export async function loadModel(path: string, destinations: readonly CompleteDestination[] = []): Promise<Model> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UserSyncError(
      'model-unreadable',
      `Reading the model ${path}: ${messageOf(error)}. Check the key "model".`,
      {
        kind: 'usage',
        cause: error,
      },
    );
  });
  return parseModel(text, `The model ${path}`, destinations);
}

/** Where the SQL of this package is. */
export function sqlDirectory(): string {
  return join(packageRoot(), 'sql');
}

async function openEmbedded(config: Config, logger: Logger, releasers: (() => Promise<void>)[]): Promise<string> {
  await mkdir(config.dataDir, { recursive: true });
  const directory = join(config.dataDir, 'postgres');
  const embedded = await openEmbeddedPostgres(directory);
  releasers.push(() => embedded.close());
  logger.info('Using the embedded Postgres: fine for a trial or a small site', { directory });
  return embedded.url;
}

function openDatabase(config: Config, url: string, logger: Logger): Database {
  return new Database(
    {
      url,
      poolSize: config.database.poolSize,
      maxIdleInTransactionMs: leaseMsOf(config),
      onLostConnection: (error) => {
        logger.warn('A database connection was lost; another is opened when needed', { error });
      },
    },
    Queries.load(join(sqlDirectory(), 'sync')),
  );
}

async function bringUpToDate(database: Database, logger: Logger): Promise<void> {
  const applied = await migrate(database, sqlDirectory());
  if (applied.length > 0) logger.info('Brought the database schema up to date', { applied });
}

function leaseMsOf({ leaseSeconds }: Config): number {
  return leaseSeconds * 1000;
}

async function release(releasers: (() => Promise<void>)[]): Promise<void> {
  for (let releaser = releasers.pop(); releaser !== undefined; releaser = releasers.pop()) await releaser();
}
