import type { GuardResult } from '../../../src/domain/guard.js';
import type { MissingBatchNotice, RunEndNotice } from '../../../src/domain/run-notice.js';
import { NO_COUNTS } from '../../../src/domain/run.js';
import type { DeliveryPolicy } from '../../../src/notify/delivery.js';

export const AT = new Date('2026-11-25T04:05:06.789Z');

/** Tries that follow each other at once. */
export const QUICK: DeliveryPolicy = { attempts: 3, attemptTimeoutMs: 5000, pauseMs: 1, random: () => 0 };

/** Tries that give up at once on what does not answer. */
export const IMPATIENT: DeliveryPolicy = { ...QUICK, attempts: 1, attemptTimeoutMs: 50 };

export const BLOCKED: GuardResult = { guard: 'blocked', value: 0.2, limit: 0.1, breached: true, count: 213 };

export function completeNotice(change: Partial<RunEndNotice> = {}): RunEndNotice {
  return {
    event: 'complete',
    id: 'notice-1',
    feed: 'hr',
    at: AT,
    url: 'https://sync.example.org/runs/12',
    run: 12,
    outcome: 'applied',
    dryRun: false,
    counts: { ...NO_COUNTS, records: 1065, added: 3, updated: 2, unchanged: 1058, rejected: 2 },
    errors: 4,
    guards: [],
    failure: null,
    timings: { stage: 1.5, plan: 0.25, apply: 65 },
    ...change,
  };
}

export function heldNotice(change: Partial<RunEndNotice> = {}): RunEndNotice {
  const counts = { ...NO_COUNTS, records: 852, blocked: 213, unchanged: 852 };
  const timings = { stage: 1, plan: 1, apply: 0 };
  return completeNotice({ event: 'held', outcome: null, errors: 0, guards: [BLOCKED], counts, timings, ...change });
}

export function failedNotice(change: Partial<RunEndNotice> = {}): RunEndNotice {
  const failure = { code: 'json-cut-off', message: 'Reading users: the file ends within a record, at line 7.' };
  const timings = { stage: 1, plan: 0, apply: 0 };
  return completeNotice({ event: 'failed', outcome: null, errors: 0, counts: NO_COUNTS, failure, timings, ...change });
}

export function missingNotice(change: Partial<MissingBatchNotice> = {}): MissingBatchNotice {
  return {
    event: 'missing',
    id: 'notice-2',
    feed: 'hr',
    at: AT,
    url: null,
    deadline: new Date('2026-07-01T05:30:00Z'),
    timeZone: 'Europe/London',
    lastBatchAt: new Date('2026-06-30T04:58:00Z'),
    ...change,
  };
}
