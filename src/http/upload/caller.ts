import type { FastifyRequest } from 'fastify';
import { UserSyncError } from '../../lib/errors.js';
import { actorOf, type Actor } from '../actions.js';
import { assertFeed, type KeyAuthentication } from '../authentication.js';
import type { HttpContext } from '../context.js';

/** Who uploads, and for which feed. */
export interface Caller {
  readonly actor: Actor;
  readonly feed: string;
}

/**
 * A key that is for one feed speaks of that one; others of `?feed=`, or of `default`.
 *
 * @throws UserSyncError `unauthorized`, `forbidden`, `too-many-requests`, or `usage` for a feed that is not configured
 */
export async function callerOf(
  request: FastifyRequest,
  { app }: HttpContext,
  keys: KeyAuthentication,
): Promise<Caller> {
  const principal = await keys.authenticate(request, 'upload');
  const { feed: asked } = request.query as { readonly feed?: unknown };
  const feed = asked ?? principal.feed ?? 'default';
  if (typeof feed !== 'string') throw new UserSyncError('usage', '`feed` is given twice.', { kind: 'usage' });
  assertFeed(principal, feed);
  if (!Object.hasOwn(app.config.feeds, feed)) {
    const known = Object.keys(app.config.feeds).join(', ');
    throw new UserSyncError('usage', `The configuration has no such feed. It has: ${known}.`, { kind: 'usage' });
  }
  return { actor: actorOf(principal, request), feed };
}
