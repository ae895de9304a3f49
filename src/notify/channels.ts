import type { RunNotice } from '../domain/run-notice.js';
import type { ChannelName, DeliveryPolicy } from './delivery.js';
import { sendMail, type MailServer } from './mail.js';
import { sendPing } from './ping.js';
import { sendWebhook } from './webhook.js';

/** Who is told of a feed's runs: `report` of its configuration, or what an operator made of it. */
export interface ReportTargets {
  readonly email: readonly string[];
  readonly webhook: { readonly url?: string | undefined; readonly secret?: string | undefined };
  readonly ping?: string | undefined;
}

export interface Channel {
  readonly name: ChannelName;
  readonly send: (signal: AbortSignal) => Promise<void>;
}

export interface ChannelContext {
  /** Without it no mail can be sent. */
  readonly mailServer: MailServer | undefined;
  readonly policy: DeliveryPolicy;
  readonly now: () => Date;
}

/** The ways on which one notice is to go out. */
export function channelsFor(notice: RunNotice, targets: ReportTargets, context: ChannelContext): Channel[] {
  const { mailServer, policy, now } = context;
  const { email, webhook, ping } = targets;
  const { url, secret } = webhook;
  const channels: Channel[] = [];
  if (email.length > 0 && mailServer !== undefined) {
    channels.push({ name: 'mail', send: (signal) => sendMail(mailServer, email, notice, policy, signal) });
  }
  if (url !== undefined && secret !== undefined) {
    channels.push({ name: 'webhook', send: (signal) => sendWebhook({ url, secret }, notice, policy, now, signal) });
  }
  if (ping !== undefined && isSuccess(notice)) {
    channels.push({ name: 'ping', send: (signal) => sendPing(ping, policy, signal) });
  }
  return channels;
}

/** A dry run proves nothing: the service is to raise the alarm when the directory is no longer brought up to date. */
function isSuccess(notice: RunNotice): boolean {
  return notice.event === 'complete' && !notice.dryRun;
}
