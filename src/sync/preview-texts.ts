import { UserSyncError } from '../lib/errors.js';
import { compileControlFile } from '../mapping/compile.js';
import type { PreviewLine } from '../mapping/preview.js';
import type { ControlLanguage } from '../plugins/control-language.js';
import { ReadError, type ReadLimits } from '../readers/reader.js';
import { readControlFile } from './control.js';
import { previewLine, previewRecords, type PreviewFile } from './preview.js';

/** A control file and files for it, each as text; in UTF-8, whatever the control file says. */
export interface PreviewTexts {
  readonly control: string;
  /** By the names that the control file lists. */
  readonly files: Readonly<Record<string, string>>;
  /** Most records of each file; of all together when a record processor makes them. */
  readonly most: number;
}

export interface PreviewedTexts {
  readonly lines: readonly PreviewLine[];
  readonly warnings: readonly string[];
  /** Why no more could be read, when a file as a whole is broken. */
  readonly failure: { readonly code: string; readonly message: string } | null;
}

export interface PreviewSurroundings {
  readonly language: ControlLanguage;
  readonly limits: ReadLimits;
  /** Where a record processor keeps what it must keep. */
  readonly folder: string;
}

/**
 * What a control file makes of files, without a database.
 *
 * @throws InvalidFileError `invalid-control-file` with every problem; UserSyncError `unknown-file`, `missing-files`
 */
export async function previewTexts(
  { control: text, files, most }: PreviewTexts,
  { language, limits, folder }: PreviewSurroundings,
): Promise<PreviewedTexts> {
  const control = readControlFile(text, language, 'The control file');
  const mapping = compileControlFile(control, language.model, undefined, undefined, language.filters);
  const lines: PreviewLine[] = [];
  const warnings: string[] = [];
  const records = previewRecords({
    files: Object.entries(files).map(([name, content]) => fileOf(name, content)),
    control,
    language,
    limits,
    signal: new AbortController().signal,
    warn: (message) => void warnings.push(message),
    most,
    folder,
  });
  try {
    for await (const record of records) lines.push(previewLine(record, mapping));
  } catch (error) {
    return { lines, warnings, failure: failureOf(error) };
  }
  return { lines, warnings, failure: null };
}

function fileOf(name: string, text: string): PreviewFile {
  return {
    name,
    what: `The file ${name}`,
    async *bytes() {
      yield Buffer.from(text);
    },
  };
}

/** That a sample is broken is an answer, not a failure of ours. */
function failureOf(error: unknown): { readonly code: string; readonly message: string } {
  const isOfSample =
    error instanceof ReadError || (error instanceof UserSyncError && error.code === 'record-processor-failed');
  if (!isOfSample) throw error;
  return { code: error.code, message: error.message };
}
