import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface SftpClientOptions {
  /** With keys and `known_hosts`. */
  readonly folder: string;
  readonly port: number;
  readonly account: string;
  /** A file of the folder; `client_key` unless told. */
  readonly key?: string;
}

/** A client that has ended. */
export interface Transferred {
  readonly code: number | null;
  readonly output: string;
  /** When the last command began and was done, by the client's clock in milliseconds. NaN when it came to nothing. */
  readonly begunAt: number;
  readonly doneAt: number;
}

/** A client under way. It and its ssh are a process group of their own, so that both can be stopped at once. */
export class Transfer {
  readonly ended: Promise<Transferred>;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    this.ended = once(child, 'close').then(([code]) => ({
      code: code as number | null,
      output,
      begunAt: Number(/^begun at (\d+)$/m.exec(output)?.[1]),
      doneAt: Number(/^done at (\d+)$/m.exec(output)?.[1]),
    }));
  }

  pause(): void {
    this.#signal('SIGSTOP');
  }

  goOn(): void {
    this.#signal('SIGCONT');
  }

  /** As when the machine of the source system is switched off. */
  async cutOff(): Promise<void> {
    this.#signal('SIGKILL');
    await this.ended;
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal);
  }
}

/** The real clients of OpenSSH, as a source system calls them: with a key, without questions, knowing the host. */
export class SftpClient {
  readonly #options: SftpClientOptions;

  constructor(options: SftpClientOptions) {
    this.#options = options;
  }

  /**
   * Runs a batch of sftp commands in `upload`, and fails as soon as one of them does.
   *
   * @returns when the last of them began: the upload was complete a moment later, and certainly not before.
   */
  async run(...commands: string[]): Promise<number> {
    const { code, output, begunAt } = await this.start(commands).ended;
    if (code !== 0) throw new Error(`sftp ended with ${code}:\n${output}`);
    return begunAt;
  }

  /** As `run`, without waiting; `kilobitsPerS` slows it down, in small pieces, since a piece is sent all at once. */
  start(commands: readonly string[], kilobitsPerS?: number): Transfer {
    const slowly = kilobitsPerS === undefined ? [] : ['-l', String(kilobitsPerS), '-B', '4096'];
    const transfer = this.#spawn('sftp', [...slowly, '-b', '-', ...this.#connection('-P'), this.#target]);
    const lines = ['cd upload', ...commands.slice(0, -1), stamp('begun'), ...commands.slice(-1), stamp('done'), ''];
    transfer.child.stdin?.end(lines.join('\n'));
    return transfer;
  }

  /** `scp -s`: the SFTP protocol under another name. */
  async scp(...files: string[]): Promise<void> {
    const { code, output } = await this.#spawn('scp', [
      '-s',
      ...this.#connection('-P'),
      ...files,
      `${this.#target}:upload/`,
    ]).ended;
    if (code !== 0) throw new Error(`scp ended with ${code}:\n${output}`);
  }

  /** Tries to use the account for something else. */
  async ssh(options: readonly string[], ...command: string[]): Promise<Transferred> {
    const transfer = this.#spawn('ssh', [...options, ...this.#connection('-p'), this.#target, ...command]);
    transfer.child.stdin?.end();
    return transfer.ended;
  }

  /** The same account with another key. */
  withKey(key: string): SftpClient {
    return new SftpClient({ ...this.#options, key });
  }

  get #target(): string {
    return `${this.#options.account}@127.0.0.1`;
  }

  /** Nothing of whoever runs the tests counts: no configuration, no agent, no other key. */
  #connection(portOption: '-p' | '-P'): string[] {
    const { folder, port, key = 'client_key' } = this.#options;
    const options = {
      IdentityFile: join(folder, key),
      IdentitiesOnly: 'yes',
      IdentityAgent: 'none',
      UserKnownHostsFile: join(folder, 'known_hosts'),
      StrictHostKeyChecking: 'yes',
      BatchMode: 'yes',
    };
    return [
      '-F',
      'none',
      portOption,
      String(port),
      ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    ];
  }

  #spawn(program: string, args: readonly string[]): Transfer & { readonly child: ChildProcess } {
    const child = spawn(program, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    return Object.assign(new Transfer(child), { child });
  }
}

/** Has the client run a command of its own machine, between two of its own. */
function stamp(what: 'begun' | 'done'): string {
  return `!echo "${what} at $(date +%s%3N)"`;
}
