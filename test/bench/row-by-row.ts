import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { Client } from 'pg';
import type { InputRecord } from '../../src/domain/record.js';
import type { CompiledMapping } from '../../src/mapping/compile.js';
import { PatchBuilder } from '../../src/mapping/patch.js';
import type { Model } from '../../src/model/model.js';
import type { MappedUser } from './prepared-rows.js';

interface Stored {
  readonly id: string;
  readonly profile_ref: string;
  readonly in_feed: boolean;
  readonly email: string;
  readonly title: string | null;
  readonly name_first: string;
  readonly name_last: string;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * How most scripts are written: record by record, each user is looked up, then inserted or updated, with statements of
 * their own for account, profile, memberships and state. A careful one compares first, and writes nothing when nothing
 * differs. Reading is outside transactions, what is written for one record is inside one. There is no log of changes: what
 * it costs here is what it costs at least.
 */
export class RowByRow {
  readonly #url: string;
  readonly #mapping: CompiledMapping;
  readonly #patches: PatchBuilder;
  readonly #isCareful: boolean;

  constructor(url: string, mapping: CompiledMapping, model: Model, isCareful: boolean) {
    this.#url = url;
    this.#isCareful = isCareful;
    this.#mapping = mapping;
    this.#patches = new PatchBuilder(model, mapping.mentioned);
  }

  /** @returns seconds for all records of a JSON file, and how many users were written. */
  async takeIn(feedFile: string): Promise<{ seconds: number; written: number }> {
    const client = new Client({ connectionString: this.#url, application_name: 'bench' });
    // The query that is cut off says so.
    client.on('error', () => undefined);
    await client.connect();
    try {
      const started = performance.now();
      let written = 0;
      for (const record of JSON.parse(await readFile(feedFile, 'utf8')) as InputRecord[]) {
        if (await this.#syncOne(client, record)) written += 1;
      }
      return { seconds: (performance.now() - started) / 1000, written };
    } finally {
      await client.end();
    }
  }

  async #syncOne(client: Client, record: InputRecord): Promise<boolean> {
    const outcome = this.#mapping.map(record);
    if (!outcome.accepted) throw new Error('the generator made a bad record');
    const wanted = JSON.parse(this.#patches.build(outcome)) as MappedUser;
    const { rows } = await client.query<Stored>(
      `select account.id, account.profile_ref, feed_user.in_feed, account.email, account.title, account.name_first,
              account.name_last, account.tags
       from sync.feed_user join directory.account on account.id = feed_user.account_id
       where feed_user.username = $1`,
      [outcome.username],
    );
    const [stored] = rows;
    if (stored === undefined) {
      await inTransaction(client, () => add(client, outcome.username, wanted));
      return true;
    }
    if (this.#isCareful && (await isAsWanted(client, stored, wanted))) return false;
    await inTransaction(client, () => change(client, outcome.username, stored, wanted));
    return true;
  }
}

async function isAsWanted(client: Client, stored: Stored, { user, tags, types, profile }: MappedUser) {
  const objects = await client.query<{ types: string[]; attributes: object }>(
    'select types, attributes from directory.object where ref = $1',
    [stored.profile_ref],
  );
  const groups = await client.query<{ group_code: string }>(
    'select group_code from directory.membership where account_id = $1 order by group_code',
    [stored.id],
  );
  return (
    stored.in_feed &&
    stored.email === user.email &&
    stored.title === user.title &&
    stored.name_first === user.nameFirst &&
    stored.name_last === user.nameLast &&
    isDeepStrictEqual(stored.tags, tags) &&
    isDeepStrictEqual(objects.rows[0], { types, attributes: profile }) &&
    isDeepStrictEqual(
      groups.rows.map(({ group_code: code }) => code),
      user.groups.toSorted(),
    )
  );
}

async function add(client: Client, username: string, { user, tags, types, profile }: MappedUser): Promise<void> {
  const { rows: objects } = await client.query<{ ref: string }>(
    'insert into directory.object (types, attributes) values ($1, $2) returning ref',
    [types, profile],
  );
  const { rows: accounts } = await client.query<{ id: string }>(
    `insert into directory.account (email, title, name_first, name_last, tags, profile_ref)
     values ($1, $2, $3, $4, $5, $6) returning id`,
    [user.email, user.title, user.nameFirst, user.nameLast, tags, objects[0]?.ref],
  );
  const id = accounts[0]?.id;
  for (const group of user.groups) await join(client, id, group);
  await client.query(
    `insert into sync.feed_user (username, feed_id, account_id, in_feed, since_run, changed_run)
     values ($1, 1, $2, true, 0, 0)`,
    [username, id],
  );
}

async function change(client: Client, username: string, stored: Stored, wanted: MappedUser): Promise<void> {
  const { user, tags, types, profile } = wanted;
  await client.query(
    `update directory.account
     set is_active = true, email = $2, title = $3, name_first = $4, name_last = $5, tags = $6, updated_at = now()
     where id = $1`,
    [stored.id, user.email, user.title, user.nameFirst, user.nameLast, tags],
  );
  await client.query('update directory.object set types = $2, attributes = $3, updated_at = now() where ref = $1', [
    stored.profile_ref,
    types,
    profile,
  ]);
  await client.query('delete from directory.membership where account_id = $1 and group_code <> all ($2)', [
    stored.id,
    user.groups,
  ]);
  for (const group of user.groups) await join(client, stored.id, group);
  await client.query('update sync.feed_user set in_feed = true, changed_run = 0 where username = $1', [username]);
}

async function join(client: Client, id: string | undefined, group: string): Promise<void> {
  await client.query(
    'insert into directory.membership (account_id, group_code) values ($1, $2) on conflict do nothing',
    [id, group],
  );
}

async function inTransaction(client: Client, work: () => Promise<void>): Promise<void> {
  await client.query('begin');
  await work();
  await client.query('commit');
}
