import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../src/lib/package-root.js';
import type { PlannedChange } from '../../src/domain/run.js';
import type { RunReport } from '../../src/sync/run-report.js';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from './postgres.js';

/** The built program that these tests were built with. */
const PROGRAM = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** How one call of the program ended. */
export interface Called {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A record of the shipped example's feed. */
export type Person = Readonly<Record<string, string>>;

/** A record that the shipped control file takes, always the same for a number; `changes` replace fields. */
export function person(number: number, changes: Person = {}): Person {
  return {
    USERNAME: `user${number}`,
    TITLE: 'Dr',
    FIRST_NAME: `First${number}`,
    LAST_NAME: `Last${number}`,
    EMAIL: `user${number}@example.org`,
    ROLE: number % 3 === 0 ? 'staff' : 'student',
    JOB_TITLE: 'Reader in Linguistics',
    PHONE: '+44 20 7946 0123',
    HOMEPAGE: 'people.example.org/someone',
    CARD: String(1000 + number),
    ...changes,
  };
}

/** The first `count` people, numbered from 1. */
export function people(count: number): Person[] {
  return Array.from({ length: count }, (_, index) => person(index + 1));
}

export interface SiteOptions {
  /** Settings of the feed `default`, beside its control file. */
  readonly feed?: object;
  /** Other sections of the configuration. */
  readonly config?: object;
  readonly control?: object;
  readonly model?: string;
  /**
   * Where the directory is: a database of the tests' own server that was migrated, one that was not, the embedded
   * Postgres that the program brings, or a database of a server that the test owns.
   */
  readonly database?: 'migrated' | 'empty' | 'embedded' | TestDatabase;
}

/** The folder of an operator: a configuration, a control file, batches, and the program to call there. */
export class Site implements AsyncDisposable {
  readonly #testDatabase: TestDatabase | undefined;

  private constructor(
    readonly folder: string,
    testDatabase: TestDatabase | undefined,
  ) {
    this.#testDatabase = testDatabase;
  }

  static async open(options: SiteOptions = {}): Promise<Site> {
    const folder = await mkdtemp(join(tmpdir(), 'user-sync-site-'));
    // The embedded Postgres may run as another user, who must get to its own folder.
    await chmod(folder, 0o755);
    const { database = 'migrated' } = options;
    const testDatabase = await open(database);
    const site = new Site(folder, testDatabase);
    const shipped = join(packageRoot(), 'config');
    const control =
      options.control === undefined
        ? await readFile(join(shipped, 'examples', 'control.json'), 'utf8')
        : JSON.stringify(options.control);
    await site.write('control.json', control);
    await site.write(
      'user-sync.yaml',
      JSON.stringify({
        model: options.model ?? join(shipped, 'model.json'),
        feeds: { default: { control: './control.json', ...options.feed } },
        http: { port: 0 },
        ...options.config,
      }),
    );
    return site;
  }

  /** The database itself, as applications and people with psql see it. */
  get testDatabase(): TestDatabase {
    if (this.#testDatabase === undefined) throw new Error('this site has an embedded database of its own');
    return this.#testDatabase;
  }

  query<Row extends Record<string, unknown>>(text: string): Promise<Row[]> {
    return this.testDatabase.database.query<Row>(text);
  }

  /** What the program has no right to: done by somebody who may do everything. */
  async administer(text: string): Promise<void> {
    await this.testDatabase.administrator.database.query(text);
  }

  /** Everyone in the directory, to compare before and after. */
  directory(): Promise<object[]> {
    return this.query('select * from directory.users order by id');
  }

  async write(name: string, content: string | Uint8Array): Promise<string> {
    await writeFile(join(this.folder, name), content);
    return name;
  }

  /** The control file, to make another of it. */
  async control(): Promise<object> {
    return JSON.parse(await readFile(join(this.folder, 'control.json'), 'utf8')) as object;
  }

  /** A folder that makes the program a command, for a PATH. */
  async programFolder(): Promise<string> {
    const folder = join(this.folder, 'bin');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'user-sync'), `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`);
    await chmod(join(folder, 'user-sync'), 0o755);
    return folder;
  }

  /** Calls the program in the site's folder. */
  async call(...args: string[]): Promise<Called> {
    return (await this.start(args)).ended;
  }

  /** Calls the program with other environment variables than usual. */
  async callWith(environment: NodeJS.ProcessEnv, ...args: string[]): Promise<Called> {
    return (await this.start(args, environment)).ended;
  }

  /** Starts the program without waiting for its end. */
  async start(
    args: readonly string[],
    environment: NodeJS.ProcessEnv = {},
    stdin: 'ignore' | 'pipe' = 'ignore',
  ): Promise<Running> {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd: this.folder,
      env: {
        PATH: process.env['PATH'],
        TMPDIR: tmpdir(),
        ...(this.#testDatabase === undefined ? {} : { DATABASE_URL: this.#testDatabase.url }),
        ...environment,
      },
      stdio: [stdin, 'pipe', 'pipe'],
    });
    const ended = collect(child);
    await once(child, 'spawn');
    return { child, ended };
  }

  /** Writes a batch and syncs it; `more` are further options. */
  async sync(batch: readonly unknown[], ...more: string[]): Promise<Synced> {
    await this.write('users.json', JSON.stringify(batch));
    return this.syncFile('users.json', ...more);
  }

  async syncFile(file: string, ...more: string[]): Promise<Synced> {
    const called = await this.call('sync', `users=${file}`, '--json', ...more);
    return { ...called, report: called.stdout === '' ? undefined : (JSON.parse(called.stdout) as RunReport) };
  }

  /** The planned changes of a run, as `plan --format ndjson` prints them. */
  async plan(run: number, ...more: string[]): Promise<PlannedChange[]> {
    const { stdout } = await this.call('plan', String(run), '--format', 'ndjson', ...more);
    return ndjson<PlannedChange>(stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#testDatabase?.drop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function open(database: SiteOptions['database']): Promise<TestDatabase | undefined> {
  if (database === 'embedded') return undefined;
  if (typeof database === 'object') return database;
  return database === 'empty' ? createEmptyDatabase() : createTestDatabase();
}

export interface Synced extends Called {
  readonly report: RunReport | undefined;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Called>;
}

/** The objects of an answer with one a line. */
export function ndjson<T = Record<string, unknown>>(text: string): T[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/** Waits until the program has printed a line that matches. */
export async function printed(stream: NodeJS.ReadableStream, pattern: RegExp): Promise<string> {
  try {
    for await (const line of createInterface({ input: stream })) if (pattern.test(line)) return line;
    throw new Error(`the program ended without printing ${String(pattern)}`);
  } finally {
    // Reading line by line pauses it at the end, and a program whose output nobody reads stands still.
    stream.resume();
  }
}

async function collect(child: ChildProcess): Promise<Called> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}
