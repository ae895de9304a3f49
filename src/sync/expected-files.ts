import { controlFile, findFeed } from '../db/feeds.js';
import { InvalidFileError } from '../lib/errors.js';
import type { SyncContext } from './context.js';
import { readControlRow } from './control.js';

/** What files the next batch of a feed is to have. */
export type ExpectedFiles =
  | { readonly kind: 'listed'; readonly names: readonly string[] }
  /** The feed has no control file yet. */
  | { readonly kind: 'no-control' }
  /** The model or the plugins no longer allow the control file in force: nothing is taken until there is another one. */
  | { readonly kind: 'unusable'; readonly error: InvalidFileError };

/** What the control file in force says, if there is one that can be used. */
export async function expectedFiles(context: SyncContext, feedName: string): Promise<ExpectedFiles> {
  const feed = await findFeed(context.database, feedName);
  const row = feed?.controlId == null ? undefined : await controlFile(context.database, feed.controlId);
  if (row === undefined) return { kind: 'no-control' };
  try {
    return { kind: 'listed', names: readControlRow(row, context.language).files.map(({ name }) => name) };
  } catch (error) {
    if (!(error instanceof InvalidFileError)) throw error;
    return { kind: 'unusable', error };
  }
}
