import { changesOf, type UserChange } from '../db/changes.js';
import type { Executor } from '../db/database.js';
import { stageTable } from '../db/queries.js';
import { UserSyncError } from '../lib/errors.js';
import { mapAgain } from './mapped-again.js';
import type { SyncContext } from './context.js';
import { overridesOf, type Override } from './overrides.js';
import { controlFile, listedIn } from '../db/feeds.js';

const TIMELINE_LENGTH = 50;

/** Everything known of one person. */
export interface Person {
  /** As in the view directory.users; null for someone who was only ever rejected. */
  readonly account: Account | null;
  /** Objects that belong to the profile, and to these, oldest first. */
  readonly objects: readonly BelongingObject[];
  readonly sync: SyncState | null;
  /** What operators want for this user, whatever the feed says. */
  readonly overrides: readonly Override[];
  readonly received: Received | null;
  /** Newest first. */
  readonly changes: readonly UserChange[];
  readonly errors: readonly PersonError[];
}

export interface Account {
  readonly id: number;
  readonly username: string | null;
  readonly feed: string | null;
  readonly email: string;
  readonly title: string | null;
  readonly name_first: string | null;
  readonly name_last: string | null;
  readonly is_active: boolean;
  readonly in_feed: boolean;
  readonly groups: readonly string[];
  readonly tags: Readonly<Record<string, unknown>>;
  readonly profile_ref: number | null;
  readonly profile_types: readonly string[];
  readonly profile: Readonly<Record<string, unknown>>;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly dictionaries: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface BelongingObject {
  readonly ref: number;
  readonly owner: number;
  readonly types: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface SyncState {
  readonly inError: boolean;
  /** Looked at again in the next run, as an operator wants. */
  readonly lookAgain: boolean;
  /** Missing from the feed, and not blocked for it: since when, and in how many runs. */
  readonly missing: { readonly since: Date; readonly runs: number } | null;
  /** The run that last brought the user into the feed or took them out, and when. */
  readonly since: { readonly run: number; readonly at: Date | null };
  readonly lastChange: { readonly run: number; readonly at: Date | null };
}

/** The record last received, in the words of its file. */
export interface Received {
  readonly run: number;
  readonly file: string;
  readonly record: number;
  readonly line: number;
  readonly accepted: boolean;
  readonly raw: string;
  /** What it was mapped to, when the batch is still at hand. */
  readonly mapped: unknown;
}

export interface PersonError {
  readonly run: number;
  readonly at: Date;
  readonly code: string | null;
  readonly message: string;
  readonly source: string | null;
  readonly value: string | null;
}

/**
 * Answers 'why' for one person, also one that the sync did not make or never accepted.
 *
 * @param who a username or an e-mail address, in any case.
 * @throws UserSyncError `user-unknown`
 */
export async function lookUpPerson(context: SyncContext, who: string): Promise<Person> {
  const account = await findAccount(context, who);
  const person = await describe(context, account, account === undefined ? who.toLowerCase() : account.username);
  if (person.account !== null || person.received !== null || person.errors.length > 0) return person;
  throw new UserSyncError(
    'user-unknown',
    `Nobody with the username or e-mail address "${who}" is known. Spelling counts, case does not.`,
    { kind: 'usage' },
  );
}

/** @throws UserSyncError `user-unknown` */
export async function lookUpAccount(context: SyncContext, id: number): Promise<Person & { readonly account: Account }> {
  const [account] = await context.database.query<Account & Record<string, unknown>>(
    'select * from directory.users where id = $1',
    [id],
  );
  if (account === undefined) {
    throw new UserSyncError('user-unknown', `There is no account ${id}.`, { kind: 'usage' });
  }
  return { ...(await describe(context, account, account.username)), account };
}

async function describe(context: SyncContext, account: Account | undefined, username: string | null): Promise<Person> {
  const { database } = context;
  return {
    account: account ?? null,
    objects: account?.profile_ref == null ? [] : await database.rows('lookup/belonging-objects', [account.profile_ref]),
    sync: (account === undefined ? undefined : await findState(context, account.id)) ?? null,
    overrides: username === null ? [] : await overridesOf(database, username),
    received: username === null ? null : await findReceived(context, username, account?.feed ?? null),
    changes: username === null ? [] : await changesOf(database, username, { limit: TIMELINE_LENGTH }),
    errors: username === null ? [] : await findErrors(context, username),
  };
}

async function findAccount({ database }: SyncContext, who: string): Promise<Account | undefined> {
  // By id, so that each way in uses its own index; a username is a better answer than an e-mail address.
  const [account] = await database.query<Account & Record<string, unknown>>(
    `select users.* from (
       select account_id as id, 1 as rank from sync.feed_user where username = $2
       union all
       select id, 2 from directory.account where lower(email) = lower($1)
     ) as found join directory.users on users.id = found.id
     order by rank, users.is_active desc, users.id limit 1`,
    [who, who.toLowerCase()],
  );
  return account;
}

async function findState({ database }: SyncContext, accountId: number): Promise<SyncState | undefined> {
  const [row] = await database.query<{
    in_error: boolean;
    look_again: boolean;
    missing_since: Date | null;
    missing_runs: number;
    since_run: number;
    since_at: Date | null;
    changed_run: number;
    changed_at: Date | null;
  }>(
    `select feed_user.in_error, feed_user.look_again, feed_user.missing_since, feed_user.missing_runs,
            feed_user.since_run, since.finished_at as since_at,
            feed_user.changed_run, changed.finished_at as changed_at
     from sync.feed_user
     left join sync.run as since on since.id = feed_user.since_run
     left join sync.run as changed on changed.id = feed_user.changed_run
     where feed_user.account_id = $1`,
    [accountId],
  );
  if (row === undefined) return undefined;
  return {
    inError: row.in_error,
    lookAgain: row.look_again,
    missing: row.missing_since === null ? null : { since: row.missing_since, runs: row.missing_runs },
    since: { run: row.since_run, at: row.since_at },
    lastChange: { run: row.changed_run, at: row.changed_at },
  };
}

/**
 * From the feed's last applied batch while that is at hand, else what was last kept: it changes only with the user.
 *
 * @param feed whose user it is; null: nobody's yet, and the feed that had the last batch with such a record answers
 */
async function findReceived(context: SyncContext, username: string, feed: string | null): Promise<Received | null> {
  const { database } = context;
  const runs = await database.query<{ id: number }>(
    `select max(run.id) as id from sync.run join sync.feed on feed.id = run.feed_id
     where run.applied and run.outcome is distinct from 'nothing-new' and feed.name = coalesce($1::text, feed.name)
     group by feed.id order by id desc`,
    [feed],
  );
  for (const run of runs) {
    const staged = await findStaged(context, run.id, username);
    if (staged !== undefined) return staged;
  }
  const [kept] = await database.query<Omit<Received, 'mapped'> & Record<string, unknown>>(
    'select run_id as run, file, record, line, accepted, raw from sync.received where username = $1',
    [username],
  );
  return kept === undefined ? null : { ...kept, mapped: null };
}

async function findStaged(context: SyncContext, runId: number, username: string): Promise<Received | undefined> {
  const { database } = context;
  const table = stageTable(runId);
  const [stage] = await database.rows<{ exists: boolean }>('stage/stage-exists', [table]);
  if (stage?.exists !== true) return undefined;
  const [row] = await database.rows<{
    file: number;
    record: number;
    line: number;
    accepted: boolean;
    mapped: string | null;
    raw: string | null;
  }>('stage/staged-user', [username, runId], table);
  // Something else was taken in since, by a run that was not applied to its end.
  if (row?.raw == null) return undefined;
  const [run] = await database.query<{ controlId: number }>(
    'select control_id as "controlId" from sync.run where id = $1',
    [runId],
  );
  const control = run === undefined ? undefined : await controlFile(database, run.controlId);
  const names = control === undefined ? [] : listedIn(control);
  const { file, mapped, raw, ...rest } = row;
  const received = { run: runId, file: names[file] ?? '', ...rest, raw };
  if (mapped !== null) return { ...received, mapped: JSON.parse(mapped) as unknown };
  const again = row.accepted && control !== undefined ? await mapAgain(context, control, raw) : undefined;
  return { ...received, mapped: again ?? null };
}

async function findErrors({ database }: SyncContext, username: string): Promise<PersonError[]> {
  return database.query<PersonError & Record<string, unknown>>(
    `select run_id as run, at, code, message, source, value from sync.run_log
     where username = $1 and level = 'error' order by id desc limit $2`,
    [username, TIMELINE_LENGTH],
  );
}

/** The accounts of those whom a feed brought, by username. */
export async function accountsOf(
  database: Executor,
  usernames: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await database.query<{ username: string; account: number }>(
    'select username, account_id as account from sync.feed_user where username = any($1)',
    [usernames],
  );
  return new Map(rows.map(({ username, account }) => [username, account]));
}
