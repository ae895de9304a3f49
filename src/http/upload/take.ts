import { readFile } from 'node:fs/promises';
import { logRun } from '../../db/run-log.js';
import { assertCollectable, collectFile, replaceControl } from '../../sync/collect.js';
import { readControlFile } from '../../sync/control.js';
import { Actions } from '../actions.js';
import type { HttpContext } from '../context.js';
import type { Caller } from './caller.js';
import { CONTROL, receiveUpload, type UploadedFile } from './form.js';
import type { FastifyRequest } from 'fastify';

/** Takes an uploaded file into the store and makes it part of the feed's next batch, or puts a control file in force. */
export async function takeUpload(context: HttpContext, request: FastifyRequest, caller: Caller): Promise<UploadedFile> {
  const { app, draining } = context;
  const file = await receiveUpload(request, {
    store: app.sync.store,
    maxBytes: app.config.limits.fileBytes,
    signal: draining,
    checkName: (name) => assertCollectable(app.sync, { feed: caller.feed, name, mayReplace: false }),
    checkFile: async ({ name, filename }, path) => {
      if (name === CONTROL) readControlFile(await readFile(path, 'utf8'), app.sync.language, whatIs(filename));
    },
  });
  if (file.name === CONTROL) await putControl(context, caller, file);
  else await putFile(context, caller, file);
  return file;
}

async function putFile({ app }: HttpContext, { actor, feed }: Caller, file: UploadedFile): Promise<void> {
  const { name, digest, sizeBytes, filename } = file;
  const source = actor.principal.actor;
  const { run, missing } = await collectFile(app.sync, {
    feed,
    file: { name, digest, sizeBytes, originalFilename: filename, source },
    // Whatever the rule for dropped files: a script that uploads says itself when it is done.
    start: 'on-signal',
    mayReplace: false,
  });
  const waits = missing.length > 0 ? `still missing: ${missing.join(', ')}` : 'waits for the start';
  const message = `Received ${name} (${filename}) from ${source}; the batch of run ${run} is ${waits}.`;
  await logRun(app.database, run, 'info', message);
  app.logger.info(message, { feed, run, stage: 'intake', file: digest });
}

function whatIs(filename: string): string {
  return `The control file ${filename}`;
}

async function putControl(context: HttpContext, { actor, feed }: Caller, file: UploadedFile): Promise<void> {
  const { app } = context;
  const text = await readFile(app.sync.store.pathOf(file.digest), 'utf8');
  const what = whatIs(file.filename);
  await replaceControl(app.sync, { feed, text, what, source: actor.principal.actor, start: 'on-signal' });
  await new Actions(context).note(actor, 'control-uploaded', `feed ${feed}`, { digest: file.digest });
  app.logger.info(`${what} is in force now`, { feed, stage: 'intake', file: file.digest });
}
