import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { access, chmod, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { UserSyncError, messageOf } from '../lib/errors.js';
import { embeddedBinaries, postgresIdentity, type Identity } from './embedded-binaries.js';

/** Another process may be starting or stopping it at the same moment: worth more than one look. */
const START_ATTEMPTS = 10;
const USER = 'user_sync';
const LEAVING = 'user-sync leaving';

/** What a server on the same machine as its only client can afford beyond the defaults. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '512MB',
  work_mem: '64MB',
  maintenance_work_mem: '256MB',
  max_wal_size: '4GB',
  checkpoint_timeout: '15min',
  jit: 'off',
  max_connections: '80',
  log_min_messages: 'warning',
};

export interface EmbeddedPostgres {
  /** With password: never to be logged. */
  readonly url: string;
  /** Stops the server unless another process uses it. */
  close(): Promise<void>;
}

/**
 * Starts the Postgres that comes with the package on a data directory of its own, or joins the one that another process
 * started there. It is a server like any other: it outlives a killed process and recovers by itself.
 *
 * @param directory made when missing; belongs to Postgres alone.
 */
export async function openEmbeddedPostgres(directory: string): Promise<EmbeddedPostgres> {
  const identity = await postgresIdentity();
  const server = new EmbeddedServer(directory, await embeddedBinaries(identity), identity);
  await server.initialise();
  const session = await server.startOrJoin();
  return { url: session.url, close: () => server.leave(session) };
}

/** A connection kept open as long as this process uses the server, which shows the others that it does. */
interface Session {
  readonly url: string;
  readonly client: Client;
}

class EmbeddedServer {
  readonly #directory: string;
  /** Holds the server's data and the password: complete, or not there. */
  readonly #cluster: string;
  readonly #data: string;
  readonly #binaries: string;
  readonly #identity: Identity | undefined;

  constructor(directory: string, binaries: string, identity: Identity | undefined) {
    this.#directory = directory;
    this.#cluster = join(directory, 'cluster');
    this.#data = join(this.#cluster, 'data');
    this.#binaries = binaries;
    this.#identity = identity;
  }

  /** Prepared aside and moved into place, so that several processes may begin at once and none sees half of it. */
  async initialise(): Promise<void> {
    await this.#makeFolder(this.#directory);
    if (await exists(this.#cluster)) return;
    const unfinished = join(this.#directory, `unfinished-${randomUUID()}`);
    await this.#makeFolder(unfinished);
    try {
      await this.#prepare(unfinished);
      await rename(unfinished, this.#cluster);
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true });
      if (!(await exists(this.#cluster))) throw error;
    }
  }

  async #prepare(cluster: string): Promise<void> {
    const passwordFile = join(cluster, 'password');
    await writeFile(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
    await this.#own(passwordFile);
    await this.#execute('initdb', [
      `--pgdata=${join(cluster, 'data')}`,
      `--username=${USER}`,
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--locale=C.UTF-8',
      '--no-instructions',
    ]);
    const settings = Object.entries(SETTINGS).map(([name, value]) => `${name} = '${value}'\n`);
    await writeFile(join(cluster, 'data', 'postgresql.auto.conf'), settings.join(''));
  }

  async startOrJoin(): Promise<Session> {
    const password = await readFile(join(this.#cluster, 'password'), 'utf8');
    let failure: unknown;
    for (let attempt = 0; attempt < START_ATTEMPTS; attempt += 1) {
      const port = await this.#runningPort();
      const url = `postgres://${USER}:${password}@127.0.0.1:${port ?? 0}/postgres`;
      const client = port === undefined ? undefined : await connect(url);
      if (client !== undefined) return { url, client };
      failure = await this.#start(await freePort()).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failure !== undefined) await delay(250);
    }
    const log = join(this.#directory, 'log');
    const lastWords = (await readFile(log, 'utf8').catch(() => '')).trim().split('\n').slice(-3).join('\n  ');
    throw new UserSyncError(
      'embedded-failed',
      `The embedded Postgres did not start: ${messageOf(failure)} The end of ${log}:\n  ${lastWords}`,
      { cause: failure },
    );
  }

  /** Stops the server, unless others use it. */
  async leave(session: Session): Promise<void> {
    await session.client.end().catch(() => undefined);
    if (await isInUse(session.url)) return;
    await this.#execute('pg_ctl', ['stop', '-D', this.#data, '-m', 'fast', '-w']).catch(async (error: unknown) => {
      // Stopped already, by another process that left at the same time.
      if ((await this.#runningPort()) !== undefined) throw error;
    });
  }

  async #makeFolder(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    await this.#own(folder);
    await chmod(folder, 0o700);
  }

  async #own(path: string): Promise<void> {
    if (this.#identity !== undefined) await chown(path, this.#identity.uid, this.#identity.gid);
  }

  async #start(port: number): Promise<void> {
    const log = join(this.#directory, 'log');
    await this.#execute('pg_ctl', ['start', '-D', this.#data, '-l', log, '-w', '-t', '60', '-o', `-p ${port}`]);
  }

  /** The port in postmaster.pid, whose fourth line it is. */
  async #runningPort(): Promise<number | undefined> {
    const pidFile = await readFile(join(this.#data, 'postmaster.pid'), 'utf8').catch(() => '');
    const port = Number(pidFile.split('\n')[3]);
    return Number.isInteger(port) && port > 0 ? port : undefined;
  }

  async #execute(program: string, args: readonly string[]): Promise<void> {
    const identity = this.#identity === undefined ? {} : { uid: this.#identity.uid, gid: this.#identity.gid };
    // A server must not inherit our pipes, or we would wait for its end; so output goes nowhere but to its log.
    const output: string[] = [];
    const child = spawn(join(this.#binaries, 'bin', program), args, {
      ...identity,
      cwd: '/',
      detached: true,
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'ignore', program === 'initdb' ? 'pipe' : 'ignore'],
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => output.push(text));
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    if (code === 0) return;
    throw new UserSyncError(
      'embedded-failed',
      explain(program, code, output.join('').trim(), this.#directory, this.#identity),
    );
  }
}

function explain(program: string, code: number | null, output: string, directory: string, identity?: Identity): string {
  const reason = output === '' ? '' : ` ${output.split('\n').at(-1) ?? ''}`;
  const hint =
    identity !== undefined && /permission denied|could not access|could not create/i.test(output)
      ? ` Root runs it as user ${identity.name}, who must be able to reach ${directory}: ` +
        'put dataDir elsewhere (for example under /var/lib), or set DATABASE_URL.'
      : '';
  return `The embedded Postgres: ${program} ended with ${code ?? 'a signal'}.${reason}${hint}`;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Undefined when there is no such server, or not one that knows our password. */
async function connect(url: string, name = 'user-sync'): Promise<Client | undefined> {
  const client = new Client({
    connectionString: url,
    application_name: name,
    connectionTimeoutMillis: 5000,
    keepAlive: true,
  });
  // A server that goes away is noticed by those who work with it.
  client.on('error', () => undefined);
  return client.connect().then(
    () => client,
    () => undefined,
  );
}

/** Sessions besides those that ask just this. Ours, closed a moment ago, may still be seen: worth a few looks. */
async function isInUse(url: string): Promise<boolean> {
  const client = await connect(url, LEAVING);
  if (client === undefined) return false;
  try {
    for (let look = 0; look < 5; look += 1) {
      const { rows } = await client.query<{ others: number }>(
        `select count(*)::integer as others from pg_stat_activity
         where backend_type = 'client backend' and application_name <> $1`,
        [LEAVING],
      );
      if (rows[0]?.others === 0) return false;
      await delay(40);
    }
    return true;
  } catch {
    // Stopped by another one that left at the same time.
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', resolve);
  });
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
