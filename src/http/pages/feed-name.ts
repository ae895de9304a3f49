import type { FastifyRequest } from 'fastify';
import { UserSyncError } from '../../lib/errors.js';
import type { HttpContext } from '../context.js';

/** The feed that an address names. @throws UserSyncError `feed-unknown` */
export function feedNameOf(request: FastifyRequest, { app }: HttpContext): string {
  const { name } = request.params as { readonly name: string };
  if (Object.hasOwn(app.config.feeds, name)) return name;
  throw new UserSyncError('feed-unknown', 'There is no feed of this name in the configuration.', { kind: 'usage' });
}
