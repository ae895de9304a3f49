/**
 * Guards: questions asked of a stored plan before its first write. A guard whose limit is exceeded holds the run until
 * an operator decides. Here are their names, limits and defaults; asking the questions is the pipeline's work.
 */

export const GUARD_NAMES = [
  'first-run',
  'blocked',
  'updated',
  'rejected',
  'unreadable-usernames',
  'record-count',
  'file-size',
  'group-loss',
  'field-emptied',
  'empty',
] as const;

export type GuardName = (typeof GUARD_NAMES)[number];

/** Breached when more than `share` (0 to 1) of the whole is concerned, and at least `count` of it. */
export interface ShareLimit {
  readonly share: number;
  readonly count: number;
}

/** Breached when a size differs by more than `share` (0 to 1) and by at least `bytes`. */
export interface SizeLimit {
  readonly share: number;
  readonly bytes: number;
}

/** Breached when a share falls by more than `points` percentage points (0 to 100) and at least `count` users are concerned. */
export interface PointLimit {
  readonly points: number;
  readonly count: number;
}

/** A guard that has no number to tune: it applies or it does not. */
export type NoLimit = Readonly<Record<never, never>>;

/** Which limit belongs to which guard. */
export interface GuardLimits {
  /** It is the feed's first applied run. */
  readonly 'first-run': NoLimit;
  /** Share of the users in the feed that would be blocked. */
  readonly blocked: ShareLimit;
  /** Share of the users in the feed that would be updated. */
  readonly updated: ShareLimit;
  /** Share of the records that were rejected. */
  readonly rejected: ShareLimit;
  /** Any record without a readable username, while users would be blocked. */
  readonly 'unreadable-usernames': NoLimit;
  /** Difference of the number of records from the last applied batch. */
  readonly 'record-count': ShareLimit;
  /** Difference of any file's size from the last applied batch. */
  readonly 'file-size': SizeLimit;
  /** Share of a managed group's members that would leave it. */
  readonly 'group-loss': ShareLimit;
  /** Fall of the share of users that have a value for a mapped name. */
  readonly 'field-emptied': PointLimit;
  /** The batch has no records at all. */
  readonly empty: NoLimit;
}

export const DEFAULT_GUARD_LIMITS: GuardLimits = {
  'first-run': {},
  blocked: { share: 0.1, count: 5 },
  updated: { share: 0.75, count: 50 },
  rejected: { share: 0.01, count: 5 },
  'unreadable-usernames': {},
  'record-count': { share: 0.1, count: 20 },
  'file-size': { share: 0.1, bytes: 4096 },
  'group-loss': { share: 0.25, count: 10 },
  'field-emptied': { points: 20, count: 50 },
  empty: {},
};

/** Every guard of one feed with nothing left open: whether it applies, and its limit. */
export type GuardSettings = {
  readonly [G in GuardName]: GuardLimits[G] & { readonly enabled: boolean };
};

export type Switch = 'on' | 'off' | boolean;

/** What an operator may say of one guard: on, off, or some of its limits (which means on). */
export type GuardChoice<L> = Switch | { readonly [K in keyof L]?: L[K] | undefined };

/** What an operator may say of a feed's guards: all on, all off, or guard by guard (those not named are on). */
export type GuardChoices = Switch | { readonly [G in GuardName]?: GuardChoice<GuardLimits[G]> | undefined };

/**
 * Completes an operator's choices with the defaults. `empty` stays on whatever is said: a batch without records would
 * block everybody, and no institution means that.
 */
export function resolveGuards(choices: GuardChoices): GuardSettings {
  const all: Exclude<GuardChoices, Switch> = typeof choices === 'object' ? choices : {};
  const otherwise: Switch = typeof choices === 'object' ? 'on' : choices;
  const resolve = <G extends GuardName>(guard: G): GuardLimits[G] & { readonly enabled: boolean } =>
    resolveGuard<GuardLimits[G]>(all[guard] ?? otherwise, DEFAULT_GUARD_LIMITS[guard]);
  return {
    'first-run': resolve('first-run'),
    blocked: resolve('blocked'),
    updated: resolve('updated'),
    rejected: resolve('rejected'),
    'unreadable-usernames': resolve('unreadable-usernames'),
    'record-count': resolve('record-count'),
    'file-size': resolve('file-size'),
    'group-loss': resolve('group-loss'),
    'field-emptied': resolve('field-emptied'),
    empty: { enabled: true },
  };
}

function resolveGuard<L extends object>(choice: GuardChoice<L>, defaults: L): L & { readonly enabled: boolean } {
  if (typeof choice !== 'object') return { ...defaults, enabled: choice === 'on' || choice === true };
  const given = Object.entries(choice).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given), enabled: true };
}

/** What one guard found in one plan. Its shape is part of `sync --json`. */
export interface GuardResult {
  /** `plugin`: no guard of ours, but the `afterPlan` hook of the plugin that is the subject. */
  readonly guard: GuardName | 'plugin';
  /** The share (0 to 1) found; for guards without a share, how many. */
  readonly value: number;
  /** The most that passes. */
  readonly limit: number;
  readonly breached: boolean;
  /** How many users, records or bytes are concerned. */
  readonly count: number;
  /** What it is about, when a guard looks at several things: a file, a group, a mapped name. */
  readonly subject?: string;
  /** What a plugin gave as its reason. */
  readonly reason?: string;
}
