import { z } from 'zod';
import { mayUseFeed, type Principal } from '../../domain/access.js';
import { quarantineRecordSchema, type QuarantineRecord } from '../../intake/quarantine-record.js';
import { UserSyncError } from '../../lib/errors.js';
import { openRegularFile, sendDownload } from '../download.js';
import type { Api } from './operation.js';

const idParams = z.object({ id: z.string().regex(/^[A-Za-z0-9-]{1,100}$/, 'is no id of anything in quarantine') });

/** What could not be taken from drop directories. */
export function registerQuarantine(api: Api): void {
  const { context, actions } = api;
  const { quarantine } = context.daemon;

  const recordsFor = async (principal: Principal): Promise<QuarantineRecord[]> =>
    (await quarantine.list()).filter(({ feed }) => mayUseFeed(principal, feed));

  const find = async (principal: Principal, id: string): Promise<QuarantineRecord> => {
    const record = (await recordsFor(principal)).find((one) => one.id === id);
    if (record === undefined) throw unknown('There is nothing of this id in quarantine.');
    return record;
  };

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
    async ({ principal }) => ({ items: await recordsFor(principal) }),
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
    async ({ actor, params: { id }, reply }) => {
      const { feed } = await find(actor.principal, id);
      const handle = await openRegularFile(quarantine.pathOf(id));
      if (handle === undefined) throw unknown('This is a link or a special file: it cannot be downloaded.');
      await actions.note(actor, 'quarantine-downloaded', `feed ${feed}`, { id });
      return sendDownload(reply, handle, `quarantine-${id}`);
    },
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
      const { feed, reason } = await find(actor.principal, id);
      await quarantine.delete(id);
      await actions.note(actor, 'quarantine-deleted', `feed ${feed}`, { id, reason });
      return undefined;
    },
  );
}

function unknown(message: string): UserSyncError {
  return new UserSyncError('quarantine-unknown', message, { kind: 'usage' });
}
