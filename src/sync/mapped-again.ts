import type { ControlFileRow } from '../db/feeds.js';
import type { InputRecord } from '../domain/record.js';
import { compileControlFile } from '../mapping/compile.js';
import { directoryNeeds } from '../mapping/mapped-names.js';
import { PatchBuilder } from '../mapping/patch.js';
import type { SyncContext } from './context.js';
import { readControlRow } from './control.js';
import { DirectoryView } from './directory-view.js';
import { knownObjects } from './lookups.js';

/**
 * What a record that was recognised is mapped to. Nothing of the sort was staged; but only records are recognised whose
 * mapping depends on nothing else, so mapping it again gives what it gave when it was taken in.
 *
 * @returns undefined when it cannot be mapped any more, as after a change of the model or of the directory
 */
export async function mapAgain(context: SyncContext, control: ControlFileRow, raw: string): Promise<unknown> {
  try {
    return await map(context, control, raw);
  } catch {
    return undefined;
  }
}

async function map(context: SyncContext, row: ControlFileRow, raw: string): Promise<unknown> {
  const { database, model, language } = context;
  const control = readControlRow(row, language);
  const objects = await knownObjects(database, directoryNeeds(control, model), model);
  const view = new DirectoryView(objects, model, () => Promise.resolve({ users: new Map(), objects: [] }));
  const mapping = compileControlFile(control, model, view, undefined, language.filters);
  const outcome = mapping.map(JSON.parse(raw) as InputRecord);
  if (!outcome.accepted) return undefined;
  return JSON.parse(new PatchBuilder(model, mapping.mentioned).build(outcome)) as unknown;
}
