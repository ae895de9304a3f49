import type { Database } from '../db/database.js';
import type { GuardName, GuardResult, GuardSettings } from '../domain/guard.js';
import type { BatchFile, RunCounts } from '../domain/run.js';

/** The batch that the feed was last brought in step with. */
export interface LastBatch {
  readonly id: number;
  readonly counts: RunCounts;
  /** Records that gave a value, by name. */
  readonly valueCounts: Readonly<Record<string, number>>;
  readonly files: Readonly<Record<string, { digest: string; sizeBytes: number }>>;
  readonly controlId: number | null;
  readonly modelDigest: string | null;
  /** What its records were digested with. */
  readonly recordSeed: string | null;
  /** Of its records, those that were the same as in the one before. */
  readonly recognised: number;
  /** Nothing of it was left for the next run: no blocks withheld, no user refused by the database. */
  readonly isDone: boolean;
}

export interface GuardInput {
  readonly settings: GuardSettings;
  readonly counts: RunCounts;
  /** Users of the feed before this run. */
  readonly inFeed: number;
  readonly withoutUsername: number;
  readonly valueCounts: Readonly<Record<string, number>>;
  readonly files: readonly BatchFile[];
  readonly groupLosses: readonly GroupLoss[];
  /** Undefined when this is the feed's first. */
  readonly last: LastBatch | undefined;
  /** The plan takes an earlier one back: there is no batch to compare with the last one. */
  readonly isRevert?: boolean;
}

export interface GroupLoss {
  readonly code: string;
  readonly members: number;
  readonly leaving: number;
}

export async function lastBatch(database: Database, feedId: number, runId: number): Promise<LastBatch | undefined> {
  const [row] = await database.rows<{
    id: number;
    counts: RunCounts;
    value_counts: Record<string, number>;
    files: LastBatch['files'];
    control_id: number | null;
    model_digest: string | null;
    record_seed: string | null;
    recognised: number | null;
    is_done: boolean;
  }>('guards/last-applied-batch', [feedId, runId]);
  if (row === undefined) return undefined;
  const { id, counts, files } = row;
  return {
    id,
    counts,
    files,
    valueCounts: row.value_counts,
    controlId: row.control_id,
    modelDigest: row.model_digest,
    recordSeed: row.record_seed,
    recognised: row.recognised ?? 0,
    isDone: row.is_done,
  };
}

export async function groupLosses(database: Database, runId: number, feedId: number): Promise<GroupLoss[]> {
  return database.rows<GroupLoss & Record<string, unknown>>('guards/group-losses', [runId, feedId]);
}

/**
 * Asks what can be asked of a batch before it is read. The same questions are asked again of its plan, which knows more:
 * how many users a first run would add.
 */
export function evaluateBeforeReading({
  settings,
  files,
  last,
}: Pick<GuardInput, 'settings' | 'files' | 'last'>): GuardResult[] {
  const firstRun = settings['first-run'].enabled ? askFirstRun(last, 0) : undefined;
  const fileSize = settings['file-size'].enabled ? askFileSize({ settings, files, last }) : undefined;
  return [firstRun, fileSize].filter((result) => result !== undefined);
}

/** Asks every guard that is on about one plan. Pure: all numbers are given. */
export function evaluateGuards(input: GuardInput): GuardResult[] {
  const { settings } = input;
  return QUESTIONS.filter(({ guard }) => settings[guard].enabled)
    .filter(({ guard }) => input.isRevert !== true || ABOUT_THE_PLAN.includes(guard))
    .flatMap(({ ask }) => ask(input) ?? []);
}

/** What these ask, they ask of any plan; the others ask about the batch. */
const ABOUT_THE_PLAN: readonly GuardName[] = ['blocked', 'updated', 'rejected', 'group-loss'];

/**
 * Whether a breach can hold a run that would change nothing. What is wrong with the batch itself, or what a plugin says,
 * always does; that it differs from the last one is no danger then.
 */
export function holdsWithoutChanges(result: GuardResult): boolean {
  return result.breached && ['empty', 'rejected', 'plugin'].includes(result.guard);
}

/** An answer is undefined when there is nothing to compare with. */
const QUESTIONS: readonly { guard: GuardName; ask: (input: GuardInput) => GuardResult | undefined }[] = [
  { guard: 'first-run', ask: ({ last, counts }) => askFirstRun(last, counts.added) },
  {
    guard: 'blocked',
    ask: ({ settings, counts, inFeed }) => share('blocked', counts.blocked, inFeed, settings.blocked),
  },
  {
    guard: 'updated',
    ask: ({ settings, counts, inFeed }) => share('updated', counts.updated, inFeed, settings.updated),
  },
  {
    guard: 'rejected',
    ask: ({ settings, counts }) => share('rejected', counts.rejected, counts.records, settings.rejected),
  },
  {
    guard: 'unreadable-usernames',
    ask: ({ withoutUsername, counts }) => ({
      guard: 'unreadable-usernames',
      value: withoutUsername,
      limit: 0,
      breached: withoutUsername > 0 && counts.blocked > 0,
      count: withoutUsername,
    }),
  },
  { guard: 'record-count', ask: askRecordCount },
  { guard: 'file-size', ask: askFileSize },
  { guard: 'group-loss', ask: askGroupLoss },
  { guard: 'field-emptied', ask: askFieldEmptied },
  {
    guard: 'empty',
    ask: ({ counts }) => ({
      guard: 'empty',
      value: counts.records,
      limit: 0,
      breached: counts.records === 0,
      count: counts.records,
    }),
  },
];

function askFirstRun(last: LastBatch | undefined, added: number): GuardResult {
  const isFirst = last === undefined;
  return { guard: 'first-run', value: isFirst ? 1 : 0, limit: 0, breached: isFirst, count: isFirst ? added : 0 };
}

function askRecordCount({ settings, counts, last }: GuardInput): GuardResult | undefined {
  if (last === undefined) return undefined;
  const difference = Math.abs(counts.records - last.counts.records);
  return share('record-count', difference, last.counts.records, settings['record-count']);
}

function askFileSize({
  settings,
  files,
  last,
}: Pick<GuardInput, 'settings' | 'files' | 'last'>): GuardResult | undefined {
  if (last === undefined) return undefined;
  const limit = settings['file-size'];
  return worst(
    files.flatMap(({ name, sizeBytes }) => {
      const before = last.files[name]?.sizeBytes;
      if (before === undefined) return [];
      const difference = Math.abs(sizeBytes - before);
      return { ...share('file-size', difference, before, { share: limit.share, count: limit.bytes }), subject: name };
    }),
  );
}

function askGroupLoss({ settings, groupLosses: losses }: GuardInput): GuardResult {
  const limit = settings['group-loss'];
  return (
    worst(
      losses.map(({ code, members, leaving }) => ({ ...share('group-loss', leaving, members, limit), subject: code })),
    ) ?? share('group-loss', 0, 0, limit)
  );
}

function askFieldEmptied({ settings, counts, valueCounts, last }: GuardInput): GuardResult | undefined {
  const accepted = counts.records - counts.rejected;
  const acceptedBefore = last === undefined ? 0 : last.counts.records - last.counts.rejected;
  if (last === undefined || accepted === 0 || acceptedBefore === 0) return undefined;
  const { points, count } = settings['field-emptied'];
  return worst(
    Object.entries(last.valueCounts).map(([name, before]) => {
      const fall = Math.max(0, before / acceptedBefore - (valueCounts[name] ?? 0) / accepted);
      const users = Math.round(fall * accepted);
      const breached = exceeds(fall, points / 100) && users >= count;
      return {
        guard: 'field-emptied' as const,
        value: fall,
        limit: points / 100,
        breached,
        count: users,
        subject: name,
      };
    }),
  );
}

function share(
  guard: GuardName,
  concerned: number,
  all: number,
  limit: { readonly share: number; readonly count: number },
): GuardResult {
  const value = all === 0 ? (concerned === 0 ? 0 : 1) : concerned / all;
  return {
    guard,
    value,
    limit: limit.share,
    breached: exceeds(value, limit.share) && concerned >= limit.count,
    count: concerned,
  };
}

/** Shares are quotients: what comes of their last digits is no breach. */
function exceeds(value: number, limit: number): boolean {
  return value - limit > 1e-9;
}

/** The breached one of several answers, else the one nearest to its limit. */
function worst(results: readonly GuardResult[]): GuardResult | undefined {
  return results.toSorted((a, b) => Number(b.breached) - Number(a.breached) || b.value - a.value)[0];
}
