import { z } from 'zod';
import { listAudit } from '../../db/audit.js';
import { forbidden } from '../errors.js';
import type { Api } from './operation.js';
import { pageOf, pageSchema } from './page.js';
import { newestFirst } from './request-values.js';

const entry = z.object({
  id: z.int(),
  at: z.date(),
  actor: z.string(),
  action: z.string(),
  subject: z.string().nullable().describe('What it was done to: a run, a feed, a username, a key'),
  details: z.record(z.string(), z.unknown()),
  address: z.string().nullable(),
});

export function registerAudit(api: Api): void {
  const { database } = api.context.app;
  api.operation(
    {
      id: 'listAudit',
      method: 'GET',
      url: '/audit',
      tag: 'audit',
      summary: 'Who did what, newest first',
      description: 'Not for keys of one feed: the log is of all feeds.',
      capability: 'manage-access',
      query: newestFirst,
      answer: pageSchema(entry),
    },
    async ({ principal, query: { before, limit } }) => {
      if (principal.feed !== null) throw forbidden('The audit log is of all feeds, and this key is for one.');
      const rows = await listAudit(database, { limit: limit + 1, ...(before === undefined ? {} : { before }) });
      const { items, next } = pageOf(rows, limit, ({ id }) => id);
      return { items: items.map((item) => ({ ...item, details: { ...item.details } })), next };
    },
  );
}
