import { createHmac } from 'node:crypto';
import type { RunNotice } from '../domain/run-notice.js';
import { deliver, type DeliveryPolicy, type Destination } from './delivery.js';
import { callHttp } from './http-call.js';

export interface Webhook {
  readonly url: string;
  /** Key of the signature. */
  readonly secret: string;
}

/**
 * POSTs a notice as JSON. Every try has the same delivery id, by which a receiver tells what it has already, and a
 * timestamp of its own, by which it tells what is old. docs/notifications.md has the recipe to verify the signature.
 *
 * @throws {UserSyncError} `report-unreachable`, `report-timeout`, `report-refused`
 */
export async function sendWebhook(
  webhook: Webhook,
  notice: RunNotice,
  policy: DeliveryPolicy,
  now: () => Date,
  signal: AbortSignal,
): Promise<void> {
  const { url, secret } = webhook;
  const destination: Destination = { channel: 'webhook', host: new URL(url).host };
  const body = webhookBody(notice);
  const attempt = (attemptSignal: AbortSignal): Promise<void> => {
    const timestamp = String(Math.floor(now().getTime() / 1000));
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'user-sync',
      'x-usersync-event': notice.event,
      'x-usersync-delivery': notice.id,
      'x-usersync-timestamp': timestamp,
      'x-usersync-signature': `sha256=${signatureOf(secret, timestamp, body)}`,
    };
    return callHttp(destination, { url, method: 'POST', headers, body }, attemptSignal);
  };
  await deliver(destination, attempt, policy, signal);
}

/** Hexadecimal HMAC-SHA256 over `timestamp.body`, so that neither can be exchanged by itself. */
function signatureOf(secret: string, timestamp: string, body: string): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
}

/** Its names are a contract; see docs/notifications.md. */
function webhookBody(notice: RunNotice): string {
  const { event, id, feed, at, url } = notice;
  const about = { event, delivery: id, feed, at: at.toISOString(), url };
  if (notice.event === 'missing') {
    const { deadline, timeZone, lastBatchAt } = notice;
    return JSON.stringify({
      ...about,
      deadline: deadline.toISOString(),
      timeZone,
      lastBatchAt: lastBatchAt?.toISOString() ?? null,
    });
  }
  const { run, outcome, dryRun, counts, errors, guards, failure, timings } = notice;
  return JSON.stringify({ ...about, run, outcome, dryRun, counts, errors, guards, failure, timings });
}
