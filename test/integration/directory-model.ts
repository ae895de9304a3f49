import type { RunCounts } from '../../src/domain/run.js';
import type { SyncHarness } from '../support/sync.js';

/**
 * The directory as a plain map, brought in step with a batch in the most obvious way: one user after the other. It knows
 * nothing of SQL, digests, chunks or plans; that the product agrees with it is the test.
 */

export interface ModelRecord {
  readonly USERNAME: string;
  readonly TITLE: string;
  readonly FIRST: string;
  readonly LAST: string;
  readonly EMAIL: string;
  readonly GROUPS: readonly string[];
  readonly JOB: string;
  readonly URL: string;
  readonly NOTES: readonly string[];
  readonly ALSO: string;
  readonly CARD: string;
}

export interface ManualEdit {
  readonly kind: 'join-unmanaged' | 'join-managed' | 'note' | 'deactivate' | 'make-by-hand';
  readonly username: string;
}

/** One name of each kind of rule: kept when not given (job), removed first (url), added to (notes), qualified (also). */
export const PROPERTY_CONTROL = {
  dataImportControlFileVersion: 0,
  model: 'haplo:user-sync',
  files: { users: { read: 'json' } },
  instructions: [
    { source: 'USERNAME', destination: 'user', name: 'username' },
    { source: 'TITLE', destination: 'user', name: 'title' },
    { source: 'FIRST', destination: 'user', name: 'nameFirst' },
    { source: 'LAST', destination: 'user', name: 'nameLast' },
    { source: 'EMAIL', destination: 'user', name: 'email' },
    {
      action: 'for-each',
      source: 'GROUPS',
      wrapValues: true,
      instructions: [{ source: 'value', destination: 'user', name: 'groups', multivalue: true }],
    },
    { source: 'JOB', destination: 'profile', name: 'std:attribute:job-title' },
    { action: 'remove-values', destination: 'profile', name: 'std:attribute:url' },
    { source: 'URL', destination: 'profile', name: 'std:attribute:url' },
    {
      action: 'for-each',
      source: 'NOTES',
      wrapValues: true,
      instructions: [{ source: 'value', destination: 'profile', name: 'std:attribute:notes', multivalue: true }],
    },
    {
      action: 'if-exists',
      source: 'ALSO',
      then: [
        { source: 'ALSO', destination: 'value:person-name', name: 'last' },
        {
          action: 'field-structured',
          structured: 'value:person-name',
          destination: 'profile',
          name: 'dc:attribute:title',
          qualifier: 'dc:qualifier:alternative',
        },
      ],
    },
    { source: 'CARD', destination: 'user:tags', name: 'example:tag:card-number' },
  ],
};

interface Value {
  readonly value: unknown;
  readonly qualifier?: string;
}

interface User {
  email: string;
  title: string | null;
  nameFirst: string;
  nameLast: string;
  isActive: boolean;
  inFeed: boolean;
  managed: string[];
  unmanaged: string[];
  tags: Record<string, string>;
  types: string[];
  profile: Record<string, Value[]>;
  inError: boolean;
  /** The record that the user was last brought in step with. */
  taken: string;
}

const MANAGED = ['example:group:staff', 'example:group:students'];
const ACTIVE_TYPE: Record<string, string> = {
  'example:group:staff': 'std:type:person:staff',
  'example:group:students': 'std:type:person:student',
};
const REVIEWERS = 'example:group:reviewers';
const HAND_MADE = 'hand@example.org';
const [TITLE, EMAIL, JOB, URL, NOTES] = [
  'dc:attribute:title',
  'std:attribute:email',
  'std:attribute:job-title',
  'std:attribute:url',
  'std:attribute:notes',
];

export class DirectoryModel {
  readonly #users = new Map<string, User>();
  #handMade = 0;

  apply(records: readonly ModelRecord[], options: { force: boolean; withoutBlocks: boolean }): RunCounts {
    const counts = {
      records: records.length,
      added: 0,
      updated: 0,
      blocked: 0,
      unblocked: 0,
      unchanged: 0,
      rejected: 0,
    };
    const seen = new Set<string>();
    for (const record of records) {
      const username = record.USERNAME.toLowerCase();
      const user = this.#users.get(username);
      if (seen.has(username)) {
        counts.rejected += 1;
        continue;
      }
      seen.add(username);
      if (!isAcceptable(record)) {
        counts.rejected += 1;
        if (user !== undefined) user.inError = true;
        continue;
      }
      const hasError = record.URL === 'no scheme';
      const taken = JSON.stringify(effective(record));
      if (user === undefined) {
        if (this.#collides(record.EMAIL, undefined)) {
          counts.rejected += 1;
          continue;
        }
        this.#users.set(username, { ...updated(undefined, record), inError: hasError, taken });
        counts.added += 1;
      } else if (user.inFeed && !user.inError && !options.force && user.taken === taken) {
        counts.unchanged += 1;
        user.inError = hasError;
      } else if (this.#collides(record.EMAIL, user)) {
        counts.rejected += 1;
        user.inError = true;
      } else {
        const next = updated(user, record);
        if (!user.inFeed) counts.unblocked += 1;
        else if (isSame(user, next)) counts.unchanged += 1;
        else counts.updated += 1;
        this.#users.set(username, { ...next, inError: hasError, taken });
      }
    }
    for (const [username, user] of this.#users) {
      if (!user.inFeed || seen.has(username) || options.withoutBlocks) continue;
      counts.blocked += 1;
      user.inFeed = false;
      user.isActive = false;
      user.inError = false;
      const past = MANAGED.filter((group) => user.managed.includes(group)).at(-1);
      if (past !== undefined) user.types = [`${ACTIVE_TYPE[past] ?? ''}-past`];
    }
    return counts;
  }

  /** What people do beside the sync, in the model and in the database. */
  async edit(edit: ManualEdit, harness: SyncHarness): Promise<void> {
    const username = edit.username.toLowerCase();
    const user = this.#users.get(username);
    if (edit.kind === 'make-by-hand') {
      this.#handMade += 1;
      await harness.rows(`insert into directory.account (email) values ($1)`, [HAND_MADE]);
      return;
    }
    if (user === undefined) return;
    const account = `(select account_id from sync.feed_user where username = $1)`;
    if (edit.kind === 'deactivate') {
      user.isActive = false;
      await harness.rows(`update directory.account set is_active = false where id = ${account}`, [username]);
    } else if (edit.kind === 'note') {
      user.profile[NOTES] = [{ value: 'by hand' }];
      await harness.rows(
        `update directory.object set attributes = attributes || '{"std:attribute:notes": [{"value": "by hand"}]}'
         where ref = (select profile_ref from directory.account where id = ${account})`,
        [username],
      );
    } else {
      const group = edit.kind === 'join-managed' ? 'example:group:students' : REVIEWERS;
      const groups = edit.kind === 'join-managed' ? user.managed : user.unmanaged;
      if (!groups.includes(group)) groups.push(group);
      await harness.rows(
        `insert into directory.membership (account_id, group_code) values (${account}, $2) on conflict do nothing`,
        [username, group],
      );
    }
  }

  /** The directory as it should be, in the form of `read`. */
  expected(): object {
    const users = [...this.#users].map(([username, user]) => ({
      username,
      email: user.email,
      title: user.title,
      name_first: user.nameFirst,
      name_last: user.nameLast,
      is_active: user.isActive,
      in_feed: user.inFeed,
      groups: [...user.managed, ...user.unmanaged].sort(),
      tags: user.tags,
      profile_types: user.types,
      profile: user.profile,
    }));
    return { users: users.sort((a, b) => (a.username < b.username ? -1 : 1)), handMade: this.#handMade };
  }

  async read(harness: SyncHarness): Promise<object> {
    const users = await harness.rows(
      `select username, email, title, name_first, name_last, is_active, in_feed, groups, tags, profile_types, profile
       from directory.users where username is not null order by username collate "C"`,
    );
    const handMade = await harness.rows(
      `select id from directory.users where username is null and email = $1 and is_active and profile_ref is null
       and groups = '{}'`,
      [HAND_MADE],
    );
    return { users, handMade: handMade.length };
  }

  /** Would have the e-mail address of an account made by hand. */
  #collides(email: string, user: User | undefined): boolean {
    return this.#handMade > 0 && email === HAND_MADE && user?.email !== email;
  }
}

function isAcceptable(record: ModelRecord): boolean {
  return record.EMAIL.includes('@') && record.GROUPS.every((group) => MANAGED.includes(group));
}

/** The part of a record that has an effect: a URL without scheme has none. */
function effective(record: ModelRecord): ModelRecord {
  return { ...record, URL: record.URL === 'no scheme' ? '' : record.URL };
}

function updated(user: User | undefined, given: ModelRecord): User {
  const record = effective(given);
  const profile: Record<string, Value[]> = { ...user?.profile };
  const name = {
    ...(record.TITLE === '' ? {} : { title: record.TITLE }),
    first: record.FIRST,
    last: record.LAST,
  };
  const otherTitles = (profile[TITLE] ?? []).filter((value) => value.qualifier !== undefined);
  const also = record.ALSO === '' ? undefined : { value: { last: record.ALSO }, qualifier: 'dc:qualifier:alternative' };
  profile[TITLE] = [{ value: name }, ...(also === undefined ? otherTitles : [also])];
  profile[EMAIL] = [{ value: record.EMAIL }];
  if (record.JOB !== '') profile[JOB] = [{ value: record.JOB }];
  if (record.URL === '') delete profile[URL];
  else profile[URL] = [{ value: record.URL }];
  const notes = profile[NOTES] ?? [];
  const added = record.NOTES.filter((note) => notes.every((value) => value.value !== note)).map((value) => ({ value }));
  if (notes.length + added.length > 0) profile[NOTES] = [...notes, ...added];
  const managed = MANAGED.filter((group) => record.GROUPS.includes(group));
  const types = managed.map((group) => ACTIVE_TYPE[group] ?? '');
  return {
    email: record.EMAIL,
    title: record.TITLE === '' ? null : record.TITLE,
    nameFirst: record.FIRST,
    nameLast: record.LAST,
    isActive: user?.inFeed === true ? user.isActive : true,
    inFeed: true,
    managed,
    unmanaged: user?.unmanaged ?? [],
    tags: { ...user?.tags, ...(record.CARD === '' ? {} : { 'example:tag:card-number': record.CARD }) },
    types: types.length > 0 ? types : ['std:type:person'],
    profile,
    inError: false,
    taken: '',
  };
}

function isSame(user: User, next: User): boolean {
  const visible = ({ inError: _error, taken: _taken, managed, ...rest }: User): string =>
    JSON.stringify({ ...rest, managed: [...managed].sort(), profile: Object.entries(rest.profile).sort() });
  return visible(user) === visible(next);
}
