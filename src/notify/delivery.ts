import { UserSyncError } from '../lib/errors.js';
import { retry } from '../lib/retry.js';
import { within } from '../lib/within.js';

export type ChannelName = 'mail' | 'webhook' | 'ping';

/** Where a report goes, as it may be told: the host alone, since paths and passwords of these URLs are secrets. */
export interface Destination {
  readonly channel: ChannelName;
  readonly host: string;
}

export interface DeliveryPolicy {
  /** Tries in all, of what may pass by itself. */
  readonly attempts: number;
  /** How long one try may take. */
  readonly attemptTimeoutMs: number;
  /** Upper bound of the first pause between tries; it doubles. */
  readonly pauseMs: number;
  /** In [0, 1): spreads the pauses. */
  readonly random: () => number;
}

/** For a program that has other things to do: three tries, given up within half a minute. */
export const USUAL_DELIVERY: DeliveryPolicy = {
  attempts: 3,
  attemptTimeoutMs: 8000,
  pauseMs: 1000,
  random: Math.random,
};

/** Tries until the report is taken, is refused for good, or the tries are used up. */
export async function deliver(
  destination: Destination,
  attempt: (signal: AbortSignal) => Promise<void>,
  policy: DeliveryPolicy,
  signal: AbortSignal,
): Promise<void> {
  const timedOut = (): Error => timeout(destination, policy.attemptTimeoutMs);
  await retry(() => within(policy.attemptTimeoutMs, signal, timedOut, attempt), {
    attempts: policy.attempts,
    baseMs: policy.pauseMs,
    maxMs: 4 * policy.pauseMs,
    isRetryable: mayPass,
    random: policy.random,
    signal,
  });
}

/*
 * Errors keep no cause: what libraries and other people's servers say may repeat a URL with its key, or a password.
 */

export function unreachable(destination: Destination, reason: string): UserSyncError {
  return new UserSyncError('report-unreachable', `${reporting(destination)}: no connection (${reason}).`);
}

export function timeout(destination: Destination, timeoutMs: number): UserSyncError {
  return new UserSyncError('report-timeout', `${reporting(destination)}: no answer within ${timeoutMs / 1000} s.`);
}

/** @param passing whether it may be taken when tried again */
export function refused(destination: Destination, answer: string, passing: boolean): UserSyncError {
  const message = `${reporting(destination)}: the report was not taken, the answer was ${answer}.`;
  return new UserSyncError('report-refused', message, { context: { passing } });
}

function mayPass(error: unknown): boolean {
  if (!(error instanceof UserSyncError)) return false;
  return error.code === 'report-refused' ? error.context['passing'] === true : error.code.startsWith('report-');
}

function reporting({ channel, host }: Destination): string {
  return `Reporting by ${channel} to ${host}`;
}
