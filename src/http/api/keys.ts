import { z } from 'zod';
import { createKey, revokeKey } from '../../access/keys.js';
import { listApiKeys } from '../../db/api-keys.js';
import { mayUseFeed, SCOPES } from '../../domain/access.js';
import { forbidden } from '../errors.js';
import { assertKnownFeed } from './known-feed.js';
import type { Api } from './operation.js';
import { feedName, moment, number, text } from './request-values.js';

const scope = z.enum(SCOPES);

const key = z.object({
  id: z.int(),
  name: z.string(),
  scope,
  feed: z.string().nullable().describe('Null: every feed'),
  createdAt: z.date(),
  createdBy: z.string(),
  expiresAt: z.date().nullable(),
  revokedAt: z.date().nullable(),
  lastUsedAt: z.date().nullable().describe('To the minute'),
});

/** API keys. A key of one feed sees and makes keys of that feed alone: it could give itself every feed else. */
export function registerKeys(api: Api): void {
  const { context } = api;
  const { database } = context.app;
  api.operation(
    {
      id: 'listKeys',
      method: 'GET',
      url: '/keys',
      tag: 'keys',
      summary: 'API keys, newest first, revoked ones too',
      capability: 'manage-access',
      answer: z.object({ items: z.array(key) }),
    },
    async ({ principal }) => {
      const all = await listApiKeys(database);
      return { items: all.filter(({ feed }) => principal.feed === null || feed === principal.feed) };
    },
  );
  api.operation(
    {
      id: 'createKey',
      method: 'POST',
      url: '/keys',
      tag: 'keys',
      summary: 'Make an API key; its secret is shown this once',
      capability: 'manage-access',
      body: z.object({
        name: text(200),
        scope,
        feed: feedName.nullable().default(null).describe('The only feed that it is for; null for every feed'),
        expiresAt: moment.nullable().default(null),
      }),
      answer: z.object({
        id: z.int(),
        name: z.string(),
        scope,
        feed: z.string().nullable(),
        secret: z.string(),
      }),
      status: 201,
    },
    async ({ actor, principal, body: { name, scope: wanted, feed, expiresAt } }) => {
      if (feed !== null) await assertKnownFeed(context, principal, feed);
      else if (principal.feed !== null) throw forbidden('This key is for one feed: it makes keys of that feed only.');
      const expires = expiresAt === null ? null : new Date(expiresAt);
      return createKey(database, { name, scope: wanted, feed, expiresAt: expires }, actor);
    },
  );
  api.operation(
    {
      id: 'revokeKey',
      method: 'POST',
      url: '/keys/:id/revoke',
      tag: 'keys',
      summary: 'Revoke an API key, at once and for good',
      capability: 'manage-access',
      params: z.object({ id: number }),
      answer: key,
    },
    async ({ actor, principal, params: { id } }) => {
      const found = principal.feed === null ? undefined : (await listApiKeys(database)).find((one) => one.id === id);
      if (found !== undefined && (found.feed === null || !mayUseFeed(principal, found.feed))) {
        throw forbidden('This key is for one feed: it revokes keys of that feed only.');
      }
      return revokeKey(database, id, actor);
    },
  );
}
