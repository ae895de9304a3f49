import { findFeed } from '../../db/feeds.js';
import type { Principal } from '../../domain/access.js';
import { UserSyncError } from '../../lib/errors.js';
import { assertFeed } from '../authentication.js';
import type { HttpContext } from '../context.js';

/**
 * A feed that a request names: one of the configuration, or one that a command has brought into the database.
 *
 * @throws UserSyncError `forbidden` for a key of another feed, `feed-unknown`
 */
export async function assertKnownFeed({ app }: HttpContext, principal: Principal, feed: string): Promise<void> {
  assertFeed(principal, feed);
  if (Object.hasOwn(app.config.feeds, feed) || (await findFeed(app.database, feed)) !== undefined) return;
  throw unknownFeed(feed);
}

export function unknownFeed(feed: string): UserSyncError {
  return new UserSyncError('feed-unknown', `There is no feed "${feed}". GET /api/v1/feeds lists them.`, {
    kind: 'usage',
  });
}
