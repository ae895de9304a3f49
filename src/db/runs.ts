import type { GuardResult } from '../domain/guard.js';
import {
  NO_COUNTS,
  NO_TIMINGS,
  statusesBefore,
  type BatchFile,
  type RunCounts,
  type RunKind,
  type RunOutcome,
  type RunProgress,
  type RunStatus,
  type RunTimings,
} from '../domain/run.js';
import { UserSyncError } from '../lib/errors.js';
import type { Connection, Database, Executor } from './database.js';
import { listedIn } from './feeds.js';

/** Everything known of a run except its log, plan and files. */
export interface RunRow {
  readonly id: number;
  readonly feedId: number;
  readonly feed: string;
  readonly status: RunStatus;
  readonly kind: RunKind;
  /** The run that is applied again, or taken back. */
  readonly ofRun: number | null;
  readonly source: string;
  readonly dryRun: boolean;
  readonly force: boolean;
  readonly controlId: number | null;
  readonly modelDigest: string | null;
  readonly plannedVersion: number | null;
  readonly applied: boolean;
  readonly outcome: RunOutcome | null;
  readonly counts: RunCounts;
  readonly guards: readonly GuardResult[];
  readonly timings: RunTimings;
  readonly errors: number;
  /** Rejected records by the code of what rejects each. */
  readonly rejectedBy: Readonly<Record<string, number>>;
  readonly failureCode: string | null;
  readonly failureMessage: string | null;
  readonly approvedBy: string | null;
  readonly approvedAt: Date | null;
  readonly approvalReason: string | null;
  readonly withoutBlocks: boolean;
  readonly cancelRequested: boolean;
  /** Put together from files that arrived one by one. */
  readonly collected: boolean;
  /** A daemon takes it up; else it belongs to the process that made it. */
  readonly queued: boolean;
  /** It changed something, and has its place in the change log. */
  readonly published: boolean;
  /** How far the phase under way is, about a second ago; null while none is. */
  readonly progress: RunProgress | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

const COLUMNS = `
  run.id, run.feed_id as "feedId", feed.name as feed, run.status, run.kind, run.of_run as "ofRun", run.source, run.dry_run as "dryRun",
  run.force, run.control_id as "controlId", run.model_digest as "modelDigest",
  run.planned_version as "plannedVersion", run.applied, run.outcome, run.counts, run.guards, run.timings,
  run.error_count as errors, run.rejected_by as "rejectedBy", run.failure_code as "failureCode", run.failure_message as "failureMessage",
  run.approved_by as "approvedBy", run.approved_at as "approvedAt", run.approval_reason as "approvalReason",
  run.without_blocks as "withoutBlocks", run.cancel_requested as "cancelRequested",
  run.publication is not null as published, run.collected, run.queued, run.progress,
  run.created_at as "createdAt", run.started_at as "startedAt", run.finished_at as "finishedAt"`;

export interface NewRun {
  readonly feedId: number;
  readonly kind?: RunRow['kind'];
  readonly ofRun?: number;
  readonly source: string;
  readonly dryRun: boolean;
  readonly force: boolean;
  /** Null: the run has no files to read. */
  readonly controlId: number | null;
  /** A daemon takes it up; else it belongs to this process. */
  readonly queued?: boolean;
}

/**
 * A run of a batch whose files are all there: it starts as uploading and is ready at once.
 *
 * @param connection in one transaction
 */
export async function createRun(connection: Connection, run: NewRun, files: readonly BatchFile[]): Promise<number> {
  const [created] = await connection.query<{ id: number }>(
    `insert into sync.run (feed_id, kind, of_run, source, dry_run, force, control_id, queued)
     values ($1, $2, $3, $4, $5, $6, $7, $8) returning id`,
    [
      run.feedId,
      run.kind ?? 'batch',
      run.ofRun ?? null,
      run.source,
      run.dryRun,
      run.force,
      run.controlId,
      run.queued ?? false,
    ],
  );
  const id = created?.id ?? 0;
  await connection.query(
    `insert into sync.run_file (run_id, name, digest, size_bytes, original_filename, source)
     select $1::bigint, name, digest, "sizeBytes", "originalFilename", source
     from json_to_recordset($2::json) as file
       (name text, digest text, "sizeBytes" bigint, "originalFilename" text, source text)`,
    [id, JSON.stringify(files)],
  );
  await moveRun(connection, id, 'ready', run.source);
  return id;
}

/** What changes together with the status. */
export interface RunUpdate {
  outcome?: RunOutcome;
  applied?: boolean;
  counts?: RunCounts;
  valueCounts?: Readonly<Record<string, number>>;
  guards?: readonly GuardResult[];
  timings?: RunTimings;
  errors?: number;
  rejectedBy?: Readonly<Record<string, number>>;
  plannedVersion?: number;
  modelDigest?: string;
  recordSeed?: string | null;
  recognised?: number;
  failureCode?: string;
  failureMessage?: string;
  approvedBy?: string | null;
  approvedAt?: Date | null;
  approvalReason?: string | null;
  withoutBlocks?: boolean;
  startedAt?: Date;
  finishedAt?: Date;
}

const UPDATE_COLUMNS: Readonly<Record<keyof RunUpdate, string>> = {
  outcome: 'outcome',
  applied: 'applied',
  counts: 'counts',
  valueCounts: 'value_counts',
  guards: 'guards',
  timings: 'timings',
  errors: 'error_count',
  rejectedBy: 'rejected_by',
  plannedVersion: 'planned_version',
  modelDigest: 'model_digest',
  recordSeed: 'record_seed',
  recognised: 'recognised',
  failureCode: 'failure_code',
  failureMessage: 'failure_message',
  approvedBy: 'approved_by',
  approvedAt: 'approved_at',
  approvalReason: 'approval_reason',
  withoutBlocks: 'without_blocks',
  startedAt: 'started_at',
  finishedAt: 'finished_at',
};

/** Says how far a run is, unless it has ended meanwhile. */
export async function noteProgress(database: Executor, id: number, progress: RunProgress): Promise<void> {
  await database.query(
    `update sync.run set progress = $2::jsonb where id = $1 and status in ('planning', 'applying')`,
    [id, JSON.stringify(progress)],
  );
}

export async function updateRun(database: Executor, id: number, update: RunUpdate): Promise<void> {
  const { assignments, values } = assign(update, 2);
  if (assignments.length === 0) return;
  await database.query(`update sync.run set ${assignments.join(', ')} where id = $1`, [id, ...values]);
}

/**
 * Puts an approval on record for a held run that has none.
 *
 * @returns whether it is this one that counts now
 */
export async function approveRun(
  database: Executor,
  id: number,
  { by, reason, withoutBlocks }: { by: string; reason: string | null; withoutBlocks: boolean },
): Promise<boolean> {
  const approved = await database.query(
    `update sync.run set approved_by = $2, approved_at = now(), approval_reason = $3, without_blocks = $4
     where id = $1 and status = 'held' and approved_at is null returning id`,
    [id, by, reason, withoutBlocks],
  );
  return approved.length > 0;
}

/**
 * Asks whoever works on a run to stop.
 *
 * @returns whether somebody does
 */
export async function requestCancel(database: Executor, id: number): Promise<boolean> {
  const asked = await database.query(
    `update sync.run set cancel_requested = true where id = $1 and status in ('planning', 'applying') returning id`,
    [id],
  );
  return asked.length > 0;
}

/**
 * Whether a run is to be cancelled, asked before it is held: who cancels it until then has it end, and who does so after
 * the transaction finds it waiting.
 */
export async function lockCancelled(connection: Connection, id: number): Promise<boolean> {
  const [run] = await connection.query<{ cancelled: boolean }>(
    'select cancel_requested as cancelled from sync.run where id = $1 for update',
    [id],
  );
  return run?.cancelled === true;
}

/**
 * The only way to change a run's status: the move is checked against the table of legal moves and noted, in one statement.
 *
 * @throws UserSyncError `run-status` when the run is not where this move can begin.
 */
export async function moveRun(
  database: Executor,
  id: number,
  to: RunStatus,
  actor: string,
  update: RunUpdate = {},
  note: string | null = null,
  from: readonly RunStatus[] = statusesBefore(to),
): Promise<void> {
  const { assignments, values } = assign(update, 6);
  const moved = await database.query(
    `with before as (
       select status from sync.run where id = $1 and status = any ($3::text[]) for update
     ),
     moved as (
       update sync.run set status = $2, progress = null ${assignments.map((assignment) => `, ${assignment}`).join('')}
       where id = $1 and exists (select from before)
     )
     insert into sync.run_transition (run_id, from_status, to_status, actor, note)
     select $1, status, $2, $4, $5 from before
     returning run_id`,
    [id, to, from, actor, note, ...values],
  );
  if (moved.length > 0) return;
  const run = await findRun(database, id);
  if (run === undefined) throw unknownRun(id);
  throw new UserSyncError('run-status', `Run ${id} is ${run.status}: it cannot become ${to}.`, {
    context: { run: id, status: run.status, to },
  });
}

export function unknownRun(id: number): UserSyncError {
  return new UserSyncError('run-unknown', `There is no run ${id}. \`user-sync runs\` lists them.`, { kind: 'usage' });
}

export async function findRun(database: Executor, id: number): Promise<RunRow | undefined> {
  const [row] = await database.query<RunRow>(
    `select ${COLUMNS} from sync.run join sync.feed on feed.id = run.feed_id where run.id = $1`,
    [id],
  );
  return row === undefined ? undefined : complete(row);
}

/** A run of the feed that no process works on any more although it has begun; only the holder of the lease may ask. */
export async function findAbandonedRun(database: Executor, feedId: number): Promise<RunRow | undefined> {
  const [row] = await database.query<RunRow>(
    `select ${COLUMNS} from sync.run join sync.feed on feed.id = run.feed_id
     where run.feed_id = $1 and run.status in ('planning', 'applying')`,
    [feedId],
  );
  return row === undefined ? undefined : complete(row);
}

/** The held runs of a run's feed that are older than it and have no later batch, locked until the transaction ends. */
export async function lockHeldBefore(connection: Connection, { id, feedId }: RunRow): Promise<RunRow[]> {
  const rows = await connection.query<RunRow>(
    `select ${COLUMNS} from sync.run join sync.feed on feed.id = run.feed_id
     where run.feed_id = $1 and run.id < $2 and run.status = 'held' and sync.batch_of(run.id) <= sync.batch_of($2)
     order by run.id for update of run`,
    [feedId, id],
  );
  return rows.map(complete);
}

/**
 * The next run of a feed that a daemon is to take up: one that was left behind by a process that is gone, one that was
 * approved, or the oldest that is queued.
 */
export async function nextRun(database: Executor, feedId: number): Promise<RunRow | undefined> {
  const [row] = await database.query<RunRow>(
    `select ${COLUMNS} from sync.run join sync.feed on feed.id = run.feed_id
     where run.feed_id = $1
       and (run.status in ('planning', 'applying') or run.status = 'held' and run.approved_at is not null
            or run.status = 'ready' and run.queued)
     order by case run.status when 'ready' then 3 when 'held' then 2 else 1 end, run.id
     limit 1`,
    [feedId],
  );
  return row === undefined ? undefined : complete(row);
}

export interface RunFilter {
  readonly feed?: string;
  readonly statuses?: readonly RunStatus[];
  /** Only runs older than this one: the cursor of a page. */
  readonly before?: number;
  readonly limit: number;
}

/** Newest first. */
export async function listRuns(database: Database, filter: RunFilter): Promise<RunRow[]> {
  const rows = await database.list<RunRow>((builder) => {
    const list = builder
      .select(builder.raw(COLUMNS))
      .from('sync.run')
      .join('sync.feed', 'feed.id', 'run.feed_id')
      .orderBy('run.id', 'desc')
      .limit(filter.limit);
    if (filter.feed !== undefined) void list.where('feed.name', filter.feed);
    if (filter.statuses !== undefined) void list.whereIn('run.status', filter.statuses);
    if (filter.before !== undefined) void list.where('run.id', '<', filter.before);
    return list;
  });
  return rows.map(complete);
}

export async function runFiles(database: Executor, id: number): Promise<(BatchFile & { readonly receivedAt: Date })[]> {
  return database.query<BatchFile & { receivedAt: Date }>(
    `select name, digest, size_bytes as "sizeBytes", original_filename as "originalFilename", source,
            received_at as "receivedAt"
     from sync.run_file where run_id = $1 order by name`,
    [id],
  );
}

/** What a run that is being put together waits for: names that the feed's control file lists, in its order. */
export async function missingFiles(
  database: Executor,
  run: Pick<RunRow, 'id' | 'feedId' | 'status'>,
): Promise<string[]> {
  if (run.status !== 'uploading') return [];
  const [row] = await database.query<{ content: string; present: readonly string[] }>(
    `select control_file.content, array(select name from sync.run_file where run_id = $2) as present
     from sync.feed join sync.control_file on control_file.id = feed.control_id
     where feed.id = $1`,
    [run.feedId, run.id],
  );
  return row === undefined ? [] : listedIn(row).filter((name) => !row.present.includes(name));
}

/** Before a run is planned its counts are empty. */
function complete(row: RunRow): RunRow {
  return {
    ...row,
    counts: { ...NO_COUNTS, ...(row.counts as Partial<RunCounts>) },
    timings: { ...NO_TIMINGS, ...(row.timings as Partial<RunTimings>) },
  };
}

function assign(update: RunUpdate, firstParameter: number): { assignments: string[]; values: unknown[] } {
  const entries = Object.entries(update) as [keyof RunUpdate, unknown][];
  return {
    assignments: entries.map(([key], index) => `${UPDATE_COLUMNS[key]} = $${firstParameter + index}`),
    values: entries.map(([, value]) =>
      typeof value === 'object' && value !== null && !(value instanceof Date) ? JSON.stringify(value) : value,
    ),
  };
}
