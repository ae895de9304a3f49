import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { App } from '../../src/app.js';
import { loadConfig } from '../../src/config/load.js';
import { Daemon } from '../../src/daemon/daemon.js';
import { listRuns, type RunRow } from '../../src/db/runs.js';
import { memoryLogger, type MemoryLogger } from '../../src/lib/logger.js';
import { packageRoot } from '../../src/lib/package-root.js';
import { eventually } from './eventually.js';
import { createTestDatabase, type TestDatabase } from './postgres.js';
import { temporaryFolder } from './temporary-folder.js';

export interface SiteFeed {
  readonly [key: string]: unknown;
}

/** A folder with a configuration, and a database: what one or several daemons share. */
export class DaemonSite implements AsyncDisposable {
  private readonly started: { readonly daemon: Daemon; readonly app: App }[] = [];

  private constructor(
    readonly testDatabase: TestDatabase,
    private readonly folder: Awaited<ReturnType<typeof temporaryFolder>>,
    private readonly configFile: string,
  ) {}

  /** @param feeds by name; guards are off unless told */
  static async open(feeds: Readonly<Record<string, SiteFeed>> = {}, more: object = {}): Promise<DaemonSite> {
    const testDatabase = await createTestDatabase();
    const folder = await temporaryFolder();
    const control = join(packageRoot(), 'config', 'examples', 'control.json');
    const usual = { control, guards: 'off', settleMs: 0, scanIntervalMs: 100 };
    const all = { default: {}, ...feeds };
    const config = {
      database: { url: testDatabase.url },
      dataDir: './var',
      feeds: Object.fromEntries(Object.entries(all).map(([name, feed]) => [name, { ...usual, ...feed }])),
      ...more,
    };
    const configFile = join(folder.path, 'user-sync.yaml');
    await writeFile(configFile, stringify(config));
    return new DaemonSite(testDatabase, folder, configFile);
  }

  get path(): string {
    return this.folder.path;
  }

  /** Starts a daemon in this process, as one more that looks after the site. */
  async start(): Promise<{ daemon: Daemon; app: App; log: MemoryLogger }> {
    const { daemon, app, log } = await this.prepare();
    daemon.start();
    return { daemon, app, log };
  }

  /** A daemon that has yet to start. */
  async prepare(): Promise<{ daemon: Daemon; app: App; log: MemoryLogger }> {
    const log = memoryLogger();
    const app = await App.open(await loadConfig({ file: this.configFile }), log);
    const daemon = new Daemon(app);
    this.started.push({ daemon, app });
    return { daemon, app, log };
  }

  /** As source systems do: written elsewhere, then renamed into place. */
  async drop(name: string, content: string | object, feed = 'default'): Promise<void> {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    const directory = join(this.folder.path, 'var', 'drop', feed);
    const temporary = join(this.folder.path, `${name}.uploading`);
    await writeFile(temporary, text);
    // The daemon may not have come to make it yet.
    await mkdir(directory, { recursive: true });
    await rename(temporary, join(directory, name));
  }

  async runs(feed?: string): Promise<RunRow[]> {
    const filter = feed === undefined ? { limit: 100 } : { limit: 100, feed };
    return (await listRuns(this.testDatabase.database, filter)).reverse();
  }

  /** Waits until that many runs are at rest; all of them, oldest first. */
  async atRest(count: number, ...statuses: RunRow['status'][]): Promise<RunRow[]> {
    const rest = statuses.length > 0 ? statuses : (['complete', 'failed', 'held', 'cancelled'] as const);
    return eventually(`${count} runs that are ${rest.join(' or ')}`, async () => {
      const runs = await this.runs();
      const resting = runs.filter(({ status }) => (rest as readonly string[]).includes(status));
      return resting.length >= count && resting.length === runs.length ? runs : undefined;
    });
  }

  async users(): Promise<Record<string, boolean>> {
    const rows = await this.testDatabase.database.query<{ username: string; is_active: boolean }>(
      'select username, is_active from directory.users where username is not null order by username',
    );
    return Object.fromEntries(rows.map(({ username, is_active: isActive }) => [username, isActive]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { daemon, app } of this.started) {
      await daemon.stop();
      await app.close();
    }
    await this.testDatabase.drop();
    await this.folder[Symbol.asyncDispose]();
  }
}

/** A record for the shipped example of a control file. */
export function record(username: string, more: object = {}): object {
  const EMAIL = `${username}@example.org`;
  return { USERNAME: username, FIRST_NAME: 'A', LAST_NAME: username, EMAIL, ROLE: 'staff', ...more };
}
