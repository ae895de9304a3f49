import { noteAudit, type Author, type Deed } from '../db/audit.js';
import type { Database, Executor } from '../db/database.js';
import { UserSyncError } from '../lib/errors.js';
import type { Model } from '../model/model.js';
import type { SyncContext } from './context.js';

/** What an operator wants for one username, whatever the feed says: a value of `user`, or not to be blocked. */
export interface Override {
  readonly username: string;
  readonly kind: 'pin' | 'protect';
  /** The name of `user` that is pinned, and to what. */
  readonly name: string | null;
  readonly value: string | readonly string[] | null;
  readonly reason: string;
  readonly by: string;
  readonly since: Date;
  /** Null: until somebody ends it. */
  readonly until: Date | null;
}

export interface OverrideOptions extends Author {
  readonly reason: string;
  readonly until?: Date;
}

/** Names of `user` that can be pinned; a username never changes. */
export const PINNABLE_NAMES = ['email', 'title', 'nameFirst', 'nameLast', 'groups'] as const;

/** The user is not blocked for being missing from the feed. */
export async function protectUser(context: SyncContext, username: string, options: OverrideOptions): Promise<void> {
  const override = { username: username.toLowerCase(), kind: 'protect', name: null, value: null } as const;
  await put(context.database, override, options, { action: 'user-protected', details: { until: options.until } });
}

/**
 * From the next run on the user has this value.
 *
 * @param text codes of managed groups, separated by commas, for `groups`
 * @throws UserSyncError `invalid-override`
 */
export async function pinValue(
  context: SyncContext,
  username: string,
  pin: { readonly name: string; readonly text: string },
  options: OverrideOptions,
): Promise<void> {
  const { name, text } = pin;
  if (!isPinnable(name)) {
    throw invalid(`\`${name}\` cannot be pinned. What can: ${PINNABLE_NAMES.join(', ')}.`);
  }
  if (text === '' && name !== 'title' && name !== 'groups') throw invalid(`\`${name}\` cannot be empty.`);
  if (name === 'email' && text.indexOf('@') <= 0) throw invalid('An e-mail address needs an `@` that is not first.');
  if (/\0|\p{Surrogate}/u.test(text)) throw invalid('The value holds a character that cannot be stored.');
  const value = name === 'groups' ? groupsIn(text, context.model) : text === '' ? null : text;
  const override = { username: username.toLowerCase(), kind: 'pin', name, value } as const;
  await put(context.database, override, options, { action: 'value-pinned', details: { name, until: options.until } });
}

/**
 * Ends overrides of a user: from the next run on the feed counts again.
 *
 * @param which the pinned name; null for the protection
 * @throws UserSyncError `override-unknown`
 */
export async function endOverride(
  context: SyncContext,
  username: string,
  { kind, name }: Pick<Override, 'kind' | 'name'>,
  author: Author,
): Promise<void> {
  await context.database.transaction(async (connection) => {
    const subject = username.toLowerCase();
    const ended = await connection.query(
      `update sync.override set ended_at = now()
       where username = $1 and kind = $2 and name is not distinct from $3 and ended_at is null
       returning id`,
      [subject, kind, name],
    );
    if (ended.length === 0) {
      const what = kind === 'protect' ? 'protected' : `pinned in \`${name ?? ''}\``;
      throw new UserSyncError('override-unknown', `${username} is not ${what}. \`user-sync user\` shows what is.`, {
        kind: 'usage',
      });
    }
    await noteAudit(connection, author, { action: 'override-ended', subject, details: { kind, name } });
  });
}

/**
 * The next run looks at the user, also when the record is the same as last time.
 *
 * @throws UserSyncError `user-unknown`
 */
export async function lookAgain(database: Database, username: string, author: Author): Promise<void> {
  await database.transaction(async (connection) => {
    const subject = username.toLowerCase();
    const found = await connection.query(
      'update sync.feed_user set look_again = true where username = $1 returning username',
      [subject],
    );
    if (found.length === 0) throw unknownUser(username);
    await noteAudit(connection, author, { action: 'look-again', subject });
  });
}

/** Those in force. */
export async function overridesOf(database: Executor, username: string): Promise<Override[]> {
  return database.query<Override & Record<string, unknown>>(
    `select username, kind, name, value, reason, made_by as by, created_at as since, until
     from sync.overrides_at(now()) where username = $1 order by kind, name`,
    [username],
  );
}

/** One in force already gives way. */
async function put(
  database: Database,
  { username, kind, name, value }: Pick<Override, 'username' | 'kind' | 'name' | 'value'>,
  options: OverrideOptions,
  deed: Deed,
): Promise<void> {
  const { reason, by, until } = options;
  if (until !== undefined && until.getTime() <= Date.now()) throw invalid('The end date is in the past.');
  await database.transaction(async (connection) => {
    const known = await connection.query('select from sync.feed_user where username = $1', [username]);
    if (known.length === 0) {
      throw unknownUser(username);
    }
    await connection.query(
      `update sync.override set ended_at = now()
       where username = $1 and kind = $2 and name is not distinct from $3 and ended_at is null`,
      [username, kind, name],
    );
    await connection.query(
      `insert into sync.override (username, kind, name, value, reason, made_by, until)
       values ($1, $2, $3, $4::jsonb, $5, $6, $7)`,
      [username, kind, name, kind === 'pin' ? JSON.stringify(value) : null, reason, by, until ?? null],
    );
    await noteAudit(connection, options, { ...deed, subject: username });
  });
}

function unknownUser(username: string): UserSyncError {
  return new UserSyncError('user-unknown', `No feed has brought "${username}". Spelling counts, case does not.`, {
    kind: 'usage',
  });
}

function isPinnable(name: string): name is (typeof PINNABLE_NAMES)[number] {
  return (PINNABLE_NAMES as readonly string[]).includes(name);
}

/** In the model's order, each once. */
function groupsIn(text: string, model: Model): string[] {
  const codes = text
    .split(',')
    .map((code) => code.trim())
    .filter((code) => code !== '');
  const managed = model.groups.filter((group) => group.managed).map((group) => group.code);
  const wrong = codes.filter((code) => !managed.includes(code));
  if (wrong.length > 0) throw invalid(`No managed group: ${wrong.join(', ')}. Managed groups: ${managed.join(', ')}.`);
  return managed.filter((code) => codes.includes(code));
}

function invalid(message: string): UserSyncError {
  return new UserSyncError('invalid-override', message, { kind: 'usage' });
}
