import type { InputRecord, JsonValue } from '../../src/domain/record.js';
import type { RunCounts } from '../../src/domain/run.js';
import type { ReadItem } from '../../src/readers/reader.js';
import { installModel } from '../../src/sync/install-model.js';
import type { SyncHarness } from '../support/sync.js';
import { NOBODY } from '../unit/mapping/mapping-case.js';
import { interpret, type NaiveInstruction } from '../unit/mapping/naive-interpreter.js';
import type { NaiveState } from '../unit/mapping/naive-state.js';

/** What a directory has of users after batches of any records, taken in one after the other; and accounts made by hand. */

const JOB = 'std:attribute:job-title';
const MAX_USERNAME_LENGTH = 255;
export const BY_HAND = 'hand@example.org';

export const INSTRUCTIONS: readonly NaiveInstruction[] = [
  { source: 'user', destination: 'user', name: 'username' },
  { source: 'first', destination: 'user', name: 'nameFirst' },
  { source: 'last', destination: 'user', name: 'nameLast' },
  { source: 'mail', destination: 'user', name: 'email', filters: ['haplo:to-lower-case'] },
  {
    source: 'role',
    destination: 'user',
    name: 'groups',
    multivalue: true,
    mapInputValue: { staff: 'example:group:staff', student: 'example:group:students' },
  },
  { action: 'remove-values', destination: 'profile', name: JOB },
  { source: 'job', destination: 'profile', name: JOB },
  { source: 'card', destination: 'user:tags', name: 'example:tag:card-number' },
];

interface User {
  readonly email: JsonValue;
  readonly first: JsonValue;
  readonly last: JsonValue;
  readonly groups: readonly string[];
  readonly tags: Readonly<Record<string, JsonValue>>;
  readonly job: JsonValue;
  readonly active: boolean;
  readonly inFeed: boolean;
}

type MutableCounts = { -readonly [Name in keyof RunCounts]: number };

export class NaiveDirectory {
  readonly #users = new Map<string, User>();

  /** Takes in what a reader gives of a file that can be read to its end. */
  apply(items: readonly ReadItem[]): RunCounts {
    const counts: MutableCounts = {
      records: 0,
      added: 0,
      updated: 0,
      blocked: 0,
      unblocked: 0,
      unchanged: 0,
      rejected: 0,
    };
    const seen = new Set<string>();
    for (const item of items) {
      counts.records += 1;
      const state = mapped(item.value ?? {});
      const username = usernameOf(state);
      const isFirst = username !== undefined && !seen.has(username);
      if (username !== undefined) seen.add(username);
      if (!isFirst || item.kind === 'rejected' || state.rejected || state.user['email'] === BY_HAND)
        counts.rejected += 1;
      else this.#take(username, state, counts);
    }
    for (const [username, user] of this.#users) {
      if (!user.inFeed || seen.has(username)) continue;
      counts.blocked += 1;
      this.#users.set(username, { ...user, active: false, inFeed: false });
    }
    return counts;
  }

  #take(username: string, state: NaiveState, counts: MutableCounts): void {
    const before = this.#users.get(username);
    const after: User = {
      email: state.user['email'] ?? null,
      first: state.user['nameFirst'] ?? null,
      last: state.user['nameLast'] ?? null,
      groups: state.groups,
      tags: { ...before?.tags, ...state.dictionaries['user:tags'] },
      job: state.profile[JOB]?.[0]?.value ?? null,
      active: true,
      inFeed: true,
    };
    if (before === undefined) counts.added += 1;
    else if (!before.inFeed) counts.unblocked += 1;
    else if (JSON.stringify(before) === JSON.stringify(after)) counts.unchanged += 1;
    else counts.updated += 1;
    this.#users.set(username, after);
  }

  /** In the form of `usersOf`. */
  expected(): unknown {
    return Object.fromEntries([...this.#users].sort(([one], [other]) => (one < other ? -1 : 1)));
  }
}

function mapped(record: InputRecord): NaiveState {
  return interpret(INSTRUCTIONS, record, NOBODY, []);
}

function usernameOf({ user }: NaiveState): string | undefined {
  const { username } = user;
  if (typeof username !== 'string' || username.length > MAX_USERNAME_LENGTH) return undefined;
  const lower = username.toLowerCase();
  return lower.length > MAX_USERNAME_LENGTH ? undefined : lower;
}

export async function usersOf(harness: SyncHarness): Promise<unknown> {
  const rows = await harness.rows<{ username: string; shown: User }>(
    `select username,
            json_build_object('email', email, 'first', name_first, 'last', name_last, 'groups', groups, 'tags', tags,
                              'job', profile #> '{${JOB},0,value}', 'active', is_active, 'inFeed', in_feed) as shown
     from directory.users where username is not null order by username collate "C"`,
  );
  return Object.fromEntries(rows.map(({ username, shown }) => [username, shown]));
}

/** Accounts of people whom no feed knows, one of them in a group that feeds manage. */
export async function makeByHand(harness: SyncHarness): Promise<void> {
  await installModel(harness.database, harness.context.model);
  await harness.rows(
    `with profile as (
       insert into directory.object (types, attributes)
       values ('{std:type:person}', '{"${JOB}": [{"value": "Rector"}], "own": [1.10, {"b": "\\u00e9"}]}') returning ref
     ),
     made as (
       insert into directory.account (email, name_first, name_last, tags, profile_ref)
       select '${BY_HAND.toUpperCase()}', 'By', 'Hand', '{"key": "7"}', ref from profile returning id
     )
     insert into directory.membership (account_id, group_code)
     select id, code from made, unnest(array['example:group:staff', 'example:group:reviewers']) as code`,
  );
  await harness.rows(`insert into directory.account (email, is_active) values ('other@example.org', false)`);
}

/** The rows of everybody and everything that no feed brought, bit by bit, with the transaction that wrote each. */
export function untouched(harness: SyncHarness): Promise<unknown[]> {
  return harness.rows(
    `with brought as (
       select account.id, account.profile_ref
       from directory.account join sync.feed_user on feed_user.account_id = account.id
     )
     select 'account' as what, account::text as row, account.xmin::text from directory.account
     where id not in (select id from brought)
     union all
     select 'object', object::text, object.xmin::text from directory.object
     where ref not in (select profile_ref from brought where profile_ref is not null)
     union all
     select 'membership', membership::text, membership.xmin::text from directory.membership
     where account_id not in (select id from brought)
     order by what, row`,
  );
}

/** All that a run may change, bit by bit. */
export function everything(harness: SyncHarness): Promise<unknown[]> {
  return harness.rows(
    `select 'account' as what, account::text as row, xmin::text from directory.account
     union all select 'object', object::text, xmin::text from directory.object
     union all select 'membership', membership::text, xmin::text from directory.membership
     union all select 'user', feed_user::text, xmin::text from sync.feed_user
     order by what, row`,
  );
}
