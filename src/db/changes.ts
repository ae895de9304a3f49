import type { ChangeKind, PlannedChange } from '../domain/run.js';
import type { Database, Executor } from './database.js';

const PAGE_SIZE = 1000;

const APPLIED = `
  select from sync.chunk
  where chunk.run_id = change.run_id and chunk.applied_at is not null
    and change.ordinal between chunk.first_ordinal and chunk.last_ordinal`;

/** Reads a run's plan in order, a page at a time. */
export async function* readPlan(
  database: Database,
  runId: number,
  kind: ChangeKind | undefined,
): AsyncGenerator<PlannedChange> {
  for await (const page of readPlanPages(database, runId, kind)) yield* page;
}

export async function* readPlanPages(
  database: Database,
  runId: number,
  kind: ChangeKind | undefined,
): AsyncGenerator<readonly PlannedChange[]> {
  for (let after = BEFORE_FIRST; ;) {
    const filter = kind === undefined ? {} : { kind };
    const page = await planPage(database, runId, { ...filter, after, limit: PAGE_SIZE });
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.ordinal;
    yield page;
    if (page.length < PAGE_SIZE) return;
  }
}

export interface PlanFilter {
  readonly kind?: ChangeKind;
  /** Part of a username. */
  readonly text?: string;
  /** Only changes behind this ordinal: the cursor of a page. */
  readonly after: number;
  readonly limit: number;
}

/** Ordinals begin at 0. */
export const BEFORE_FIRST = -1;

/** Part of a run's plan, in order. */
export function planPage(
  database: Database,
  runId: number,
  { kind, text, after, limit }: PlanFilter,
): Promise<PlannedChange[]> {
  return database.list<PlannedChange & Record<string, unknown>>((builder) => {
    const list = builder
      .select('change.ordinal', 'change.kind', 'change.username', 'change.before', 'change.after')
      .select(builder.raw(`not change.withheld and exists (${APPLIED}) as applied`))
      .from('sync.change')
      .where('change.run_id', runId)
      .where('change.ordinal', '>', after)
      .orderBy('change.ordinal')
      .limit(limit);
    if (kind !== undefined) void list.where('change.kind', kind);
    if (text !== undefined) void list.whereRaw('position(lower(?) in change.username) > 0', [text]);
    return list;
  });
}

/** How many lines a run's plan has of each kind: of all users, or of those with a part in their username. */
export async function countPlanned(
  database: Executor,
  runId: number,
  text?: string,
): Promise<Record<ChangeKind, number>> {
  const rows = await database.query<{ kind: ChangeKind; count: number }>(
    `select kind, count(*) as count from sync.change
     where run_id = $1 and ($2::text is null or position(lower($2) in username) > 0)
     group by kind`,
    [runId, text ?? null],
  );
  const counts: Record<ChangeKind, number> = { add: 0, update: 0, block: 0, unblock: 0 };
  for (const { kind, count } of rows) counts[kind] = count;
  return counts;
}

/** What one run did, or meant to do, to one user. */
export interface UserChange {
  readonly run: number;
  readonly at: Date | null;
  readonly kind: ChangeKind;
  readonly status: string;
  readonly applied: boolean;
  readonly before: PlannedChange['before'];
  readonly after: PlannedChange['after'];
}

export interface HistoryPage {
  readonly limit: number;
  /** Only what runs older than this one did: the cursor of a page. A run changes a user once. */
  readonly before?: number | undefined;
  /** Only what runs of this feed did. */
  readonly feed?: string | undefined;
}

/** Newest first. */
export async function changesOf(
  database: Executor,
  username: string,
  { limit, before, feed }: HistoryPage,
): Promise<UserChange[]> {
  return database.query<UserChange & Record<string, unknown>>(
    `select change.run_id as run, run.finished_at as at, change.kind, run.status,
            not change.withheld and run.publication is not null as applied, change.before, change.after
     from sync.change join sync.run on run.id = change.run_id join sync.feed on feed.id = run.feed_id
     where change.username = $1 and ($3::bigint is null or change.run_id < $3) and ($4::text is null or feed.name = $4)
     order by change.run_id desc, change.ordinal desc limit $2`,
    [username, limit, before ?? null, feed ?? null],
  );
}
