import { expect } from 'chai';
import { access, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BatchFormat } from './batch-formats.js';
import { Site, type Person } from './cli.js';
import { crowd } from './crowd.js';
import { eventually } from './eventually.js';
import { RunningDaemon, type RunSeen } from './running-daemon.js';

/** What a run's log says of a record that has something wrong with it. */
export interface LoggedError {
  readonly code: string;
  readonly username: string | null;
  readonly record: number;
  readonly line: number;
  readonly byte: number;
  readonly source: string | null;
  readonly value: string | null;
  readonly message: string;
}

/** Somebody as the directory has them. */
type Seen = Pick<Person, 'USERNAME' | 'JOB_TITLE'>;

/** Enough for as many bad records as any test has, and some that are good. */
export const CROWD_SIZE = 26;

export interface FeedsOptions {
  /** Each is `NAME.json`, a control file as shipped that reads `users` so. */
  readonly formats: Readonly<Record<string, object>>;
  /** Further instructions of all of them. */
  readonly instructions?: readonly object[];
  /** Other sections of the configuration. */
  readonly config?: object;
}

/** Settings of a feed for each control file `NAME.json`, without guards. */
export function unguardedFeeds(names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, { control: `./${name}.json`, guards: 'off' }]));
}

/** How control files read, for `FeedsOptions.formats`. */
export function readBy(formats: Readonly<Record<string, BatchFormat>>): Record<string, { readonly read: string }> {
  return Object.fromEntries(Object.entries(formats).map(([name, { read }]) => [name, { read }]));
}

/**
 * A daemon with a feed, and so a drop directory, for each thing that a test drops. The first run would be held; everything
 * else is as a careful operator has it, unless a feed's settings say otherwise.
 */
export class FeedsSite implements AsyncDisposable {
  private constructor(
    readonly site: Site,
    readonly daemon: RunningDaemon,
  ) {}

  /** @param feeds settings by name of the feed, with `control` */
  static async open(feeds: Readonly<Record<string, object>>, options: FeedsOptions): Promise<FeedsSite> {
    const { formats, instructions = [], config = {} } = options;
    const settings = Object.entries(feeds).map(([name, own]) => {
      const usual = { settleMs: 0, scanIntervalMs: 1000, guards: { 'first-run': 'off' } };
      return [name, { ...usual, ...own }] as const;
    });
    const site = await Site.open({ config: { ...config, feeds: { default: {}, ...Object.fromEntries(settings) } } });
    const template = (await site.control()) as { readonly instructions: readonly object[] };
    for (const [name, users] of Object.entries(formats)) {
      const control = { ...template, files: { users }, instructions: [...template.instructions, ...instructions] };
      await site.write(`${name}.json`, JSON.stringify(control));
    }
    const opened = new FeedsSite(site, await RunningDaemon.start(site, Object.keys(feeds)));
    // On duty first, then the directories are made.
    for (const [feed, own] of Object.entries(feeds)) {
      if (!('dropDirectory' in own)) await opened.#isMade(feed);
    }
    return opened;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon[Symbol.asyncDispose]();
    await this.site[Symbol.asyncDispose]();
  }

  async #isMade(feed: string): Promise<void> {
    await eventually(`the drop directory of ${feed}`, async () => {
      const isThere = await access(this.pathOf(feed)).then(
        () => true,
        () => false,
      );
      return isThere || undefined;
    });
  }

  /** Of a file in the feed's drop directory, or of the directory. */
  pathOf(feed: string, name = ''): string {
    return join(this.site.folder, 'var', 'drop', feed, name);
  }

  async left(feed: string): Promise<string[]> {
    return (await readdir(this.pathOf(feed))).sort();
  }

  /** Puts a whole file into place, as a careful sender does. */
  async drop(feed: string, name: string, content: string | Uint8Array): Promise<void> {
    await writeFile(this.pathOf(feed, `.${name}`), content);
    await this.place(feed, name);
  }

  /** Gives a file its name that was written with a dot in front. */
  async place(feed: string, name: string): Promise<void> {
    await rename(this.pathOf(feed, `.${name}`), this.pathOf(feed, name));
  }

  /** Drops the feed's next batch and waits for the end of its run. */
  async take(feed: string, content: string | Uint8Array): Promise<RunSeen> {
    await writeFile(this.pathOf(feed, '.users'), content);
    return this.takeWritten(feed);
  }

  /** The same of a batch that was written as `.users` before. */
  async takeWritten(feed: string): Promise<RunSeen> {
    const before = (await this.daemon.runs(feed)).length;
    await this.place(feed, 'users');
    return this.daemon.runEnds(before + 1, feed);
  }

  /** A batch that is as it should be. */
  async begin(feed: string, batch: readonly Person[], format = BatchFormat.JSON): Promise<void> {
    expect(await this.take(feed, format.write(batch)), feed).to.include({ status: 'complete' });
    await this.expectPeople(feed, batch);
  }

  /** Whom the feed has, by username and job; `crowd` as its first batch, if it has nobody yet. */
  async peopleOf(feed: string, format: BatchFormat): Promise<Seen[]> {
    const people = await this.#seen(feed);
    if (people.length > 0) return people;
    await this.begin(feed, crowd(feed, CROWD_SIZE, 'before'), format);
    return this.#seen(feed);
  }

  /** Those and no others are in the feed, active, with their jobs. */
  async expectPeople(feed: string, batch: readonly Person[]): Promise<void> {
    const expected = batch.map(({ USERNAME, JOB_TITLE }) => ({ USERNAME, JOB_TITLE }));
    expect(await this.#seen(feed), feed).to.have.deep.members(expected);
  }

  /** In the order of their numbers. */
  #seen(feed: string): Promise<Seen[]> {
    return this.site.query<Seen>(`
      select username as "USERNAME", profile #>> '{std:attribute:job-title,0,value}' as "JOB_TITLE"
      from directory.users where feed = '${feed}' and is_active and in_feed
      order by length(username), username`);
  }

  /** What is wrong with records, in the order of the file. */
  errors(run: RunSeen): Promise<(LoggedError & Record<string, unknown>)[]> {
    return this.site.query(`
      select code, username, record, line, byte::integer, source, value, message
      from sync.run_log where run_id = ${run.id} and level = 'error' order by record, id`);
  }
}
