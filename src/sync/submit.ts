import { controlFile, ensureFeed, putControlFile, type ControlFileRow, type FeedRow } from '../db/feeds.js';
import { createRun } from '../db/runs.js';
import type { BatchFile } from '../domain/run.js';
import { UserSyncError } from '../lib/errors.js';
import type { SyncContext } from './context.js';
import { checkBatchFiles, readControlFile, readControlRow } from './control.js';

export interface LocalBatch {
  readonly feed: string;
  /** Files of this machine by the name that the control file knows them by. */
  readonly files: readonly { readonly name: string; readonly path: string }[];
  /** Text of a control file to put in force first. */
  readonly control?: { readonly text: string; readonly what: string };
  readonly dryRun: boolean;
  readonly force: boolean;
  /** Who sends it, for the books. */
  readonly source: string;
  readonly signal: AbortSignal;
}

/**
 * Takes a batch of local files in: the control file is checked first, then the files are copied to the store.
 *
 * @returns the id of a run that is ready.
 */
export async function submitBatch(context: SyncContext, batch: LocalBatch): Promise<number> {
  const { database, store, model, limits } = context;
  const given = batch.control;
  const checked = given === undefined ? undefined : readControlFile(given.text, model, given.what);
  const names = batch.files.map((file) => file.name);
  if (checked !== undefined) checkBatchFiles(checked, names);
  const feed = await ensureFeed(database, batch.feed);
  if (given === undefined) checkBatchFiles(readControlRow(await controlInForce(context, feed), model), names);
  const files: BatchFile[] = [];
  for (const { name, path } of batch.files) {
    const stored = await store.putPath(path, limits.fileBytes, batch.signal);
    files.push({ name, ...stored, originalFilename: path, source: batch.source });
  }
  const control =
    given === undefined
      ? await controlInForce(context, feed)
      : await putControlFile(database, feed, given.text, batch.source);
  const { source, dryRun, force } = batch;
  return createRun(database, { feedId: feed.id, source, dryRun, force, controlId: control.id }, files);
}

async function controlInForce(context: SyncContext, feed: FeedRow): Promise<ControlFileRow> {
  const control = feed.controlId === null ? undefined : await controlFile(context.database, feed.controlId);
  if (control !== undefined) return control;
  throw new UserSyncError(
    'control-missing',
    `Feed "${feed.name}" has no control file yet. Give one with --control, or name it in the configuration.`,
    { kind: 'usage' },
  );
}
