import type { GuardResult } from '../domain/guard.js';
import type { BatchFile, RunCounts, RunOutcome, RunStatus, RunTimings } from '../domain/run.js';
import { missingFiles, runFiles, type RunRow } from '../db/runs.js';
import type { Database } from '../db/database.js';

/** A run as machines read it: `sync --json`, `run --json` and the HTTP interface. Its names are a contract. */
export interface RunReport {
  readonly run: number;
  readonly feed: string;
  readonly status: RunStatus;
  readonly counts: RunCounts;
  readonly errors: number;
  readonly guards: readonly GuardResult[];
  /** Seconds. */
  readonly timings: RunTimings;
  readonly files: readonly ReportedFile[];
  readonly kind: RunRow['kind'];
  /** The run that this one applies again or takes back. */
  readonly ofRun: number | null;
  /** Who or what it came from. */
  readonly origin: string;
  /** While files are still coming: those that the control file lists and that are not there yet. */
  readonly missingFiles: readonly string[];
  /** All files are there, and somebody has to say that it may start. */
  readonly waitsForStart: boolean;
  readonly outcome: RunOutcome | null;
  readonly dryRun: boolean;
  readonly failure: { readonly code: string; readonly message: string } | null;
  readonly approval: {
    readonly by: string;
    readonly at: string;
    readonly reason: string | null;
    readonly withoutBlocks: boolean;
  } | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

export interface ReportedFile {
  readonly name: string;
  readonly digest: string;
  readonly fileSize: number;
  readonly filename: string;
}

export async function reportRun(database: Database, run: RunRow): Promise<RunReport> {
  const files = await runFiles(database, run.id);
  return {
    ...summariseRun(run),
    origin: run.source,
    guards: run.guards,
    timings: run.timings,
    files: files.map(reportFile),
    missingFiles: await missingFiles(database, run),
    waitsForStart: run.status === 'ready' && run.collected && !run.queued,
    outcome: run.outcome,
    dryRun: run.dryRun,
    failure: run.failureCode === null ? null : { code: run.failureCode, message: run.failureMessage ?? '' },
    approval:
      run.approvedBy === null || run.approvedAt === null
        ? null
        : {
            by: run.approvedBy,
            at: run.approvedAt.toISOString(),
            reason: run.approvalReason,
            withoutBlocks: run.withoutBlocks,
          },
    startedAt: run.startedAt?.toISOString() ?? null,
    finishedAt: run.finishedAt?.toISOString() ?? null,
  };
}

/** A run in a list. */
export function summariseRun(
  run: RunRow,
): Pick<RunReport, 'run' | 'feed' | 'status' | 'counts' | 'errors' | 'createdAt' | 'kind' | 'ofRun'> {
  const { id, feed, status, counts, errors, kind, ofRun } = run;
  return { run: id, feed, status, counts, errors, createdAt: run.createdAt.toISOString(), kind, ofRun };
}

function reportFile(file: BatchFile): ReportedFile {
  return { name: file.name, digest: file.digest, fileSize: file.sizeBytes, filename: file.originalFilename };
}
