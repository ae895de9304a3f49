import { z } from 'zod';
import type { PreviewLine } from '../../mapping/preview.js';
import { readControlFile } from '../../sync/control.js';
import { previewSample } from '../../sync/sample.js';
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
  const { app } = api.context;
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
    async ({ body: { control, files, limit } }) => {
      // Found out here: from the thread only the message comes back.
      readControlFile(control, app.sync.language);
      const { lines, warnings, failure } = await previewSample(app.sync, { control, files, most: limit });
      return { lines: lines.map(lineOf), warnings: [...warnings], failure };
    },
  );
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
