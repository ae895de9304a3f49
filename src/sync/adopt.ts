import { noteAudit, type Author } from '../db/audit.js';
import type { Connection } from '../db/database.js';
import { findFeed } from '../db/feeds.js';
import { UserSyncError } from '../lib/errors.js';
import { normaliseUsername } from '../mapping/username.js';
import type { SyncContext } from './context.js';

export interface Adoption extends Author {
  readonly username: string;
  readonly feed: string;
  /** The account's address. Without it: the account that a user of another feed has. */
  readonly email?: string;
}

interface Found extends Record<string, unknown> {
  readonly id: number;
  readonly owner: string | null;
  readonly username: string | null;
}

/**
 * Hands an existing account to a feed, so that a record with this username is about that account: one made by hand, which
 * gets the username; or one of another feed. The next run looks at the user again, and from then on the feed owns it.
 *
 * @returns the id of the account
 * @throws UserSyncError `adopt-impossible` says why
 */
export async function adoptAccount(context: SyncContext, adoption: Adoption): Promise<number> {
  const { database } = context;
  const username = normaliseUsername(adoption.username);
  if (username === null) throw impossible('This cannot be a username.');
  return database.transaction(async (connection) => {
    const account = await hand(connection, username, adoption);
    const details = { feed: adoption.feed, account };
    await noteAudit(connection, adoption, { action: 'account-adopted', subject: username, details });
    return account;
  });
}

/** @returns the id of the account */
async function hand(connection: Connection, username: string, adoption: Adoption): Promise<number> {
  const feed = await findFeed(connection, adoption.feed);
  if (feed === undefined) throw impossible(`There is no feed "${adoption.feed}" yet: it is made by its first batch.`);
  const [known] = await connection.query<Found>(
    `select feed_user.account_id as id, feed.name as owner, feed_user.username
       from sync.feed_user join sync.feed on feed.id = feed_user.feed_id where username = $1`,
    [username],
  );
  if (known !== undefined) {
    if (known.owner === adoption.feed) throw impossible(`"${username}" belongs to feed "${adoption.feed}" already.`);
    await connection.query('update sync.feed_user set feed_id = $2, look_again = true where username = $1', [
      username,
      feed.id,
    ]);
    return known.id;
  }
  const { email } = adoption;
  if (email === undefined) {
    throw impossible(`No feed has brought "${username}": say with --email which account made by hand it is.`);
  }
  const accounts = await connection.query<Found>(
    `select account.id, feed.name as owner, feed_user.username
       from directory.account
       left join sync.feed_user on feed_user.account_id = account.id
       left join sync.feed on feed.id = feed_user.feed_id
       where lower(account.email) = lower($1)`,
    [email],
  );
  const [account, ...more] = accounts;
  if (account === undefined) throw impossible(`No account has the e-mail address ${email}.`);
  if (more.length > 0) throw impossible(`Several accounts have the e-mail address ${email}: give them different ones.`);
  if (account.username !== null) {
    throw impossible(`That account is "${account.username}" of feed "${account.owner ?? ''}": usernames never change.`);
  }
  // As of a run of long ago: the next one is the first that concerns the user.
  await connection.query(
    `insert into sync.feed_user (username, feed_id, account_id, in_feed, look_again, since_run, changed_run)
       values ($1, $2, $3, true, true, 0, 0)`,
    [username, feed.id, account.id],
  );
  return account.id;
}

function impossible(message: string): UserSyncError {
  return new UserSyncError('adopt-impossible', message, { kind: 'usage' });
}
