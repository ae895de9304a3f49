import { controlFile, ensureFeed, findFeed, putControlFile, type ControlFileRow } from '../db/feeds.js';
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
  const { database, store, language, limits } = context;
  checkFeedName(batch.feed);
  const given = batch.control;
  const names = batch.files.map((file) => file.name);
  if (given === undefined) checkBatchFiles(readControlRow(await controlInForce(context, batch.feed), language), names);
  else checkBatchFiles(readControlFile(given.text, language, given.what), names);
  const files: BatchFile[] = [];
  for (const { name, path } of batch.files) {
    const stored = await store.putPath(path, limits.fileBytes, batch.signal);
    files.push({ name, ...stored, originalFilename: path, source: batch.source });
  }
  const { source, dryRun, force } = batch;
  const feed = await ensureFeed(database, batch.feed);
  const control =
    given === undefined
      ? await controlInForce(context, batch.feed)
      : // A dry run leaves everything as it is.
        await putControlFile(database, feed, given.text, source, !dryRun);
  return createRun(database, { feedId: feed.id, source, dryRun, force, controlId: control.id }, files);
}

/** The same rule as in the configuration. */
function checkFeedName(name: string): void {
  if (/^[a-z0-9][a-z0-9_-]*$/.test(name)) return;
  throw new UserSyncError(
    'usage',
    `"${name}" is not a name for a feed: use lower-case letters, digits, - and _, with a letter or digit first.`,
    { kind: 'usage' },
  );
}

async function controlInForce({ database }: SyncContext, feedName: string): Promise<ControlFileRow> {
  const feed = await findFeed(database, feedName);
  const id = feed?.controlId ?? null;
  const control = id === null ? undefined : await controlFile(database, id);
  if (control !== undefined) return control;
  throw new UserSyncError(
    'control-missing',
    `Feed "${feedName}" has no control file yet. Give one with --control, or name it in the configuration.`,
    { kind: 'usage' },
  );
}
