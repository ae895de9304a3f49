import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { postgresIdentity, type Identity } from '../../src/db/embedded-binaries.js';
import { freePort } from './free-port.js';
import { testDatabase, type TestDatabase } from './postgres.js';
import { temporaryFolder } from './temporary-folder.js';

/** Where Debian installs each major version. */
const PLACE = '/usr/lib/postgresql';

/** The newest one that has both a server and pg_dump, which must be of the same major version. */
function binaries(): string | undefined {
  const versions = existsSync(PLACE) ? readdirSync(PLACE) : [];
  return versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(PLACE, version, 'bin'))
    .find((folder) => ['initdb', 'pg_ctl', 'pg_dump'].every((program) => existsSync(join(folder, program))));
}

/** Why there can be no `InstalledPostgres` here; undefined when there can. */
export function missingForInstalledPostgres(): string | undefined {
  return binaries() === undefined
    ? `they need a Postgres with its client programs in ${PLACE}: apt-get install postgresql`
    : undefined;
}

/** A server of the Postgres that the machine has, with pg_dump and pg_restore for it. */
export class InstalledPostgres implements AsyncDisposable {
  private constructor(
    private readonly folder: Awaited<ReturnType<typeof temporaryFolder>>,
    /** Of pg_dump and the other programs. */
    readonly binaries: string,
    private readonly identity: Identity | undefined,
    private readonly port: number,
  ) {}

  static async open(): Promise<InstalledPostgres> {
    const programs = binaries();
    if (programs === undefined) throw new Error(missingForInstalledPostgres());
    const folder = await temporaryFolder();
    const server = new InstalledPostgres(folder, programs, await postgresIdentity(), await freePort());
    await server.#start();
    return server;
  }

  /** An empty database of a role that has no rights beside it. */
  async createDatabase(name: string): Promise<TestDatabase> {
    await this.execute(`create database ${name} owner user_sync`);
    return testDatabase(this.url('user_sync', name), this.url('postgres', name), 4, () => Promise.resolve());
  }

  /** Where its database is for a role; no passwords are asked for. */
  url(role: string, database: string): string {
    return `postgres://${role}@127.0.0.1:${this.port}/${database}`;
  }

  /** Runs statements as the superuser. */
  async execute(...statements: string[]): Promise<void> {
    const client = new Client({ connectionString: this.url('postgres', 'postgres') });
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#call('pg_ctl', 'stop', '-D', this.#data, '-m', 'immediate', '-w');
    await this.folder[Symbol.asyncDispose]();
  }

  get #data(): string {
    return join(this.folder.path, 'postgres', 'data');
  }

  async #start(): Promise<void> {
    const own = join(this.folder.path, 'postgres');
    await mkdir(own);
    // Root's folders are closed to the user that Postgres runs as.
    await chmod(this.folder.path, 0o755);
    if (this.identity !== undefined) await chown(own, this.identity.uid, this.identity.gid);
    await this.#call('initdb', '-D', this.#data, '--auth=trust', '--username=postgres', '--encoding=UTF8', '--no-sync');
    const options = `-p ${this.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off`;
    await this.#call('pg_ctl', 'start', '-D', this.#data, '-l', join(own, 'log'), '-w', '-o', options);
    await this.execute('create role user_sync login');
  }

  async #call(program: string, ...args: string[]): Promise<void> {
    const { identity } = this;
    const who = identity === undefined ? {} : { uid: identity.uid, gid: identity.gid };
    const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };
    // The server must not inherit our pipes, or we would wait for its end.
    const child = spawn(join(this.binaries, program), args, { ...who, cwd: '/', env, detached: true, stdio: 'ignore' });
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`${program} ended with ${code ?? 'a signal'}`);
  }
}
