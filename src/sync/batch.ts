import { controlFile } from '../db/feeds.js';
import { runFiles, type RunRow } from '../db/runs.js';
import type { BatchFile } from '../domain/run.js';
import { UserSyncError } from '../lib/errors.js';
import type { ControlFile, FileEntry } from '../mapping/instruction.js';
import type { SyncContext } from './context.js';
import { readControlRow } from './control.js';

/** What a run reads: its files, and the control file that says how. */
export interface Batch {
  readonly files: readonly BatchFile[];
  readonly control: ControlFile;
  readonly controlText: string;
  /** The files in the order in which the control file lists them, which is the order of reading. */
  readonly inOrder: readonly { readonly file: BatchFile; readonly entry: FileEntry }[];
}

/** @throws UserSyncError `control-missing` */
export async function readBatch({ database, language }: SyncContext, { id, controlId }: RunRow): Promise<Batch> {
  const row = controlId === null ? undefined : await controlFile(database, controlId);
  if (row === undefined) throw new UserSyncError('control-missing', `Run ${id} has no control file.`);
  const files = await runFiles(database, id);
  const control = readControlRow(row, language);
  const inOrder = control.files.flatMap((entry) => {
    const file = files.find(({ name }) => name === entry.name);
    return file === undefined ? [] : [{ file, entry }];
  });
  return { files, control, controlText: row.content, inOrder };
}
