import { z } from 'zod';
import { runFiles } from '../../db/runs.js';
import { UserSyncError } from '../../lib/errors.js';
import { sendDownload } from '../download.js';
import type { Api } from './operation.js';
import { runFile, runParams } from './run-schemas.js';

/** The batch files of a run. */
export function registerRunFiles(api: Api): void {
  const { context, actions } = api;
  const { database, sync } = context.app;
  api.operation(
    {
      id: 'listRunFiles',
      method: 'GET',
      url: '/runs/:run/files',
      tag: 'runs',
      summary: 'The files of a run',
      capability: 'view-runs',
      params: runParams,
      answer: z.object({
        items: z.array(runFile.extend({ available: z.boolean().describe('Whether it is still kept') })),
      }),
    },
    async ({ principal, params }) => {
      const run = await actions.findRun(principal, params.run);
      const files = await runFiles(database, run.id);
      const items = files.map(async ({ name, digest, sizeBytes: fileSize, originalFilename: filename }) => ({
        name,
        digest,
        fileSize,
        filename,
        available: await sync.store.has(digest),
      }));
      return { items: await Promise.all(items) };
    },
  );
  api.operation(
    {
      id: 'downloadRunFile',
      method: 'GET',
      url: '/runs/:run/files/:name',
      tag: 'runs',
      summary: 'A file of a run, as it was received',
      capability: 'download',
      params: runParams.extend({ name: z.string().max(255) }),
      media: { 'application/octet-stream': { schema: z.string() } },
    },
    async ({ actor, params, reply }) => {
      const run = await actions.findRun(actor.principal, params.run);
      const file = (await runFiles(database, run.id)).find(({ name }) => name === params.name);
      if (file === undefined) {
        throw new UserSyncError('file-unknown', `Run ${run.id} has no file of this name.`, { kind: 'usage' });
      }
      const { name, digest } = file;
      return sendDownload(reply, {
        path: sync.store.pathOf(digest),
        filename: `${run.feed}-${run.id}-${name}`,
        missing: () =>
          new UserSyncError('files-gone', `The file ${name} of run ${run.id} is not kept any more.`, { kind: 'usage' }),
        note: () => actions.note(actor, 'file-downloaded', `run ${run.id}`, { file: name, digest }),
      });
    },
  );
}
