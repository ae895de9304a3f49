import { z } from 'zod';
import { UserSyncError } from '../../lib/errors.js';
import { compileControlFile } from '../../mapping/compile.js';
import type { PreviewLine } from '../../mapping/preview.js';
import { ReadError } from '../../readers/reader.js';
import { readControlFile } from '../../sync/control.js';
import { previewLine, previewRecords, type PreviewFile } from '../../sync/preview.js';
import type { Api } from './operation.js';

const MOST_RECORDS = 500;

const json = z.unknown();
const values = z.record(z.string(), json);

const line = z.object({
  file: z.string(),
  record: z.int().describe('From 1 in its file'),
  line: z.int(),
  username: z.string().nullable(),
  accepted: z.boolean(),
  user: values,
  tags: values,
  profile: values,
  dependents: values,
  dictionaries: values.optional(),
  errors: z.array(z.object({ code: z.string(), source: z.string().optional(), message: z.string() })),
});

export function registerPreview(api: Api): void {
  const { app, draining } = api.context;
  api.operation(
    {
      id: 'previewRecords',
      method: 'POST',
      url: '/control-files/preview',
      tag: 'control files',
      summary: 'Map sample records with a control file; nothing is stored',
      capability: 'upload',
      body: z.object({
        control: z.string().describe('The control file, character by character'),
        files: z
          .record(z.string(), z.string())
          .describe('Text of files, by the names that the control file lists; in UTF-8, whatever it says'),
        limit: z.int().min(1).max(MOST_RECORDS).default(20).describe('Most records of each file'),
      }),
      answer: z.object({
        lines: z.array(line).describe('As `user-sync preview --json` prints them'),
        warnings: z.array(z.string()),
        failure: z
          .object({ code: z.string(), message: z.string() })
          .nullable()
          .describe('Why no more could be read, when a file as a whole is broken'),
      }),
    },
    async ({ body }) => {
      const { language, limits } = app.sync;
      const control = readControlFile(body.control, language);
      const mapping = compileControlFile(control, language.model, undefined, undefined, language.filters);
      const lines: PreviewLine[] = [];
      const warnings: string[] = [];
      const records = previewRecords({
        files: Object.entries(body.files).map(([name, text]) => sampleFile(name, text)),
        control,
        language,
        limits,
        signal: draining,
        warn: (message) => void warnings.push(message),
        most: body.limit,
      });
      let failure: { readonly code: string; readonly message: string } | null = null;
      try {
        for await (const record of records) lines.push(previewLine(record, mapping));
      } catch (error) {
        failure = failureOf(error);
      }
      return { lines: lines.map(lineOf), warnings, failure };
    },
  );
}

function sampleFile(name: string, text: string): PreviewFile {
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

function lineOf(given: PreviewLine): z.output<typeof line> {
  const { user, tags, profile, dependents, errors, ...rest } = given;
  return {
    ...rest,
    user: { ...user },
    tags: { ...tags },
    profile: { ...profile },
    dependents: { ...dependents },
    errors: [...errors],
  };
}
