import { noteDropped, type DroppedOriginal } from '../db/dropped-files.js';
import { controlFile, ensureFeed, findFeed, putControlFile, type FeedRow } from '../db/feeds.js';
import type { Connection } from '../db/database.js';
import { logRun } from '../db/run-log.js';
import { findRun, moveRun, runFiles, type RunRow } from '../db/runs.js';
import type { BatchFile } from '../domain/run.js';
import { UserSyncError } from '../lib/errors.js';
import type { ControlFile } from '../mapping/instruction.js';
import type { SyncContext } from './context.js';
import { readControlFile, readControlRow } from './control.js';

/** Putting a batch together from files that arrive one by one. */

export type StartRule = 'when-ready' | 'on-signal';

export interface CollectRequest {
  readonly feed: string;
  readonly file: BatchFile;
  readonly start: StartRule;
  /** A later file of a name takes the place of an earlier one, as long as the batch has not started; else it is refused. */
  readonly mayReplace: boolean;
}

export interface Collected {
  readonly run: number;
  readonly status: RunRow['status'];
  /** The batch will be taken up without another word. */
  readonly queued: boolean;
  /** A file of this name, with other bytes, was there before. */
  readonly replaced: boolean;
  /** Names that the control file lists and that are not there yet. */
  readonly missing: readonly string[];
}

/** First key of the advisory locks under which batches are put together, one feed at a time. */
const COLLECTING = 5_231_989;

/**
 * Records a file of the store as part of the feed's next batch: of the one that is being taken in, or is ready and has not
 * started, else of a new one. When it has all files, it is ready, and with the rule `when-ready` a daemon takes it up.
 *
 * @throws UserSyncError `unknown-file` with the names that the control file lists; `already-uploaded` and `past-uploading`
 *   for what may not be replaced; `control-missing`; `invalid-control-file` when the one in force cannot be used any more
 */
export async function collectFile(context: SyncContext, request: CollectRequest): Promise<Collected> {
  return inFeed(context, request.feed, (connection, feed, control) => collect(connection, feed, control, request));
}

/**
 * The same for a file of a drop directory, which is told until it is gone from there. One that is on record already would
 * begin the next batch, and complete it with what is a batch old.
 *
 * @returns undefined when it is on record, of whichever batch
 * @throws what `collectFile` throws
 */
export async function collectDropped(
  context: SyncContext,
  request: CollectRequest,
  original: string,
): Promise<Collected | undefined> {
  const { name, digest } = request.file;
  return inFeed(context, request.feed, async (connection, feed, control) => {
    const isNew = await noteDropped(connection, feed.id, { name, digest, original });
    return isNew ? collect(connection, feed, control, request) : undefined;
  });
}

/**
 * Asks before the bytes of a file come whether it could be recorded, so that nobody sends a large one in vain.
 *
 * @throws what `collectFile` would throw now
 */
export async function assertCollectable(
  context: SyncContext,
  { feed: feedName, name, mayReplace }: Pick<CollectRequest, 'feed' | 'mayReplace'> & Pick<BatchFile, 'name'>,
): Promise<void> {
  await inFeed(context, feedName, async (connection, feed, control) => {
    const listed = control.files.map((file) => file.name);
    await placeOf(connection, { feed, listed, name, mayReplace });
  });
}

/**
 * Starts the batch that is being taken in.
 *
 * @returns the run, which a daemon takes up; or what is missing before it can start, which is everything when there is no
 *   batch at all
 */
export async function startBatch(
  context: SyncContext,
  feedName: string,
  source: string,
): Promise<{ readonly run: number } | { readonly missing: readonly string[] }> {
  return inFeed(context, feedName, async (connection, feed, control) => {
    const listed = control.files.map(({ name }) => name);
    const run = await openBatch(connection, feed.id);
    if (run === undefined) return { missing: listed };
    const missing = await missingFiles(connection, run, listed);
    if (missing.length > 0) return { missing };
    await makeReady(connection, run, feed, listed, source);
    await queue(connection, run);
    return { run };
  });
}

export interface ControlRequest {
  readonly feed: string;
  readonly text: string;
  /** Names the file in messages. */
  readonly what: string;
  readonly source: string;
  readonly start: StartRule;
  /** Of one that was dropped. */
  readonly dropped?: DroppedOriginal;
}

export interface Replaced {
  /** False: that very file was dropped and put in force before, perhaps one or two others since. */
  readonly isNew: boolean;
  /** The batch that became ready. */
  readonly completed?: Pick<Collected, 'run' | 'queued'>;
}

/**
 * Puts a control file in force for a feed. A batch that is being taken in may have all files that this one lists: then no
 * further file comes that could complete it, so it is ready now, and with the rule `when-ready` a daemon takes it up.
 *
 * @throws InvalidFileError `invalid-control-file` with every problem; the previous one stays in force
 */
export async function replaceControl(
  context: SyncContext,
  { feed: feedName, text, what, source, start, dropped }: ControlRequest,
): Promise<Replaced> {
  const listed = readControlFile(text, context.language, what).files.map(({ name }) => name);
  const feed = await ensureFeed(context.database, feedName);
  return context.database.transaction(async (connection) => {
    await connection.query('select pg_advisory_xact_lock($1, $2)', [COLLECTING, feed.id]);
    if (dropped !== undefined && !(await noteDropped(connection, feed.id, dropped))) return { isNew: false };
    const { id: controlId } = await putControlFile(connection, feed, text, source, true);
    const run = await openBatch(connection, feed.id);
    if (run === undefined || (await findRun(connection, run))?.status !== 'uploading') return { isNew: true };
    if ((await missingFiles(connection, run, listed)).length > 0) return { isNew: true };
    await makeReady(connection, run, { ...feed, controlId }, listed, source);
    const queued = start === 'when-ready';
    if (queued) await queue(connection, run);
    return { isNew: true, completed: { run, queued } };
  });
}

/** In a transaction that no other file of the feed is recorded in at the same time. */
async function inFeed<T>(
  context: SyncContext,
  feedName: string,
  work: (connection: Connection, feed: FeedRow, control: ControlFile) => Promise<T>,
): Promise<T> {
  const { id } = await ensureFeed(context.database, feedName);
  return context.database.transaction(async (connection) => {
    await connection.query('select pg_advisory_xact_lock($1, $2)', [COLLECTING, id]);
    const feed = await findFeed(connection, feedName);
    const row = feed?.controlId == null ? undefined : await controlFile(connection, feed.controlId);
    if (feed === undefined || row === undefined) {
      throw new UserSyncError(
        'control-missing',
        `Feed "${feedName}" has no control file yet. Send one as _control.json, or name it in the configuration.`,
      );
    }
    return work(connection, feed, readControlRow(row, context.language));
  });
}

async function collect(
  connection: Connection,
  feed: FeedRow,
  control: ControlFile,
  { file, mayReplace, start }: CollectRequest,
): Promise<Collected> {
  const listed = control.files.map(({ name }) => name);
  const { batch, before } = await placeOf(connection, { feed, listed, name: file.name, mayReplace });
  const run = batch ?? (await newBatch(connection, feed, file.source));
  const replaced = before !== undefined && before.digest !== file.digest;
  await putFile(connection, run, file);
  if (replaced) {
    const message = `The file ${file.name} was replaced by a later one before the batch started.`;
    await logRun(connection, run, 'warn', message);
  }
  const missing = await missingFiles(connection, run, listed);
  if (missing.length === 0) await makeReady(connection, run, feed, listed, file.source);
  if (missing.length === 0 && start === 'when-ready') await queue(connection, run);
  const now = await findRun(connection, run);
  return { run, status: now?.status ?? 'uploading', queued: now?.queued ?? false, replaced, missing };
}

/** The batch that a file would become part of, and what that has under its name. */
async function placeOf(
  connection: Connection,
  { feed, listed, name, mayReplace }: { feed: FeedRow; listed: readonly string[]; name: string; mayReplace: boolean },
): Promise<{ batch: number | undefined; before: BatchFile | undefined }> {
  if (!listed.includes(name)) throw unknownFile(name, listed);
  const batch = await openBatch(connection, feed.id);
  if (batch === undefined) return { batch, before: undefined };
  const before = (await runFiles(connection, batch)).find((file) => file.name === name);
  if (!mayReplace && (await findRun(connection, batch))?.queued === true) throw pastUploading(batch);
  if (!mayReplace && before !== undefined) throw alreadyUploaded(name);
  return { batch, before };
}

async function openBatch(connection: Connection, feedId: number): Promise<number | undefined> {
  const [run] = await connection.query<{ id: number }>(
    `select id from sync.run
     where feed_id = $1 and collected and status in ('uploading', 'ready')
     order by id desc limit 1 for update`,
    [feedId],
  );
  return run?.id;
}

async function newBatch(connection: Connection, feed: FeedRow, source: string): Promise<number> {
  const [run] = await connection.query<{ id: number }>(
    'insert into sync.run (feed_id, source, collected) values ($1, $2, true) returning id',
    [feed.id, source],
  );
  if (run === undefined) throw new Error('inserting a run returned nothing');
  return run.id;
}

async function putFile(connection: Connection, run: number, file: BatchFile): Promise<void> {
  const { name, digest, sizeBytes, originalFilename, source } = file;
  await connection.query(
    `insert into sync.run_file (run_id, name, digest, size_bytes, original_filename, source)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (run_id, name) do update
     set digest = excluded.digest, size_bytes = excluded.size_bytes, original_filename = excluded.original_filename,
         source = excluded.source, received_at = now()`,
    [run, name, digest, sizeBytes, originalFilename, source],
  );
}

async function missingFiles(connection: Connection, run: number, listed: readonly string[]): Promise<string[]> {
  const present = (await runFiles(connection, run)).map(({ name }) => name);
  return listed.filter((name) => !present.includes(name));
}

/** The control file in force now is the batch's; what an earlier one listed and this one does not, is left out. */
async function makeReady(
  connection: Connection,
  run: number,
  feed: FeedRow,
  listed: readonly string[],
  source: string,
): Promise<void> {
  const dropped = await connection.query<{ name: string }>(
    'delete from sync.run_file where run_id = $1 and name <> all ($2::text[]) returning name',
    [run, listed],
  );
  for (const { name } of dropped) {
    await logRun(connection, run, 'warn', `The file ${name} is left out: the control file does not list it any more.`);
  }
  await connection.query('update sync.run set control_id = $2 where id = $1', [run, feed.controlId]);
  const current = await findRun(connection, run);
  if (current?.status === 'uploading') await moveRun(connection, run, 'ready', source);
}

async function queue(connection: Connection, run: number): Promise<void> {
  await connection.query(`update sync.run set queued = true where id = $1 and status = 'ready'`, [run]);
}

function unknownFile(name: string, listed: readonly string[]): UserSyncError {
  const message = `The control file has no file named ${name}. It lists: ${listed.join(', ')}.`;
  return new UserSyncError('unknown-file', message, { kind: 'usage', context: { expectedNames: listed } });
}

function alreadyUploaded(name: string): UserSyncError {
  return new UserSyncError('already-uploaded', `The file ${name} has been uploaded for this run already.`, {
    kind: 'usage',
  });
}

function pastUploading(run: number): UserSyncError {
  return new UserSyncError(
    'past-uploading',
    `Run ${run} is past uploading: it was started and waits for its turn. Send the next batch when it is under way.`,
    { kind: 'usage' },
  );
}
