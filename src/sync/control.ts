import type { ControlFileRow } from '../db/feeds.js';
import { InvalidFileError, UserSyncError } from '../lib/errors.js';
import { validateControlFile } from '../mapping/control-file.js';
import type { ControlFile } from '../mapping/instruction.js';
import { parseJsonSource } from '../model/json-source.js';
import type { ControlLanguage } from '../plugins/control-language.js';
import { isKnownCharset } from '../readers/registry.js';

/** A control file that is larger is none. */
export const MAX_CONTROL_BYTES = 16 * 1024 * 1024;

/** A control file with everything that this installation knows. */
export function validateControl(text: string, language: ControlLanguage): ReturnType<typeof validateControlFile> {
  return validateControlFile(text, language.model, language.formats, {
    isKnownCharset,
    filters: language.filters.keys(),
    recordProcessors: [...language.recordProcessors.keys()],
  });
}

/**
 * @param what names the file in messages.
 * @throws InvalidFileError `invalid-control-file` with every problem.
 */
export function readControlFile(text: string, language: ControlLanguage, what = 'The control file'): ControlFile {
  const { control, problems } = validateControl(text, language);
  if (control === null) throw new InvalidFileError('invalid-control-file', what, problems);
  return control;
}

/**
 * Checks that a batch has exactly the files that its control file lists.
 *
 * @throws UserSyncError `missing-files` or `unknown-file`, which name them.
 */
export function checkBatchFiles(control: ControlFile, names: readonly string[]): void {
  const expected = control.files.map((file) => file.name);
  const list = expected.join(', ');
  const unknown = names.filter((name) => !expected.includes(name));
  if (unknown.length > 0) {
    throw new UserSyncError(
      'unknown-file',
      `The control file has no file named ${unknown.join(', ')}. It lists: ${list}.`,
      { kind: 'usage' },
    );
  }
  const missing = expected.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new UserSyncError('missing-files', `The batch lacks ${missing.join(', ')}. A batch is: ${list}.`, {
      kind: 'usage',
    });
  }
}

/** The files in the order of reading, also of a control file that the present model and plugins no longer allow. */
export function filesListedIn(text: string): readonly string[] {
  const { files } = (parseJsonSource(text).value ?? {}) as { readonly files?: object };
  return Object.keys(files ?? {});
}

/** A control file in force that the present model and plugins may no longer allow. */
export function readControlRow(row: ControlFileRow, language: ControlLanguage): ControlFile {
  return readControlFile(row.content, language, `The control file of the feed (number ${row.id})`);
}
