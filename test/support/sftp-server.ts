import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/lib/package-root.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { SftpClient } from './sftp-client.js';

const run = promisify(execFile);

/** sshd starts itself anew for each connection, and wants to be called by its path. */
export const SSHD = '/usr/sbin/sshd';

/** The configuration that compose.yaml uses and docs/sftp.md explains. */
export const SSHD_CONFIG = join(packageRoot(), 'config', 'container', 'sshd_config');

/** Where root alone may write, all the way up: sshd locks nobody into a folder below one that others may change. */
const PLACE = '/srv';

/** Accounts that every Debian has, without a password or a shell, and that nothing else here uses. */
const ACCOUNTS = 'daemon bin sys games man lp mail news uucp proxy www-data backup list irc'.split(' ');

/** What is missing on this machine to run a server; undefined: nothing. */
export function missingForSftp(): string | undefined {
  const isInstalled = (name: string): boolean =>
    (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    return 'they need Linux, and root: sshd changes to other accounts and locks them into folders';
  }
  if (!existsSync(SSHD) || !['sftp', 'scp', 'ssh-keygen'].every(isInstalled)) {
    return `they need ${SSHD}, sftp, scp and ssh-keygen: apt-get install openssh-server openssh-client`;
  }
  return undefined;
}

/** A source system's account on the server. */
export interface SftpAccount {
  readonly name: string;
  readonly uid: number;
  readonly group: string;
  /** The folder that it is locked into. */
  readonly root: string;
  /** The only one in which it may write. */
  readonly upload: string;
  readonly client: SftpClient;
}

/**
 * The machine's own sshd with the shipped configuration, on a free port, with other keys and folders. The accounts are
 * system accounts that are there anyway, so that nothing is changed on the machine but a folder in /srv.
 */
export class SftpServer implements AsyncDisposable {
  /** On the file system of the drop directories, for what a daemon keeps. */
  readonly folder: string;
  readonly #accounts: ReadonlyMap<string, SftpAccount>;
  readonly #sshd: ChildProcess;
  readonly #log: () => string;

  private constructor(folder: string, accounts: ReadonlyMap<string, SftpAccount>, sshd: ChildProcess) {
    this.folder = folder;
    this.#accounts = accounts;
    this.#sshd = sshd;
    let log = '';
    sshd.stderr?.setEncoding('utf8').on('data', (text: string) => (log += text));
    this.#log = () => log;
  }

  /** @param feeds each gets an account of its own */
  static async start(feeds: readonly string[]): Promise<SftpServer> {
    if (feeds.length > ACCOUNTS.length) throw new RangeError(`there are ${ACCOUNTS.length} accounts for feeds`);
    const folder = await mkdtemp(join(PLACE, 'user-sync-test-'));
    await chmod(folder, 0o755);
    await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
    await mkdir(join(folder, 'authorized_keys'));
    for (const key of ['host_key', 'client_key', 'other_key']) {
      await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, key)]);
    }
    const port = await freePort();
    const owners = await readOwners();
    const accounts = new Map<string, SftpAccount>();
    for (const [index, feed] of feeds.entries()) {
      accounts.set(feed, await openAccount(folder, ACCOUNTS[index]!, owners, port));
    }
    const groups = [...accounts.values()].map(({ name }) => owners.get(name)!.group);
    // What is told here comes before what the file says: a first value counts, and lists grow.
    const options = [
      'ListenAddress=127.0.0.1',
      `HostKey=${join(folder, 'host_key')}`,
      `AuthorizedKeysFile=${join(folder, 'authorized_keys', '%u')}`,
      `ChrootDirectory=${join(folder, 'drop', '%u')}`,
      `AllowGroups=${[...new Set(groups)].join(' ')}`,
      'PidFile=none',
    ];
    const args = ['-D', '-e', '-f', SSHD_CONFIG, '-p', String(port), ...options.flatMap((option) => ['-o', option])];
    const sshd = spawn(SSHD, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const server = new SftpServer(folder, accounts, sshd);
    await eventually('sshd to listen', async () => {
      if (sshd.exitCode !== null) throw new Error(`sshd has ended:\n${server.log}`);
      return /Server listening/.test(server.log) || undefined;
    });
    await run('sh', ['-c', `printf '[127.0.0.1]:%s %s\\n' ${port} "$(cat host_key.pub)" > known_hosts`], {
      cwd: folder,
    });
    return server;
  }

  get log(): string {
    return this.#log();
  }

  accountOf(feed: string): SftpAccount {
    const account = this.#accounts.get(feed);
    if (account === undefined) throw new Error(`no account for ${feed}`);
    return account;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#sshd.exitCode === null) {
      this.#sshd.kill('SIGTERM');
      await once(this.#sshd, 'exit');
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** What sshd would do with a session of the account, by the text of a configuration: keyword → values. */
export async function effectiveSettings(file: string, account: string, ...options: string[]): Promise<string[]> {
  const connection = `user=${account},host=source.example.org,addr=192.0.2.1`;
  const { stdout } = await run(SSHD, ['-T', '-f', file, '-C', connection, ...options]);
  return stdout.trim().split('\n').sort();
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
  readonly group: string;
}

async function openAccount(
  folder: string,
  name: string,
  owners: ReadonlyMap<string, Owner>,
  port: number,
): Promise<SftpAccount> {
  const owner = owners.get(name);
  if (owner === undefined) throw new Error(`this machine has no account ${name}`);
  // As config/container/sftp-entrypoint.sh makes them.
  const root = join(folder, 'drop', name);
  const upload = join(root, 'upload');
  await mkdir(root, { recursive: true, mode: 0o755 });
  await mkdir(upload, { mode: 0o700 });
  await chown(upload, owner.uid, owner.gid);
  await copyFile(join(folder, 'client_key.pub'), join(folder, 'authorized_keys', name));
  return {
    name,
    uid: owner.uid,
    group: owner.group,
    root,
    upload,
    client: new SftpClient({ folder, port, account: name }),
  };
}

async function readOwners(): Promise<ReadonlyMap<string, Owner>> {
  const linesOf = async (path: string): Promise<string[][]> =>
    (await readFile(path, 'utf8')).split('\n').map((line) => line.split(':'));
  const groups = new Map((await linesOf('/etc/group')).map(([group = '', , gid = '']) => [gid, group]));
  return new Map(
    (await linesOf('/etc/passwd')).map(([name = '', , uid = '', gid = '']) => [
      name,
      { uid: Number(uid), gid: Number(gid), group: groups.get(gid) ?? '' },
    ]),
  );
}
