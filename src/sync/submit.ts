import { noteAudit, type Author } from '../db/audit.js';
import { controlFile, ensureFeed, findFeed, putControlFile, type ControlFileRow } from '../db/feeds.js';
import type { Executor } from '../db/database.js';
import { createRun } from '../db/runs.js';
import type { BatchFile } from '../domain/run.js';
import { UserSyncError } from '../lib/errors.js';
import type { SyncContext } from './context.js';
import { checkBatchFiles, readControlFile, readControlRow } from './control.js';

export interface LocalBatch extends Author {
  readonly feed: string;
  /** Files of this machine by the name that the control file knows them by. */
  readonly files: readonly { readonly name: string; readonly path: string }[];
  /** Text of a control file to put in force first. */
  readonly control?: { readonly text: string; readonly what: string };
  readonly dryRun: boolean;
  readonly force: boolean;
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
  if (given === undefined) checkBatchFiles(readControlRow(await controlInForce(database, batch.feed), language), names);
  else checkBatchFiles(readControlFile(given.text, language, given.what), names);
  const files: BatchFile[] = [];
  for (const { name, path } of batch.files) {
    const stored = await store.putPath(path, limits.fileBytes, batch.signal);
    files.push({ name, ...stored, originalFilename: path, source: batch.by });
  }
  const { by: source, dryRun, force } = batch;
  const feed = await ensureFeed(database, batch.feed);
  return database.transaction(async (connection) => {
    const control =
      given === undefined
        ? await controlInForce(connection, batch.feed)
        : // A dry run leaves everything as it is.
          await putControlFile(connection, feed, given.text, source, !dryRun);
    if (!dryRun && control.id !== feed.controlId) {
      const { id, digest } = control;
      const subject = `feed ${feed.name}`;
      await noteAudit(connection, batch, { action: 'control-replaced', subject, details: { id, digest } });
    }
    const run = await createRun(connection, { feedId: feed.id, source, dryRun, force, controlId: control.id }, files);
    const details = { feed: feed.name, dryRun };
    await noteAudit(connection, batch, { action: 'batch-started', subject: `run ${run}`, details });
    return run;
  });
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

async function controlInForce(database: Executor, feedName: string): Promise<ControlFileRow> {
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
