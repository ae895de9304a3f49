import { deliver, type DeliveryPolicy, type Destination } from './delivery.js';
import { callHttp } from './http-call.js';

/**
 * Fetches the URL of a dead-man service, which raises the alarm when the pings stop. It says nothing but 'still alive'.
 *
 * @throws {UserSyncError} `report-unreachable`, `report-timeout`, `report-refused`
 */
export async function sendPing(url: string, policy: DeliveryPolicy, signal: AbortSignal): Promise<void> {
  const destination: Destination = { channel: 'ping', host: new URL(url).host };
  const headers = { 'user-agent': 'user-sync' };
  await deliver(
    destination,
    (attempt) => callHttp(destination, { url, method: 'GET', headers }, attempt),
    policy,
    signal,
  );
}
