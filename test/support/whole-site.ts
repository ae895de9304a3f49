import { expect } from 'chai';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../../src/db/database.js';
import type { RunRow } from '../../src/db/runs.js';
import { ChangeFollower } from './change-follower.js';
import { Site, type Running } from './cli.js';
import { eventually } from './eventually.js';
import { PROPERTY_CONTROL } from './model-user.js';
import { LEDGER_GUARDS } from './run-ledger.js';
import { RunningDaemon } from './running-daemon.js';
import { WatchedWrites } from './watched-writes.js';

/** The shortest that there is. */
const LEASE_SECONDS = 3;
export const LEASE_MS = LEASE_SECONDS * 1000;

/** Frozen processes come back, leases end, dead sessions are ended: twice a lease at most, each. */
const PATIENCE_MS = 45_000;
const LEAVE_MS = 20_000;

const AT_REST = ['held', 'complete', 'failed', 'cancelled'];

/** A whole system of one or two daemons, with commands beside them, and what it takes to ill-treat and to watch it. */
export class WholeSite implements AsyncDisposable {
  #daemons: RunningDaemon[] = [];
  readonly #commands = new Map<Running, string>();
  readonly #frozen = new Set<RunningDaemon>();

  private constructor(
    private readonly site: Site,
    private readonly writes: WatchedWrites,
    private readonly follower: ChangeFollower,
  ) {}

  static async open(): Promise<WholeSite> {
    const site = await Site.open({
      control: PROPERTY_CONTROL,
      config: { leaseSeconds: LEASE_SECONDS },
      feed: { guards: LEDGER_GUARDS, settleMs: 0, scanIntervalMs: 100, chunkSize: 3, concurrency: 2 },
    });
    const { testDatabase } = site;
    const follower = new ChangeFollower(testDatabase.database);
    const whole = new WholeSite(site, await WatchedWrites.on(testDatabase), follower);
    await mkdir(whole.#dropDirectory, { recursive: true });
    await whole.startDaemon();
    return whole;
  }

  get #dropDirectory(): string {
    return join(this.site.folder, 'var', 'drop', 'default');
  }

  get database(): Database {
    return this.site.testDatabase.database;
  }

  /** Nothing is refused here. */
  rows<Row extends Record<string, unknown>>(text: string, params?: readonly unknown[]): Promise<Row[]> {
    return this.site.testDatabase.administrator.database.query<Row>(text, params);
  }

  async drop(text: string): Promise<void> {
    await this.site.write('users.uploading', text);
    await rename(join(this.site.folder, 'users.uploading'), join(this.#dropDirectory, 'users.json'));
  }

  async startDaemon(): Promise<void> {
    const { environment, name } = this.writes.introduce();
    const daemon = await RunningDaemon.start(this.site, [], 'var', environment);
    this.writes.runsAs(name, daemon.pid);
    this.#daemons.push(daemon);
  }

  /** Starts a command and does not wait for it. */
  async command(...args: string[]): Promise<void> {
    const { environment, name } = this.writes.introduce();
    const running = await this.site.start(args, environment);
    this.writes.runsAs(name, running.child.pid ?? 0);
    this.#commands.set(running, args.join(' '));
  }

  /** With kill -9: a command under way or a daemon, which is started again. */
  async kill(pick: number): Promise<void> {
    const commands = [...this.#commands.keys()].filter(({ child }) => child.exitCode === null);
    const command = commands[0];
    if (command !== undefined && pick < 0.5) {
      command.child.kill('SIGKILL');
      await command.ended;
      return;
    }
    const daemon = await this.#onDuty(pick);
    this.#forget(daemon);
    await daemon.kill();
    await this.startDaemon();
  }

  /** By SIGTERM, and starts it again. */
  async end(pick: number): Promise<void> {
    const daemon = await this.#onDuty(pick);
    this.#forget(daemon);
    await this.#leave(daemon);
    await this.startDaemon();
  }

  /** Starts a second daemon, or ends one of the two. */
  async second(pick: number): Promise<void> {
    if (this.#daemons.length < 2) return this.startDaemon();
    const daemon = this.#daemons[pick < 0.5 ? 0 : 1]!;
    this.#forget(daemon);
    await this.#leave(daemon);
  }

  /** For longer than its lease in the middle of a run, if there is one soon, and with another daemon to take over. */
  async freeze(pick: number, forMs: number): Promise<void> {
    if (forMs > LEASE_MS) {
      if (this.#daemons.length < 2) await this.startDaemon();
      await this.#underWay();
    }
    const daemon = await this.#onDuty(pick);
    this.#frozen.add(daemon);
    daemon.freeze();
    // Others go on meanwhile, and further faults come.
    void delay(forMs).then(() => this.#thaw(daemon));
  }

  /** Not of a daemon that is about to start: it may end then, as without a database. */
  async endConnections(): Promise<void> {
    const starting = this.#daemons.filter(({ log }) => !log.some(({ message }) => message.startsWith('Started')));
    await this.writes.endConnections(
      0.7,
      starting.map(({ pid }) => pid),
    );
  }

  /** Waits until nothing is under way any more: files are taken, and each run has ended or waits for a decision. */
  async settled(runs: () => Promise<RunRow[]>): Promise<void> {
    const rest = eventually(
      'everything to come to rest',
      async () => {
        if (this.#frozen.size > 0 || (await readdir(this.#dropDirectory)).length > 0) return undefined;
        for (const running of this.#commands.keys()) {
          if (running.child.exitCode === null && running.child.signalCode === null) return undefined;
        }
        const isAtRest = ({ status, queued, approvedAt }: RunRow): boolean =>
          status === 'held' ? approvedAt === null : AT_REST.includes(status) || (status === 'ready' && !queued);
        return (await runs()).every(isAtRest) || undefined;
      },
      PATIENCE_MS,
    );
    await rest.catch(async (error: unknown) => {
      throw new Error(`${String(error)}\n${await this.#describe(runs)}`, { cause: error });
    });
    this.#commands.clear();
  }

  async expectWatched(): Promise<void> {
    await this.writes.expectFenced();
    await this.follower.expectComplete();
    // Fails for one that has ended, as nobody ended it.
    for (const daemon of this.#daemons) await daemon.logged(/^Started/, null);
  }

  /** Nothing is left of plans and batches but what somebody may still want. */
  async expectTidy(): Promise<void> {
    const wanted = await this.rows<{ name: string }>(
      `select 'stage_' || id as name from sync.run
       where status = 'held' or id = (select max(id) from sync.run where applied and outcome <> 'nothing-new')`,
    );
    const names = wanted.map(({ name }) => name);
    let left: string[] = [];
    await eventually('staging tables to go', async () => {
      const found = await this.rows<{ name: string }>(
        `select relname as name from pg_class where relkind = 'r' and relname like 'stage\\_%' order by 1`,
      );
      left = found.map(({ name }) => name);
      return left.every((name) => names.includes(name)) || undefined;
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}: there are ${left.join(', ')}, wanted ${names.join(', ')}`, { cause: error });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.follower[Symbol.asyncDispose]();
    for (const { child, ended } of this.#commands.keys()) {
      child.kill('SIGKILL');
      await ended;
    }
    for (const daemon of this.#daemons) await daemon.kill();
    await this.site[Symbol.asyncDispose]();
  }

  /** Leaves well, so that the end of a test shows it too. */
  async close(): Promise<void> {
    for (const daemon of this.#daemons) await this.#leave(daemon);
    this.#daemons = [];
  }

  async #underWay(): Promise<void> {
    const isUnderWay = async (): Promise<true | undefined> =>
      (await this.rows(`select from sync.run where status in ('planning', 'applying')`)).length > 0 || undefined;
    await eventually('a run under way', isUnderWay, 1000).catch(() => undefined);
  }

  /** Mostly the one that takes files in and starts runs. */
  async #onDuty(pick: number): Promise<RunningDaemon> {
    const [feed] = await this.rows<{ holder: string | null }>(
      `select duty_holder as holder from sync.feed where name = 'default'`,
    );
    const pid = Number(feed?.holder?.split(':')[1]);
    const onDuty = this.#daemons.find((daemon) => daemon.pid === pid);
    return pick < 0.8 && onDuty !== undefined ? onDuty : this.#daemons.at(-1)!;
  }

  #thaw(daemon: RunningDaemon): void {
    this.#frozen.delete(daemon);
    daemon.thaw();
  }

  #forget(daemon: RunningDaemon): void {
    this.#frozen.delete(daemon);
    this.#daemons = this.#daemons.filter((other) => other !== daemon);
  }

  async #leave(daemon: RunningDaemon): Promise<void> {
    daemon.thaw();
    // Before that, a process does not listen to signals: any of them just ends it.
    await daemon.logged(/^Started/, null);
    const late = delay(LEAVE_MS, undefined, { ref: false }).then(() => undefined);
    const ended = await Promise.race([daemon.stop(), late]);
    if (ended === undefined) {
      await daemon.kill();
      throw new Error(`a daemon did not leave within ${LEAVE_MS} ms`);
    }
    expect(ended.code, ended.stderr).to.equal(0);
  }

  async #describe(runs: () => Promise<RunRow[]>): Promise<string> {
    const open = (await runs()).filter(({ status }) => !['complete', 'failed', 'cancelled'].includes(status));
    const feeds = await this.rows('select to_jsonb(feed) - $1::text[] as feed from sync.feed', [['settings']]);
    const sessions = await this.rows(
      `select application_name, state, wait_event, left(query, 80) as query from pg_stat_activity
       where datname = current_database() and application_name like 'user-sync %'`,
    );
    return [
      `left in the drop directory: ${(await readdir(this.#dropDirectory)).join(', ')}`,
      `commands: ${[...this.#commands].map(([{ child }, what]) => `${what}: ${child.exitCode ?? 'runs'}`).join(', ')}`,
      ...open.map(({ id, kind, status, queued, approvedAt }) =>
        JSON.stringify({ id, kind, status, queued, approvedAt }),
      ),
      ...[...feeds, ...sessions].map((row) => JSON.stringify(row)),
      ...this.#daemons.flatMap((daemon) => [
        `daemon ${daemon.pid}${daemon.isRunning ? '' : ', ended'}${this.#frozen.has(daemon) ? ', frozen' : ''}:`,
        ...daemon.log.slice(-15).map((line) => `  ${JSON.stringify(line)}`),
      ]),
    ].join('\n');
  }
}
