import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadModel } from '../../src/app.js';
import { controlLanguage } from '../../src/plugins/control-language.js';
import { loadPlugins } from '../../src/plugins/load-plugins.js';
import { resolvePlugins } from '../../src/plugins/resolve-plugins.js';
import { resolveGuards, type GuardChoices } from '../../src/domain/guard.js';
import { FileStore } from '../../src/intake/file-store.js';
import { nullLogger, type Logger } from '../../src/lib/logger.js';
import { parseModel } from '../../src/model/parse-model.js';
import { packageRoot } from '../../src/lib/package-root.js';
import { DEFAULT_LIMITS } from '../../src/readers/reader.js';
import type { Database } from '../../src/db/database.js';
import type { RunRow } from '../../src/db/runs.js';
import type { Approval, FeedSettings, OnProgress, SyncContext } from '../../src/sync/context.js';
import { executeRun } from '../../src/sync/pipeline.js';
import { submitBatch } from '../../src/sync/submit.js';
import { createTestDatabase, type TestDatabase } from './postgres.js';
import { temporaryFolder } from './temporary-folder.js';

export const APPROVAL: Approval = { by: 'test', reason: 'a test', withoutBlocks: false };

/** A record that the shipped example control file accepts; it has no instruction for `STAMP`. */
export function person(username: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    USERNAME: username,
    FIRST_NAME: 'Ada',
    LAST_NAME: username.toUpperCase(),
    EMAIL: `${username}@example.org`,
    ROLE: 'staff',
    ...more,
  };
}

/** Records are written as JSON, everything else is the file as it is. */
export type BatchContent = string | Uint8Array | readonly object[];

export interface BatchOptions {
  readonly feed?: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly approval?: Approval;
  readonly settings?: Partial<FeedSettings>;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/** A whole engine on a database of its own. */
export class SyncHarness implements AsyncDisposable {
  private constructor(
    readonly context: SyncContext,
    private readonly folder: Awaited<ReturnType<typeof temporaryFolder>>,
    readonly control: string,
    readonly testDatabase: TestDatabase,
    readonly settings: FeedSettings,
  ) {}

  /**
   * @param control a control file's content; the shipped example unless told.
   * @param guards off unless told, so that tests say what they need.
   * @param database another one than its own, already migrated.
   * @param plugins paths of modules.
   */
  static async open(
    options: {
      control?: object;
      guards?: GuardChoices;
      model?: string;
      database?: Database;
      plugins?: readonly string[];
      logger?: Logger;
    } = {},
  ): Promise<SyncHarness> {
    const testDatabase = await createTestDatabase();
    const folder = await temporaryFolder();
    const config = join(packageRoot(), 'config');
    const control =
      options.control === undefined
        ? await readFile(join(config, 'examples', 'control.json'), 'utf8')
        : JSON.stringify(options.control);
    const plugins = await loadPlugins(resolvePlugins(options.plugins ?? [], folder.path));
    const model = await loadModel(options.model ?? join(config, 'model.json'), plugins.destinations);
    const context: SyncContext = {
      database: options.database ?? testDatabase.database,
      model,
      language: controlLanguage(model, plugins),
      plugins,
      logger: options.logger ?? nullLogger,
      store: new FileStore(join(folder.path, 'store')),
      limits: DEFAULT_LIMITS,
      processingFolder: join(folder.path, 'processing'),
      holder: 'test',
      leaseMs: 60_000,
    };
    return new SyncHarness(context, folder, control, testDatabase, {
      name: 'default',
      autoApply: true,
      force: false,
      guards: resolveGuards(options.guards ?? 'off'),
      chunkSize: 3,
      concurrency: 2,
      leavers: { graceRuns: 0, graceDays: 0 },
    });
  }

  /** The same database, and a process that was started with another model. */
  withModel(source: string): SyncHarness {
    const model = parseModel(source, 'the changed model');
    const context = { ...this.context, model, language: controlLanguage(model, this.context.plugins) };
    return new SyncHarness(context, this.folder, this.control, this.testDatabase, this.settings);
  }

  /** The same feed and store, and a process that connects as another role. */
  onDatabase(database: Database): SyncHarness {
    return new SyncHarness({ ...this.context, database }, this.folder, this.control, this.testDatabase, this.settings);
  }

  /** The same database, and another control file. */
  withControl(change: (text: string) => string): SyncHarness {
    return new SyncHarness(this.context, this.folder, change(this.control), this.testDatabase, this.settings);
  }

  /** The same database, and a process that was started with other plugins. */
  async withPlugins(paths: readonly string[]): Promise<SyncHarness> {
    const plugins = await loadPlugins(resolvePlugins(paths, this.folder.path));
    const context = { ...this.context, plugins, language: controlLanguage(this.context.model, plugins) };
    return new SyncHarness(context, this.folder, this.control, this.testDatabase, this.settings);
  }

  /** Takes everything out of the database but the feeds' control files. */
  async empty(): Promise<void> {
    await this.administer(
      'truncate directory.account, directory.object, directory.membership, sync.feed_user, sync.received, sync.change, sync.chunk, sync.run, sync.run_file, sync.run_transition, sync.run_log, sync.model, sync.model_object, sync.override',
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.testDatabase.drop();
    await this.folder[Symbol.asyncDispose]();
  }

  get database(): SyncContext['database'] {
    return this.context.database;
  }

  /** Takes in a batch with one file `users` and does not start it. */
  async submit(users: BatchContent, options: BatchOptions = {}): Promise<number> {
    const path = join(this.folder.path, 'users.json');
    const isText = typeof users === 'string' || users instanceof Uint8Array;
    await writeFile(path, isText ? users : JSON.stringify(users));
    return submitBatch(this.context, {
      feed: options.feed ?? 'default',
      files: [{ name: 'users', path }],
      control: { text: this.control, what: 'The control file' },
      dryRun: options.dryRun ?? false,
      force: options.force ?? false,
      by: 'test',
      signal: new AbortController().signal,
    });
  }

  async execute(runId: number, options: BatchOptions = {}): Promise<RunRow> {
    return executeRun(this.context, runId, {
      settings: { ...this.settings, ...options.settings },
      actor: 'test',
      signal: options.signal ?? new AbortController().signal,
      ...(options.approval === undefined ? {} : { approval: options.approval }),
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    });
  }

  /** One whole run. */
  async sync(users: BatchContent, options: BatchOptions = {}): Promise<RunRow> {
    return this.execute(await this.submit(users, options), options);
  }

  /** The rows of a query, for looking at the directory as an application would. */
  async rows<Row extends Record<string, unknown>>(text: string, params: readonly unknown[] = []): Promise<Row[]> {
    return this.database.query<Row>(text, params);
  }

  /** What the program has no right to: done by somebody who may do everything. */
  async administer(text: string, params: readonly unknown[] = []): Promise<void> {
    await this.testDatabase.administrator.database.query(text, params);
  }
}
