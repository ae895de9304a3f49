import { z } from 'zod';
import { mayUseFeed, type Principal } from '../../domain/access.js';
import { quarantineRecordSchema } from '../../intake/quarantine-record.js';
import { Quarantined } from '../quarantined.js';
import type { Api } from './operation.js';

const idParams = z.object({ id: z.string().regex(/^[A-Za-z0-9-]{1,100}$/, 'is no id of anything in quarantine') });

/** What could not be taken from drop directories. */
export function registerQuarantine(api: Api): void {
  const { context, actions } = api;
  const quarantined = new Quarantined(context.daemon.quarantine, actions);
  const visibleTo =
    (principal: Principal) =>
    (feed: string): boolean =>
      mayUseFeed(principal, feed);

  api.operation(
    {
      id: 'listQuarantine',
      method: 'GET',
      url: '/quarantine',
      tag: 'quarantine',
      summary: 'What could not be taken from drop directories, newest first',
      capability: 'configure',
      answer: z.object({ items: z.array(quarantineRecordSchema) }),
    },
    async ({ principal }) => ({ items: await quarantined.list(visibleTo(principal)) }),
  );
  api.operation(
    {
      id: 'downloadQuarantined',
      method: 'GET',
      url: '/quarantine/:id/content',
      tag: 'quarantine',
      summary: 'A file in quarantine',
      capability: 'configure',
      params: idParams,
      media: { 'application/octet-stream': { schema: z.string() } },
    },
    async ({ actor, params: { id }, reply }) => quarantined.send(reply, actor, visibleTo(actor.principal), id),
  );
  api.operation(
    {
      id: 'deleteQuarantined',
      method: 'DELETE',
      url: '/quarantine/:id',
      tag: 'quarantine',
      summary: 'Remove something from quarantine, for good',
      capability: 'configure',
      params: idParams,
    },
    async ({ actor, params: { id } }) => {
      await quarantined.delete(actor, visibleTo(actor.principal), id);
      return undefined;
    },
  );
}
