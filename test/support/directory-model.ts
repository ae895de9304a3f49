import { NO_COUNTS, countsOfPlan, type ChangeKind, type RunCounts } from '../../src/domain/run.js';
import { stillHolds, takenBack, type ModelChange } from './model-change.js';
import {
  HAND_MADE,
  MANAGED,
  NOTES,
  REVIEWERS,
  effective,
  isAcceptable,
  isSame,
  pastTypes,
  updated,
  type ModelRecord,
  type User,
} from './model-user.js';

/**
 * The directory as a plain map, brought in step with a batch in the most obvious way: one user after the other. It knows
 * nothing of SQL, digests, chunks or stored plans; that the product agrees with it is the test.
 */

export interface ManualEdit {
  readonly kind:
    'join-unmanaged' | 'join-managed' | 'leave-managed' | 'note' | 'rename' | 'deactivate' | 'make-by-hand';
  readonly username: string;
  /** Of an account made by hand; one that records have too unless told. */
  readonly email?: string;
}

/** Where the directory is looked at and edited as an application would. */
export interface Directory {
  rows<Row extends Record<string, unknown>>(text: string, params?: readonly unknown[]): Promise<Row[]>;
}

/** What a run would do. */
export interface ModelPlan {
  readonly counts: RunCounts;
  readonly changes: ReadonlyMap<string, ModelChange>;
  /** What becomes of users at the end of the run, beside the changes. */
  readonly settled: ReadonlyMap<string, Partial<Pick<User, 'inError' | 'taken'>>>;
}

export class DirectoryModel {
  readonly #users = new Map<string, User>();
  /** E-mail addresses of accounts made by hand. */
  readonly #handMade: string[] = [];

  get inFeed(): number {
    return [...this.#users.values()].filter(({ inFeed }) => inFeed).length;
  }

  /** Everybody whom a batch brought so far. */
  get usernames(): string[] {
    return [...this.#users.keys()];
  }

  user(username: string): User | undefined {
    return this.#users.get(username);
  }

  apply(records: readonly ModelRecord[], options: { force: boolean; withoutBlocks: boolean }): RunCounts {
    const plan = this.plan(records, options);
    this.commit(plan);
    return plan.counts;
  }

  plan(records: readonly ModelRecord[], options: { force: boolean; withoutBlocks: boolean }): ModelPlan {
    const changes = new Map<string, ModelChange>();
    const settled = new Map<string, Partial<User>>();
    const seen = new Set<string>();
    let rejected = 0;
    const reject = (username: string): void => {
      rejected += 1;
      settled.set(username, { inError: true });
    };
    for (const record of records) {
      const username = record.USERNAME.toLowerCase();
      const user = this.#users.get(username);
      if (seen.has(username)) {
        rejected += 1;
        continue;
      }
      seen.add(username);
      const inError = record.URL === 'no scheme';
      const taken = JSON.stringify(effective(record));
      if (!isAcceptable(record)) {
        reject(username);
      } else if (user?.inFeed === true && !user.inError && !options.force && user.taken === taken) {
        settled.set(username, { inError });
      } else if (this.#collides(record.EMAIL, user)) {
        reject(username);
      } else {
        const after = { ...updated(user, record), taken };
        const kind = user === undefined ? 'add' : user.inFeed ? 'update' : 'unblock';
        if (kind !== 'update' || !isSame(user!, after)) changes.set(username, { kind, before: user, after });
        settled.set(username, { inError, taken });
      }
    }
    for (const [username, user] of this.#users) {
      if (!user.inFeed || seen.has(username) || options.withoutBlocks) continue;
      changes.set(username, { kind: 'block', before: user, after: blocked(user) });
    }
    return { counts: counted(records.length, rejected, changes), changes, settled };
  }

  /** Turns round what a run did, for those in whose state it still stands. */
  planRevert(applied: ReadonlyMap<string, ModelChange>, { withoutBlocks }: { withoutBlocks: boolean }): ModelPlan {
    let rejected = 0;
    const changes = new Map<string, ModelChange>();
    for (const [username, change] of applied) {
      const before = this.#users.get(username);
      if (before === undefined || !stillHolds(before, change)) {
        rejected += 1;
        continue;
      }
      const kind = change.kind === 'update' ? 'update' : change.kind === 'block' ? 'unblock' : 'block';
      if (kind === 'block' && withoutBlocks) continue;
      const was = change.kind === 'add' ? blocked(before) : takenBack(before, change);
      changes.set(username, {
        kind,
        before,
        after: { ...was, inFeed: kind !== 'block', inError: false, taken: 'taken back' },
      });
    }
    return { counts: counted(applied.size, rejected, changes), changes, settled: new Map() };
  }

  /** @param only the changes of these users were made before the run was stopped; else it came to its end */
  commit({ changes, settled }: ModelPlan, only?: ReadonlySet<string>): void {
    for (const [username, { after }] of changes) {
      if (only?.has(username) !== false) this.#users.set(username, structuredClone(after));
    }
    if (only !== undefined) return;
    for (const [username, update] of settled) {
      const user = this.#users.get(username);
      if (user !== undefined) Object.assign(user, update);
    }
  }

  /** What people do beside the sync, in the model and in the database. */
  async edit(edit: ManualEdit, directory: Directory): Promise<void> {
    const username = edit.username.toLowerCase();
    const user = this.#users.get(username);
    if (edit.kind === 'make-by-hand') {
      const { email = HAND_MADE } = edit;
      this.#handMade.push(email);
      await directory.rows(`insert into directory.account (email) values ($1)`, [email]);
      return;
    }
    if (user === undefined) return;
    const account = `(select account_id from sync.feed_user where username = $1)`;
    if (edit.kind === 'deactivate') {
      user.isActive = false;
      await directory.rows(`update directory.account set is_active = false where id = ${account}`, [username]);
    } else if (edit.kind === 'rename') {
      user.nameFirst = 'by hand';
      await directory.rows(`update directory.account set name_first = 'by hand' where id = ${account}`, [username]);
    } else if (edit.kind === 'note') {
      user.profile[NOTES] = [{ value: 'by hand' }];
      await directory.rows(
        `update directory.object set attributes = attributes || '{"std:attribute:notes": [{"value": "by hand"}]}'
         where ref = (select profile_ref from directory.account where id = ${account})`,
        [username],
      );
    } else if (edit.kind === 'leave-managed') {
      user.managed = user.managed.filter((group) => group !== MANAGED[0]);
      await directory.rows(`delete from directory.membership where account_id = ${account} and group_code = $2`, [
        username,
        MANAGED[0],
      ]);
    } else {
      const group = edit.kind === 'join-managed' ? 'example:group:students' : REVIEWERS;
      const groups = edit.kind === 'join-managed' ? user.managed : user.unmanaged;
      if (!groups.includes(group)) groups.push(group);
      await directory.rows(
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
    return {
      users: users.sort((a, b) => (a.username < b.username ? -1 : 1)),
      handMade: [...this.#handMade].sort(),
    };
  }

  async read(directory: Directory): Promise<object> {
    const users = await directory.rows(
      `select username, email, title, name_first, name_last, is_active, in_feed, groups, tags, profile_types, profile
       from directory.users where username is not null order by username collate "C"`,
    );
    const handMade = await directory.rows<{ email: string }>(
      `select email from directory.users where username is null and is_active and profile_ref is null and groups = '{}'
       order by email collate "C"`,
    );
    return { users, handMade: handMade.map(({ email }) => email) };
  }

  /** Would have the e-mail address of an account made by hand. */
  #collides(email: string, user: User | undefined): boolean {
    return user?.email !== email && this.#handMade.includes(email.toLowerCase());
  }
}

function blocked(user: User): User {
  const types = pastTypes(user) ?? user.types;
  return { ...structuredClone(user), inFeed: false, isActive: false, inError: false, types };
}

function counted(records: number, rejected: number, changes: ReadonlyMap<string, ModelChange>): RunCounts {
  const kinds: Record<ChangeKind, number> = { add: 0, update: 0, block: 0, unblock: 0 };
  for (const { kind } of changes.values()) kinds[kind] += 1;
  return { ...NO_COUNTS, ...countsOfPlan(records, rejected, kinds) };
}
