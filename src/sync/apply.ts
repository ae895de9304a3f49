import pLimit from 'p-limit';
import type { Connection, Database } from '../db/database.js';
import { LeaseLostError, type Lease } from '../db/lease.js';
import { stageTable } from '../db/queries.js';
import { isCausedByRecord, isRetryable, sqlState } from '../db/sqlstate.js';
import { UserSyncError } from '../lib/errors.js';
import { retry } from '../lib/retry.js';
import type { RunAttempt } from './context.js';

/** An operator asked to stop: what was applied stays. */
export class RunCancelledError extends UserSyncError {
  constructor(runId: number) {
    super('run-cancelled', `Run ${runId} was cancelled. What it had applied until then stays applied.`);
  }
}

export interface ApplyRequest {
  readonly attempt: RunAttempt;
  readonly lease: Lease;
  readonly fileNames: readonly string[];
  /** Leave those who left as they are, for the next run to decide. */
  readonly withoutBlocks: boolean;
  /** There may be objects that belong to users. */
  readonly hasDependents: boolean;
}

interface Chunk {
  readonly first_ordinal: number;
  readonly last_ordinal: number;
}

/**
 * Applies the stored plan, range by range, a few at a time, each in one transaction with a check that this process still
 * holds the feed. A range that is applied already is left alone, so that applying again goes on where it was.
 *
 * @returns how many records the database refused.
 */
export async function applyPlan(database: Database, request: ApplyRequest): Promise<number> {
  const { attempt } = request;
  const chunks = await database.rows<Chunk & Record<string, unknown>>('apply/open-chunks', [
    attempt.runId,
    request.withoutBlocks,
  ]);
  const limit = pLimit(attempt.settings.concurrency);
  const applier = new Applier(request, chunks);
  // The first failure stops those not yet begun; those under way end by themselves.
  const results = await Promise.allSettled(chunks.map((chunk) => limit(() => applier.apply(chunk))));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw applier.firstFailure ?? failed.reason;
  return applier.refused;
}

class Applier {
  readonly #request: ApplyRequest;
  readonly #total: number;
  #done = 0;
  refused = 0;
  firstFailure: unknown;

  constructor(request: ApplyRequest, chunks: readonly Chunk[]) {
    this.#request = request;
    this.#total = chunks.reduce((sum, chunk) => sum + size(chunk), 0);
  }

  async apply(chunk: Chunk): Promise<void> {
    if (this.firstFailure !== undefined) throw this.firstFailure;
    const { attempt } = this.#request;
    try {
      attempt.signal.throwIfAborted();
      await this.#applyOrHalve(chunk);
    } catch (error) {
      this.firstFailure ??= error;
      throw error;
    }
    this.#done += size(chunk);
    attempt.onProgress({ phase: 'apply', done: this.#done, total: this.#total, unit: 'users' });
  }

  async #applyOrHalve(chunk: Chunk): Promise<void> {
    try {
      await retry(() => this.#transact(chunk), {
        attempts: 6,
        baseMs: 100,
        maxMs: 5000,
        isRetryable,
        signal: this.#request.attempt.signal,
      });
    } catch (error) {
      if (!isCausedByRecord(error)) throw error;
      if (chunk.first_ordinal === chunk.last_ordinal) await this.#refuse(chunk, error);
      else for (const half of await this.#split(chunk)) await this.#applyOrHalve(half);
    }
  }

  async #transact(chunk: Chunk): Promise<void> {
    const { attempt, fileNames } = this.#request;
    const { runId, feedId } = attempt;
    const range = [runId, chunk.first_ordinal, chunk.last_ordinal];
    const stage = stageTable(runId);
    await this.#request.lease.transaction(async (connection) => {
      await assertNotCancelled(connection, runId);
      const [claimed] = await connection.rows<{ open: boolean }>('apply/claim-chunk', range);
      if (claimed === undefined) throw new LeaseLostError(attempt.settings.name);
      if (!claimed.open) return;
      await connection.run('apply/apply-adds', [...range, feedId, fileNames], stage);
      await connection.run('apply/restore-profiles', range);
      await connection.run('apply/apply-profiles', range);
      if (this.#request.hasDependents) {
        await connection.run('apply/apply-new-dependents', range);
        await connection.run('apply/apply-dependents', range);
        await connection.run('apply/remove-dependents', range);
      }
      await connection.run('apply/apply-accounts', range);
      await connection.run('apply/apply-departures', range);
      await connection.run('apply/apply-arrivals', range);
      await connection.run('apply/apply-feed-state', range, stage);
      await connection.run('apply/apply-received', [...range, feedId, fileNames], stage);
      await connection.run('apply/close-chunk', range);
    });
  }

  async #split(chunk: Chunk): Promise<Chunk[]> {
    const range = [this.#request.attempt.runId, chunk.first_ordinal, chunk.last_ordinal];
    return this.#request.lease.transaction((connection) =>
      connection.rows<Chunk & Record<string, unknown>>('apply/split-chunk', range),
    );
  }

  async #refuse(chunk: Chunk, error: unknown): Promise<void> {
    const { attempt, fileNames } = this.#request;
    const { runId } = attempt;
    // Not the database's own words: its details quote the row.
    const message =
      `The database refuses this user (SQLSTATE ${sqlState(error) ?? 'unknown'}). ` +
      'Correct the record, or the constraint or trigger that refuses it.';
    const { first_ordinal: ordinal } = chunk;
    await this.#request.lease.transaction(async (connection) => {
      await connection.run('apply/reject-change', [runId, ordinal, message, fileNames], stageTable(runId));
      await connection.run('apply/close-chunk', [runId, ordinal, ordinal]);
    });
    this.refused += 1;
  }
}

function size(chunk: Chunk): number {
  return chunk.last_ordinal - chunk.first_ordinal + 1;
}

async function assertNotCancelled(connection: Connection, runId: number): Promise<void> {
  const [run] = await connection.query<{ cancelled: boolean }>(
    `select cancel_requested or status <> 'applying' as cancelled from sync.run where id = $1`,
    [runId],
  );
  if (run?.cancelled === true) throw new RunCancelledError(runId);
}
