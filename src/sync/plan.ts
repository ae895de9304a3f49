import type { Connection, Database, Executor } from '../db/database.js';
import { stageTable, type StageTable } from '../db/queries.js';
import type { Lease } from '../db/lease.js';
import { UserSyncError } from '../lib/errors.js';
import { VALUE_ERROR_CODES } from '../domain/record.js';
import type { ChangeKind } from '../domain/run.js';
import type { Model } from '../model/model.js';
import type { RunAttempt } from './context.js';
import { typesOfKind } from './install-model.js';

export interface PlanRequest {
  readonly attempt: RunAttempt;
  readonly force: boolean;
  /** Names of the batch's files, by number. */
  readonly fileNames: readonly string[];
  /** Records read, which bounds the ordinals. */
  readonly records: number;
  /** Rows that were staged. */
  readonly rows: number;
  /** Some records refer to people. */
  readonly hasPeople: boolean;
  /** Some records have objects that belong to their user. */
  readonly hasDependents: boolean;
  readonly model: Model;
  readonly lease: Lease;
}

/** The plan in numbers. The plan itself is in sync.change, cut into the ranges of sync.chunk. */
export interface Plan {
  /** Changes by kind, with those that an earlier attempt at this run applied. */
  readonly changes: Readonly<Record<ChangeKind, number>>;
  /** Records with a username that are rejected: by reading, mapping, as duplicates, or for what the directory holds. */
  readonly rejected: number;
  /** All records that are rejected, also those without a username, by the code of what rejects each. */
  readonly rejectedBy: Readonly<Record<string, number>>;
  /** Users of the feed before this run. */
  readonly inFeed: number;
  /** Users of the feed who are not in the batch; those who are not blocked for it are leaving, or protected. */
  readonly missing: number;
  /** Users whose record was looked at again; more than those that change when nothing really differed. */
  readonly candidates: number;
  /** References to people whom nobody is. */
  readonly unknownPeople: number;
  /** `directory.version` when the plan was made: what is written or decided later, by anybody, makes the plan old. */
  readonly directoryVersion: number;
}

interface Classification {
  staged: number;
  rejected: number;
  added: number;
  candidates: number;
  still_there: number;
  in_feed: number;
}

/**
 * Compares the staged batch with the feed and stores every difference with before and after. Writes nothing to the
 * directory. What is left of an earlier plan of this run is replaced; what it applied stays and no longer differs.
 *
 * Every write is fenced: a process that overslept would write into the plan that its successor makes of the same run.
 */
export async function makePlan(database: Database, request: PlanRequest): Promise<Plan> {
  const { attempt, fileNames, lease } = request;
  const { runId, feedId } = attempt;
  const stage = stageTable(runId);
  const step = stepper(attempt);
  const fenced = lease.executor;
  const directoryVersion = await currentVersion(database);
  await lease.transaction(async (connection) => {
    await connection.run('links/mark-awaiting', [runId]);
    await connection.run('plan/clear-plan', [runId]);
  });
  const base = await number(database, 'plan/plan-base', [runId], 'base');
  await fenced.run('plan/index-stage', [], stage);
  await fenced.run('plan/analyze-stage', [], stage);
  step();
  const [unique] = await database.rows<{ are: boolean }>('plan/usernames-are-unique', [], stage);
  const duplicates =
    unique?.are === true ? 0 : await number(fenced, 'plan/reject-duplicates', [runId, fileNames], 'rejected', stage);
  const [others] = await database.rows<{ others: boolean }>('plan/other-feeds-have-users', [feedId]);
  if (others?.others === true) await fenced.rows('plan/reject-other-feed', [runId, feedId, fileNames], stage);
  await fenced.run('plan/apply-pins', [], stage);
  step();
  const found = await classify(fenced, request, stage);
  if (found.staged + duplicates !== request.rows) throw new StageLostError(found.staged + duplicates, request.rows);
  step();
  let notOwned = 0;
  let refused = NOTHING_REFUSED;
  if (found.added + found.candidates > 0) {
    refused = await planRecords(request, base, found, step);
    notOwned = await rejectNotOwned(database, request, base, stage);
  }
  const firstBlock = base + request.records;
  if (found.still_there < found.in_feed) {
    const { graceRuns, graceDays } = attempt.settings.leavers;
    await fenced.run('plan/plan-blocks', [runId, feedId, firstBlock, found.staged, graceRuns, graceDays], stage);
  }
  if (base > 0) await fenced.run('plan/mark-repeated', [runId, base]);
  step();
  await fenced.run('plan/plan-chunks', [runId, base, attempt.settings.chunkSize, firstBlock]);
  const changes = await countChanges(database, 'plan/count-plan', runId);
  step();
  return {
    changes,
    rejected: found.rejected + duplicates + notOwned + refused.loads,
    rejectedBy: await countRejected(database, runId, fileNames),
    inFeed: found.in_feed,
    missing: found.in_feed - found.still_there,
    candidates: found.candidates,
    unknownPeople: refused.unknownPeople,
    directoryVersion,
  };
}

/** A crash of Postgres empties staging tables, which are unlogged. */
export class StageLostError extends UserSyncError {
  constructor(found: number, staged: number) {
    super(
      'stage-lost',
      `Postgres has ${found} of the ${staged} staged rows, as after a crash. What was applied stays. Send the batch again.`,
    );
  }
}

/** Grows with every statement that writes to the directory's tables, or decides something about single users. */
export async function currentVersion(database: Database): Promise<number> {
  const [row] = await database.query<{ version: number }>('select last_value as version from directory.version');
  return row?.version ?? 0;
}

export async function countChanges(
  database: Database,
  query: 'plan/count-plan' | 'apply/count-applied',
  runId: number,
): Promise<Record<ChangeKind, number>> {
  const counts: Record<ChangeKind, number> = { add: 0, update: 0, block: 0, unblock: 0 };
  for (const { kind, count } of await database.rows<{ kind: ChangeKind; count: number }>(query, [runId])) {
    counts[kind] = count;
  }
  return counts;
}

async function countRejected(
  database: Database,
  runId: number,
  fileNames: readonly string[],
): Promise<Record<string, number>> {
  const params = [runId, fileNames, VALUE_ERROR_CODES];
  const rows = await database.rows<{ code: string; records: number }>('plan/count-rejected', params, stageTable(runId));
  return Object.fromEntries(rows.map(({ code, records }) => [code, records]));
}

async function classify(database: Executor, request: PlanRequest, stage: StageTable): Promise<Classification> {
  const [found] = await database.rows<Classification & Record<string, number>>(
    'plan/classify',
    [request.attempt.feedId, request.force],
    stage,
  );
  if (found === undefined) throw new Error('plan/classify returned nothing');
  return found;
}

/** Of the staging table, for a connection of its own: about 8 MB. */
const LEAST_PAGES = 1000;

/** What planning finds wrong with records. */
interface Refused {
  /** References to people whom nobody is. */
  readonly unknownPeople: number;
  /** Records whose object to load belongs to somebody else. */
  readonly loads: number;
}

const NOTHING_REFUSED: Refused = { unknownPeople: 0, loads: 0 };

/** The changes that records ask for; blocks are asked for by their absence. */
async function planRecords(
  request: PlanRequest,
  base: number,
  found: Classification,
  step: () => void,
): Promise<Refused> {
  const { attempt, force, lease } = request;
  const { runId, feedId } = attempt;
  const stage = stageTable(runId);
  const refused = await lease.transaction(async (connection) => {
    await connection.run('plan/drop-candidates', [], stage);
    await connection.run('plan/make-candidates', [], stage);
    await connection.run('plan/find-candidates', [feedId, force], stage);
    await connection.run('plan/analyze-candidates', [], stage);
    await connection.run('plan/make-links', [], stage);
    const unknownPeople = request.hasPeople ? await resolvePeople(connection, request, stage) : 0;
    await connection.run('plan/analyze-links', [], stage);
    await connection.run('plan/make-dependent-changes', [], stage);
    const loads = request.hasDependents ? await planDependents(connection, request, stage) : 0;
    return { unknownPeople, loads };
  });
  step();
  // Most of planning is to write the differences down. Parts of the batch do not meet, so a few are planned at once.
  const parts = partsOf(await number(lease.executor, 'plan/stage-pages', [], 'pages', stage), attempt);
  const planned = await Promise.allSettled(
    parts.map(async ([from, to]) => {
      const part = [runId, base, `(${from},0)`, `(${to},0)`];
      if (found.added > 0) await lease.executor.run('plan/plan-adds', part, stage);
      if (found.candidates > 0) await lease.executor.run('plan/plan-changes', part, stage);
    }),
  );
  // Not before all have ended: what is planned anew must not meet what is still being written.
  const failed = planned.find((part) => part.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  await lease.executor.run('plan/drop-candidates', [], stage);
  step();
  return refused;
}

/** Ranges of pages of the staging table, one for each connection that may write; small tables are not worth it. */
function partsOf(pages: number, { settings }: RunAttempt): [from: number, to: number][] {
  const count = Math.max(1, Math.min(settings.concurrency, Math.floor(pages / LEAST_PAGES)));
  const size = Math.ceil(pages / count);
  return Array.from({ length: count }, (_, part) => [part * size, Math.max(1, (part + 1) * size)]);
}

async function resolvePeople(
  connection: Connection,
  { attempt, fileNames }: PlanRequest,
  stage: StageTable,
): Promise<number> {
  await connection.run('plan/find-references', [], stage);
  await connection.run('plan/analyze-references');
  await connection.run('plan/find-people', [], stage);
  await connection.run('plan/analyze-people');
  await connection.run('plan/fill-links', [], stage);
  return number(connection, 'plan/reject-references', [attempt.runId, fileNames], 'unknown', stage);
}

/**
 * What becomes of objects that belong to users; owners are found, or get their ref, before what they own.
 *
 * @returns how many records are rejected
 */
async function planDependents(
  connection: Connection,
  { attempt, fileNames, model }: PlanRequest,
  stage: StageTable,
): Promise<number> {
  await connection.run('plan/make-dependents');
  await connection.run('plan/find-dependents', [], stage);
  await connection.run('plan/analyze-dependents');
  const rejected = await number(connection, 'plan/reject-loads', [attempt.runId, fileNames], 'rejected', stage);
  for (const { name, objectType } of model.dependents) {
    await connection.run('plan/place-dependents', [name, typesOfKind(model, objectType)], stage);
  }
  const links = Object.fromEntries(
    model.dependents.map(({ name, objectType, link }) => [name, { type: objectType, link }]),
  );
  await connection.run('plan/find-dependent-changes', [JSON.stringify(links)], stage);
  return rejected;
}

async function rejectNotOwned(
  database: Database,
  request: PlanRequest,
  base: number,
  stage: StageTable,
): Promise<number> {
  const [handMade] = await database.rows<{ exist: boolean }>('plan/hand-made-accounts-exist');
  if (handMade?.exist !== true) return 0;
  return number(
    request.lease.executor,
    'plan/reject-not-owned',
    [request.attempt.runId, base, request.fileNames],
    'rejected',
    stage,
  );
}

async function number(
  database: Executor,
  query: string,
  params: readonly unknown[],
  column: string,
  stage?: StageTable,
): Promise<number> {
  const [row] = await database.rows<Record<string, number>>(query, params, stage);
  return row?.[column] ?? 0;
}

const STEPS = 7;

function stepper(attempt: RunAttempt): () => void {
  let done = 0;
  return () => {
    attempt.signal.throwIfAborted();
    done += 1;
    attempt.onProgress({ phase: 'plan', done, total: STEPS, unit: 'steps' });
  };
}
