import { z } from 'zod';
import type { RunRow } from '../../db/runs.js';
import { RUN_STATUSES } from '../../domain/run.js';
import { reportRun, summariseRun, type RunReport } from '../../sync/run-report.js';
import type { HttpContext } from '../context.js';
import { number } from './request-values.js';

/** Runs as the interface shows them: all that `run --json` has, by the same names, and what only matters from outside. */

export const runParams = z.object({ run: number });

const count = z.int().min(0);

const summaryFields = {
  run: z.int(),
  feed: z.string(),
  status: z.enum(RUN_STATUSES),
  kind: z.enum(['batch', 'reapply', 'revert']),
  ofRun: z.int().nullable().describe('The run that is applied again, or taken back'),
  outcome: z.enum(['applied', 'nothing-new', 'nothing-to-change', 'dry-run']).nullable(),
  counts: z.object({
    records: count,
    added: count,
    updated: count,
    blocked: count,
    unblocked: count,
    unchanged: z.int(),
    rejected: count,
  }),
  errors: count,
  createdAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
};

export const runSummary = z.object(summaryFields);

export const runFile = z.object({
  name: z.string().describe('As the control file lists it'),
  digest: z.string().describe('SHA-256 of the bytes, hex'),
  fileSize: count.describe('Bytes'),
  filename: z.string().describe('As its sender called it'),
});

const guard = z.object({
  guard: z.string(),
  value: z.number(),
  limit: z.number(),
  breached: z.boolean(),
  count: z.number(),
  subject: z.string().optional(),
  reason: z.string().optional(),
});

const seconds = z.number().describe('Seconds');

export const runDetails = z.object({
  ...summaryFields,
  origin: z.string().describe('Who or what the run came from'),
  controlFile: z.int().nullable(),
  dryRun: z.boolean(),
  cancelRequested: z.boolean(),
  guards: z.array(guard),
  timings: z.object({ stage: seconds, plan: seconds, apply: seconds }),
  files: z.array(runFile),
  missingFiles: z
    .array(z.string())
    .describe('While files are still coming: those that the control file lists and that are not there yet'),
  waitsForStart: z.boolean().describe('All files are there, and a start is needed'),
  failure: z.object({ code: z.string(), message: z.string() }).nullable(),
  approval: z
    .object({ by: z.string(), at: z.iso.datetime(), reason: z.string().nullable(), withoutBlocks: z.boolean() })
    .nullable(),
  progress: z
    .object({
      phase: z.enum(['stage', 'plan', 'apply']),
      done: z.number(),
      total: z.number(),
      unit: z.enum(['bytes', 'steps', 'users']),
      records: z.number().optional(),
    })
    .nullable()
    .describe('How far the phase under way is'),
  startedAt: z.iso.datetime().nullable(),
});

export function summaryOf(run: RunRow): z.output<typeof runSummary> {
  const { kind, outcome, finishedAt } = run;
  return { ...summariseRun(run), kind, outcome, finishedAt: finishedAt?.toISOString() ?? null };
}

export async function detailsOf({ app }: HttpContext, run: RunRow): Promise<z.output<typeof runDetails>> {
  const report: RunReport = await reportRun(app.database, run);
  const { controlId: controlFile, cancelRequested, progress } = run;
  return {
    ...report,
    guards: [...report.guards],
    files: [...report.files],
    missingFiles: [...report.missingFiles],
    controlFile,
    cancelRequested,
    progress,
  };
}
