import type { Connection, Database } from '../db/database.js';
import { stageTable } from '../db/queries.js';
import { countErrors } from '../db/run-log.js';
import { moveRun, type RunUpdate } from '../db/runs.js';
import type { RunStatus } from '../domain/run.js';
import type { LastBatch } from './guards.js';
import { StageLostError } from './plan.js';

/** Serialises the ends of runs, so that changes are numbered in the order in which they become visible. */
const PUBLICATION_LOCK = 'sync.publication';

/**
 * Of the rows of a batch, how many records are kept that are mapped to what they were before. All of them when most records
 * of the last batch were recognised: then the source changed its records once, and does not do so every time.
 */
const KEPT_SHARE = 0.1;
const ORDINARY_SHARE = 0.5;

export interface SettleRequest {
  readonly runId: number;
  readonly feedId: number;
  readonly fileNames: readonly string[];
  /** Rows that were staged. */
  readonly rows: number;
  /** Some record differed without anything to change. */
  readonly digestsDiffer: boolean;
  /** Some record may differ from the one last taken in although it is mapped to the same. */
  readonly recordsDiffer: boolean;
  /** The batch before, if there was one. */
  readonly last: LastBatch | undefined;
  readonly hasErrors: boolean;
  readonly hasRejected: boolean;
  /** Some user of the feed is not in the batch. */
  readonly hasMissing: boolean;
  /** An earlier attempt had begun to apply. */
  readonly isRepeated: boolean;
}

/**
 * Brings the feed's books in line with the batch where no change did: who is in error, what was received from them, who is
 * on the way out. In the transaction that ends the run, as a run that has to be done again would count leavers twice.
 *
 * @throws StageLostError when a crash of Postgres has emptied the staging table: everybody would look like a leaver
 */
export async function settleFeed(connection: Connection, request: SettleRequest): Promise<void> {
  const { runId, feedId, fileNames, rows } = request;
  const stage = stageTable(runId);
  const [counted] = await connection.rows<{ staged: number }>('stage/count-stage', [], stage);
  if (rows > 0 && counted?.staged === 0) throw new StageLostError(0, rows);
  if (request.digestsDiffer) await connection.run('apply/settle-digests', [runId, feedId], stage);
  if (request.recordsDiffer) {
    const { last } = request;
    const wasOrdinary = last !== undefined && last.recognised >= last.counts.records * ORDINARY_SHARE;
    const most = wasOrdinary ? rows : Math.floor(rows * KEPT_SHARE);
    await connection.run('apply/settle-records', [runId, feedId, fileNames, last?.recordSeed ?? null, most], stage);
  }
  if (request.hasErrors || request.hasRejected) await connection.run('apply/settle-errors', [feedId], stage);
  if (request.hasRejected) await connection.run('apply/settle-rejected', [runId, feedId, fileNames], stage);
  if (request.isRepeated) await connection.run('apply/settle-received', [runId, feedId, fileNames], stage);
  if (request.hasMissing) await connection.run('apply/settle-missing', [feedId], stage);
  await connection.run('apply/settle-returned', [feedId], stage);
}

/**
 * Ends a run: what was planned but not applied is set apart, the rest is published to those who follow the directory's
 * changes, and the status says how it went.
 *
 * @param connection in one transaction
 */
export async function endRun(
  connection: Connection,
  runId: number,
  status: Extract<RunStatus, 'complete' | 'failed' | 'cancelled'>,
  actor: string,
  update: RunUpdate,
  from?: readonly RunStatus[],
): Promise<void> {
  // First of all, so that two ends never wait for each other.
  await connection.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [PUBLICATION_LOCK]);
  if (update.outcome !== 'dry-run') {
    await connection.run('apply/withhold-unapplied', [runId]);
    await connection.run('links/take-back-references', [runId]);
  }
  await publish(connection, runId);
  const errors = await countErrors(connection, runId);
  await moveRun(connection, runId, status, actor, { ...update, errors, finishedAt: new Date() }, null, from);
}

async function publish(connection: Connection, runId: number): Promise<void> {
  const published = await connection.query(
    `update sync.run set publication = nextval('sync.publication')
     where id = $1 and exists (select from sync.chunk where run_id = $1 and applied_at is not null)
     returning id`,
    [runId],
  );
  if (published.length > 0) await connection.query(`select pg_notify('directory_changes', $1::text)`, [runId]);
}

/** Drops the staging tables that nothing needs any more. */
export async function dropUnneededStages(database: Database): Promise<void> {
  const stages = await database.rows<{ run_id: number }>('stage/list-stages');
  const unneeded = await database.rows<{ run_id: number }>('stage/unneeded-stages', [
    stages.map((stage) => stage.run_id),
  ]);
  for (const { run_id: runId } of unneeded) await database.run('stage/drop-stage', [], stageTable(runId));
}
