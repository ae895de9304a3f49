/** The life of a run: its states, and which may follow which. */

export const RUN_STATUSES = [
  'uploading',
  'ready',
  'planning',
  'held',
  'applying',
  'complete',
  'failed',
  'cancelled',
] as const;

export type RunStatus = (typeof RUN_STATUSES)[number];

/** Every legal move. `complete`, `failed` and `cancelled` are ends. */
const MOVES: Readonly<Record<RunStatus, readonly RunStatus[]>> = {
  uploading: ['ready', 'cancelled'],
  ready: ['planning', 'cancelled'],
  planning: ['held', 'applying', 'complete', 'failed', 'cancelled'],
  // An approved run is planned again when the directory changed since.
  held: ['planning', 'applying', 'cancelled'],
  applying: ['complete', 'failed', 'cancelled'],
  complete: [],
  failed: [],
  cancelled: [],
};

export function mayMove(from: RunStatus, to: RunStatus): boolean {
  return MOVES[from].includes(to);
}

export function isEnd(status: RunStatus): boolean {
  return MOVES[status].length === 0;
}

/** Statuses from which `to` may be reached. */
export function statusesBefore(to: RunStatus): RunStatus[] {
  return RUN_STATUSES.filter((from) => mayMove(from, to));
}

export type RunOutcome = 'applied' | 'nothing-new' | 'nothing-to-change' | 'dry-run';

export type RunKind = 'batch' | 'reapply' | 'revert';

/** What a run is, for people; undefined for a plain batch. */
export function describeKind(kind: RunKind, ofRun: number | null): string | undefined {
  if (kind === 'batch') return undefined;
  return `${kind === 'revert' ? 'takes back' : 'applies again'} run ${ofRun ?? 0}`;
}

/** Users and records of a run. While it is held or was a dry run: what it would do. */
export interface RunCounts {
  /** Records in the batch, rejected ones included. */
  readonly records: number;
  readonly added: number;
  readonly updated: number;
  readonly blocked: number;
  readonly unblocked: number;
  readonly unchanged: number;
  readonly rejected: number;
}

export const NO_COUNTS: RunCounts = {
  records: 0,
  added: 0,
  updated: 0,
  blocked: 0,
  unblocked: 0,
  unchanged: 0,
  rejected: 0,
};

/** The counts of a plan: whoever is neither rejected nor changed is unchanged. */
export function countsOfPlan(
  records: number,
  rejected: number,
  changes: Readonly<Record<ChangeKind, number>>,
): RunCounts {
  const { add: added, update: updated, block: blocked, unblock: unblocked } = changes;
  const unchanged = records - rejected - added - updated - unblocked;
  return { records, added, updated, blocked, unblocked, unchanged, rejected };
}

/** What a run does to one user. */
export const CHANGE_KINDS = ['add', 'update', 'block', 'unblock'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** One state of a user, or the part of it that differs: sections, then names. */
export interface ChangeState {
  readonly user?: Readonly<Record<string, unknown>>;
  readonly tags?: Readonly<Record<string, unknown>>;
  readonly types?: readonly string[];
  readonly profile?: Readonly<Record<string, unknown>>;
  readonly dictionaries?: Readonly<Record<string, unknown>>;
  /** By ref. */
  readonly dependents?: Readonly<Record<string, DependentState>>;
}

/** An object that belongs to a user, or the part of it that differs. */
export interface DependentState {
  readonly destination: string;
  /** Only of an object that is made: its type, and the destination and place that it is made for. */
  readonly type?: string;
  readonly origin?: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
  /** Only of an object that goes again, as the run that made it is taken back. */
  readonly removed?: true;
}

/** A line of a run's plan. */
export interface PlannedChange {
  readonly ordinal: number;
  readonly kind: ChangeKind;
  readonly username: string;
  /** Null for a user to add. */
  readonly before: ChangeState | null;
  readonly after: ChangeState;
  readonly applied: boolean;
}

/** One file of a batch. */
export interface BatchFile {
  /** The name that the control file knows it by. */
  readonly name: string;
  /** SHA-256 of the bytes as received, hex. */
  readonly digest: string;
  readonly sizeBytes: number;
  readonly originalFilename: string;
  readonly source: string;
}

/** Seconds spent in each phase, over all attempts. */
export interface RunTimings {
  readonly stage: number;
  readonly plan: number;
  readonly apply: number;
}

export const NO_TIMINGS: RunTimings = { stage: 0, plan: 0, apply: 0 };

export type RunPhase = keyof RunTimings;

/** How far a run is: for the terminal, the page and monitoring. */
export interface RunProgress {
  readonly phase: RunPhase;
  readonly done: number;
  readonly total: number;
  readonly unit: 'bytes' | 'steps' | 'users';
  /** Records read so far, while staging. */
  readonly records?: number;
}

/** Users whom a run changed, or would. */
export function changesIn({ added, updated, blocked, unblocked }: RunCounts): number {
  return added + updated + blocked + unblocked;
}
