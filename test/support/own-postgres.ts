import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { openEmbeddedPostgres, type EmbeddedPostgres } from '../../src/db/embedded.js';
import { embeddedBinaries, postgresIdentity } from '../../src/db/embedded-binaries.js';
import { createMigrated, createRoles, rolesNamed, urlAs, urlOf } from './database-roles.js';
import { testDatabase, type TestDatabase } from './postgres.js';
import { familyOf, signalAll } from './processes.js';
import { temporaryFolder } from './temporary-folder.js';

const ROLES = rolesNamed('test');

type Folder = Awaited<ReturnType<typeof temporaryFolder>>;

/** A Postgres that a test may ill-treat, on a port that stays the same. */
export class OwnPostgres implements AsyncDisposable {
  #frozen: number[] = [];
  #databases = 0;

  private constructor(
    private readonly folder: Folder,
    private readonly server: EmbeddedPostgres,
  ) {}

  static async open(): Promise<OwnPostgres> {
    const folder = await temporaryFolder();
    // Postgres may run as another user, who must get to its own folder.
    await chmod(folder.path, 0o755);
    const server = await openEmbeddedPostgres(join(folder.path, 'postgres'));
    await createRoles(server.url, ROLES);
    return new OwnPostgres(folder, server);
  }

  /** Its own folder, which it may reach. */
  get directory(): string {
    return join(this.folder.path, 'postgres');
  }

  get url(): string {
    return this.server.url;
  }

  /** A database with the schema; it goes with the server. */
  async database(): Promise<TestDatabase> {
    this.#databases += 1;
    const name = `users_${this.#databases}`;
    await createMigrated(this.url, name, ROLES);
    const own = urlOf(this.url, name);
    return testDatabase(urlAs(own, ROLES.daemon), own, 4, () => Promise.resolve());
  }

  /** Runs statements as the superuser, each by itself. */
  async execute(...statements: string[]): Promise<void> {
    const client = new Client({ connectionString: this.server.url });
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  }

  /** All its processes: each connection has one. */
  freeze(): void {
    this.#frozen = familyOf(this.#pid());
    signalAll(this.#frozen, 'SIGSTOP');
  }

  thaw(): void {
    signalAll(this.#frozen, 'SIGCONT');
    this.#frozen = [];
  }

  /** As after a crash: nothing is said to anybody, nothing written that was not yet, and it is there again on the same port. */
  async crash(): Promise<void> {
    const { port } = new URL(this.server.url);
    await this.#control('stop', '-m', 'immediate', '-w');
    await this.#control('start', '-l', join(this.directory, 'log'), '-w', '-t', '60', '-o', `-p ${port}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw();
    await this.server.close();
    await this.folder[Symbol.asyncDispose]();
  }

  get #data(): string {
    return join(this.directory, 'cluster', 'data');
  }

  /** The first line of postmaster.pid. */
  #pid(): number {
    return Number.parseInt(readFileSync(join(this.#data, 'postmaster.pid'), 'utf8'));
  }

  async #control(command: string, ...options: string[]): Promise<void> {
    const identity = await postgresIdentity();
    const program = join(await embeddedBinaries(identity), 'bin', 'pg_ctl');
    // It must not inherit our pipes, or we would wait for its end.
    const child = spawn(program, [command, '-D', this.#data, ...options], {
      ...(identity === undefined ? {} : { uid: identity.uid, gid: identity.gid }),
      cwd: '/',
      detached: true,
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
      stdio: 'ignore',
    });
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`pg_ctl ${command} ended with ${code ?? 'a signal'}`);
  }
}
