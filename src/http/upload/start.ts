import { findRun, unknownRun } from '../../db/runs.js';
import { UserSyncError } from '../../lib/errors.js';
import { startBatch } from '../../sync/collect.js';
import { reasonToHold } from '../../sync/start-outlook.js';
import { Actions } from '../actions.js';
import type { HttpContext } from '../context.js';
import type { Caller } from './caller.js';
import { CONTROL } from './form.js';

/** What scripts are told, in the words of the interface that they were written for. */
export interface StartAnswer {
  readonly status: 'queued-for-apply' | 'missing-files' | 'admin-intervention-required';
  /** Nothing was started. */
  readonly error: boolean;
  readonly message: string;
}

/** Starts the batch that was uploaded. One that will be held is queued too, so that an operator sees what it would do. */
export async function startUploaded(context: HttpContext, { actor, feed }: Caller): Promise<StartAnswer> {
  const { app, daemon } = context;
  const started = await startBatch(app.sync, feed, actor.principal.actor).catch((error: unknown) => {
    if (error instanceof UserSyncError && error.code === 'control-missing') return { missing: [CONTROL] };
    throw error;
  });
  if ('missing' in started) {
    const missing = started.missing.join(', ');
    const message = `Nothing was started: ${missing} must be uploaded first.`;
    return { status: 'missing-files', error: true, message };
  }
  const { run } = started;
  daemon.wake(feed);
  const row = await findRun(app.database, run);
  if (row === undefined) throw unknownRun(run);
  const reason = await reasonToHold(app.sync, await app.feed(feed), row);
  const status = reason === undefined ? 'queued-for-apply' : 'admin-intervention-required';
  await new Actions(context).note(actor, 'batch-started', `run ${run}`, { feed, status });
  app.logger.info(`Run ${run} is started by ${actor.principal.actor}`, { feed, run, stage: 'intake', status });
  const message =
    reason === undefined
      ? `Run ${run} is queued.`
      : `Run ${run} is planned, and then waits until an operator approves it: ${reason}.`;
  return { status, error: false, message };
}
