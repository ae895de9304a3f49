import { expect } from 'chai';
import { createHash } from 'node:crypto';
import type { Database } from '../../src/db/database.js';
import { listRuns, type RunRow } from '../../src/db/runs.js';
import { NO_COUNTS, changesIn, type ChangeKind, type ChangeState, type RunCounts } from '../../src/domain/run.js';
import type { DirectoryModel, ModelPlan } from './directory-model.js';
import { followed, sideOf, valuesOf, type ModelChange, type Values } from './model-change.js';
import type { ModelRecord } from './model-user.js';

/** A row of directory.changes. */
export interface LoggedChange extends Record<string, unknown> {
  readonly id: number;
  readonly run: number;
  readonly username: string;
  readonly kind: ChangeKind;
  readonly before: ChangeState | null;
  readonly after: ChangeState;
}

/** Beyond both the guard `blocked` holds a run; no other guard is on but `empty`. */
export const BLOCK_LIMIT = { share: 0.3, count: 3 };

export const LEDGER_GUARDS = {
  'first-run': 'off',
  blocked: BLOCK_LIMIT,
  updated: 'off',
  rejected: 'off',
  'unreadable-usernames': 'off',
  'record-count': 'off',
  'file-size': 'off',
  'group-loss': 'off',
  'field-emptied': 'off',
} as const;

interface Applied {
  readonly digest: string | undefined;
  readonly counts: RunCounts;
}

/**
 * Follows the runs of a feed, whatever made them, in the order in which they were held and ended, and has the model do the
 * same. Of a run that was stopped it only believes which users were reached.
 */
export class RunLedger {
  readonly #batches = new Map<string, readonly ModelRecord[] | undefined>();
  readonly #applied = new Map<number, ReadonlyMap<string, ModelChange>>();
  /** How often runs came where. */
  readonly ends: Record<string, number> = {};
  #transitions = 0;
  #lastBatch: Applied | undefined;
  #changedSince = false;

  constructor(
    readonly model: DirectoryModel,
    private readonly database: Database,
  ) {}

  /** @returns the digest by which the store knows the file */
  expect(text: string, records: readonly ModelRecord[] | undefined): string {
    const digest = createHash('sha256').update(text).digest('hex');
    this.#batches.set(digest, records);
    return digest;
  }

  /** Oldest first. */
  async runs(): Promise<RunRow[]> {
    return (await listRuns(this.database, { limit: 1000 })).reverse();
  }

  /**
   * Takes in what the runs did since the last time; none is under way.
   *
   * @param mayFail runs of commands do, when their connection is ended
   */
  async catchUp(mayFail: boolean): Promise<void> {
    const runs = new Map((await this.runs()).map((run) => [run.id, run]));
    const moves = await this.database.query<{ run: number; to: string }>(
      `select run_id as run, to_status as to from sync.run_transition
       where to_status in ('held', 'complete', 'failed', 'cancelled') order by at`,
    );
    for (const { run: id, to } of moves.slice(this.#transitions)) {
      const run = runs.get(id)!;
      this.ends[to] = (this.ends[to] ?? 0) + 1;
      if (to === 'complete') await this.#completed(run);
      else if (to === 'held') await this.#held(run);
      else await this.#stopped(run, mayFail);
    }
    this.#transitions = moves.length;
    const applied = [...runs.values()].filter((run) => run.applied);
    for (const { id, status, cancelRequested } of runs.values()) {
      if (status !== 'held') continue;
      const later = applied.filter((run) => run.id > id && batchOf(run.id, runs) >= batchOf(id, runs));
      expect(later, `run ${id} is held although a later batch was applied`).to.deep.equal([]);
      expect(cancelRequested, `run ${id} is held although it was to be cancelled`).to.equal(false);
    }
  }

  async #held(run: RunRow): Promise<void> {
    // One that went on since has the numbers of what came later.
    if (run.status !== 'held') return;
    const plan = await this.#planOf(run, false);
    const what = `run ${run.id}, held`;
    expect(run.counts, what).to.deep.equal(plan.counts);
    const breached = run.guards.filter((guard) => guard.breached).map(({ guard }) => guard);
    expect(breached, what).to.have.members(this.#breachedBy(run, plan));
    expect(breached, what).not.to.deep.equal([]);
  }

  async #completed(run: RunRow): Promise<void> {
    const what = `run ${run.id}, complete`;
    const digest = await this.#digestOf(run);
    if (run.outcome === 'nothing-new') {
      const { records = 0, rejected = 0 } = this.#lastBatch?.counts ?? {};
      expect(digest, `${what}: nothing new`).to.equal(this.#lastBatch?.digest);
      expect(this.#changedSince, `${what}: nothing new, although something was changed since`).to.equal(false);
      expect(run.counts, what).to.deep.equal({ ...NO_COUNTS, records, rejected, unchanged: records - rejected });
      expect(await this.#changesOf(run)).to.deep.equal([]);
      return;
    }
    if (run.approvedBy === null) {
      const breached = this.#breachedBy(run, await this.#planOf(run, false));
      expect(breached, `${what} without approval`).to.deep.equal([]);
    }
    const plan = await this.#planOf(run, run.withoutBlocks);
    expect(run.counts, what).to.deep.equal(plan.counts);
    expect(run.outcome, what).to.equal(changesIn(plan.counts) > 0 ? 'applied' : 'nothing-to-change');
    const changes = await this.#changesOf(run);
    expect(changes.map(({ username }) => username).sort(), what).to.deep.equal([...plan.changes.keys()].sort());
    this.#compare(what, changes, plan);
    this.model.commit(plan);
    this.#applied.set(run.id, plan.changes);
    if (run.kind === 'revert') {
      this.#changedSince ||= plan.changes.size > 0;
    } else {
      this.#lastBatch = { digest, counts: plan.counts };
      this.#changedSince = false;
    }
  }

  /** Cancelled or failed: what it had applied stays. */
  async #stopped(run: RunRow, mayFail: boolean): Promise<void> {
    const what = `run ${run.id}, ${run.status}: ${run.failureMessage ?? ''}`;
    const digest = await this.#digestOf(run);
    const isBroken = digest !== undefined && this.#batches.get(digest) === undefined;
    if (run.status === 'failed') expect(isBroken || mayFail, what).to.equal(true);
    const changes = await this.#changesOf(run);
    if (isBroken) expect(changes, what).to.deep.equal([]);
    const reached = new Set(changes.map(({ username }) => username));
    const { added, updated, blocked, unblocked } = run.counts;
    const counted = { add: added, update: updated, block: blocked, unblock: unblocked };
    for (const [kind, count] of Object.entries(counted)) {
      expect(changes.filter((change) => change.kind === kind).length, `${what}: ${kind}`).to.equal(count);
    }
    if (changes.length === 0) return;
    const plan = await this.#planOf(run, run.withoutBlocks);
    this.#compare(what, changes, plan);
    this.model.commit(plan, reached);
    this.#applied.set(run.id, new Map([...plan.changes].filter(([username]) => reached.has(username))));
    this.#changedSince = true;
  }

  /** What is in the change log leads followers from what was to what is. */
  #compare(what: string, changes: readonly LoggedChange[], plan: ModelPlan): void {
    for (const { username, kind, before, after } of changes) {
      const expected = plan.changes.get(username);
      const whom = `${what}: ${username}`;
      expect(kind, whom).to.equal(expected?.kind);
      const [was, gone, now] = [valuesOf(expected?.before), sideOf(before ?? {}), sideOf(after)];
      for (const [key, value] of gone) expect(value, `${whom}: ${key} before`).to.deep.equal(was.get(key) ?? null);
      expect(plain(followed(was, gone, now)), whom).to.deep.equal(plain(valuesOf(expected?.after)));
    }
  }

  async #planOf(run: RunRow, withoutBlocks: boolean): Promise<ModelPlan> {
    if (run.kind === 'revert') {
      return this.model.planRevert(this.#applied.get(run.ofRun ?? 0) ?? new Map(), { withoutBlocks });
    }
    const digest = await this.#digestOf(run);
    const records = this.#batches.get(digest ?? '');
    if (records === undefined) throw new Error(`run ${run.id} has a batch that nobody sent, or that cannot be read`);
    return this.model.plan(records, { force: run.force, withoutBlocks });
  }

  #breachedBy(run: RunRow, { counts }: ModelPlan): string[] {
    const { inFeed } = this.model;
    const isEmpty = run.kind !== 'revert' && counts.records === 0;
    const isMany = counts.blocked >= BLOCK_LIMIT.count && counts.blocked / inFeed > BLOCK_LIMIT.share + 1e-9;
    return [...(isMany ? ['blocked'] : []), ...(isEmpty ? ['empty'] : [])];
  }

  async #digestOf(run: RunRow): Promise<string | undefined> {
    const [file] = await this.database.query<{ digest: string }>('select digest from sync.run_file where run_id = $1', [
      run.id,
    ]);
    return file?.digest;
  }

  #changesOf(run: RunRow): Promise<LoggedChange[]> {
    return this.database.query<LoggedChange>('select * from directory.changes where run = $1 order by id', [run.id]);
  }
}

/** The run whose batch a run has. */
function batchOf(id: number, runs: ReadonlyMap<number, RunRow>): number {
  const { kind, ofRun } = runs.get(id)!;
  return kind === 'reapply' && ofRun !== null ? batchOf(ofRun, runs) : id;
}

function plain(values: Values): object {
  return Object.fromEntries([...values].filter(([key]) => key !== 'user/username').sort());
}
