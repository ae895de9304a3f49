import { isEnd, type RunOutcome, type RunStatus } from './run.js';

/** How long a feed's batch files are kept: those of the last so many runs, and those of the last so many days. */
export interface RetentionRule {
  readonly runs: number;
  readonly days: number;
}

/** What retention asks of a run. */
export interface RunWithFiles {
  /** Counts up. */
  readonly run: number;
  readonly feed: string;
  readonly status: RunStatus;
  readonly outcome: RunOutcome | null;
  /** It brought the directory up to its batch. */
  readonly applied: boolean;
  readonly createdAt: Date;
  /** SHA-256 of its files. */
  readonly digests: readonly string[];
}

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * The digests of files that no run needs any more, in order. A file goes when both limits of the rule have passed; never
 * one of a run that has not ended, which is still to be planned or applied, nor of a feed's last applied batch, which the next
 * one is compared with and which may be applied again.
 *
 * Needs all runs of all feeds at once: the store knows a file by its digest, and feeds may share one.
 *
 * @param ruleOf undefined for a feed about which nothing is said; its files stay
 */
export function removableFiles(
  runs: readonly RunWithFiles[],
  ruleOf: (feed: string) => RetentionRule | undefined,
  now: Date,
): string[] {
  const kept = new Set<string>();
  const all = new Set<string>();
  for (const [feed, ofFeed] of byFeed(runs)) {
    const keeps = keeper(ofFeed, ruleOf(feed), now);
    for (const run of ofFeed) {
      for (const digest of run.digests) {
        all.add(digest);
        if (keeps(run)) kept.add(digest);
      }
    }
  }
  return [...all].filter((digest) => !kept.has(digest)).sort();
}

function keeper(
  runs: readonly RunWithFiles[],
  rule: RetentionRule | undefined,
  now: Date,
): (run: RunWithFiles) => boolean {
  if (rule === undefined) return () => true;
  const newestFirst = runs.map(({ run }) => run).sort((a, b) => b - a);
  const oldestOfLast = newestFirst[Math.min(rule.runs, newestFirst.length) - 1] ?? Number.POSITIVE_INFINITY;
  const lastApplied = Math.max(...runs.filter(isAppliedBatch).map(({ run }) => run));
  const oldestTime = now.getTime() - rule.days * DAY_MS;
  return ({ run, status, createdAt }) =>
    run >= oldestOfLast || run === lastApplied || !isEnd(status) || createdAt.getTime() > oldestTime;
}

/** One that was 'nothing new' has the files of the one before it. */
function isAppliedBatch({ applied, outcome }: RunWithFiles): boolean {
  return applied && outcome !== 'nothing-new';
}

function byFeed(runs: readonly RunWithFiles[]): Map<string, RunWithFiles[]> {
  const feeds = new Map<string, RunWithFiles[]>();
  for (const run of runs) {
    const ofFeed = feeds.get(run.feed);
    if (ofFeed === undefined) feeds.set(run.feed, [run]);
    else ofFeed.push(run);
  }
  return feeds;
}
