import type { Transporter } from 'nodemailer';
import type SMTPTransport from 'nodemailer/lib/smtp-transport/index.js';
import type { RunNotice } from '../domain/run-notice.js';
import { deliver, refused, timeout, unreachable, type DeliveryPolicy, type Destination } from './delivery.js';
import { letterHtml } from './letter-html.js';
import { letterText } from './letter-text.js';
import { letterOf } from './letter.js';

/** The outgoing mail server, and who the mails are from. */
export interface MailServer {
  readonly smtpUrl: string;
  readonly from: string;
}

/**
 * Mails a notice, with a text and an HTML part. A connection is made for each mail: there are a few a day, and an idle
 * one would have to be looked after.
 *
 * @throws {UserSyncError} `report-unreachable`, `report-timeout`, `report-refused` (also when only some of the addresses
 *   were refused)
 */
export async function sendMail(
  server: MailServer,
  to: readonly string[],
  notice: RunNotice,
  policy: DeliveryPolicy,
  signal: AbortSignal,
): Promise<void> {
  const destination: Destination = { channel: 'mail', host: new URL(server.smtpUrl).host };
  const letter = letterOf(notice);
  const { attemptTimeoutMs } = policy;
  const transport = await transportTo(server.smtpUrl, attemptTimeoutMs);
  const message = {
    from: server.from,
    to: [...to],
    subject: letter.subject,
    text: letterText(letter),
    html: letterHtml(letter),
    // Keeps holiday replies away, and lets people sort their mail (RFC 3834).
    headers: { 'Auto-Submitted': 'auto-generated', 'X-UserSync-Event': notice.event },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  const attempt = async (attemptSignal: AbortSignal): Promise<void> => {
    const info = await transport.sendMail({ ...message, signal: attemptSignal }).catch((error: unknown) => {
      throw failureOf(destination, error, attemptTimeoutMs);
    });
    if (info.rejected.length > 0) {
      throw refused(destination, `a refusal of ${info.rejected.length} of ${to.length} addresses`, false);
    }
  };
  await deliver(destination, attempt, policy, signal);
}

/**
 * Connects and signs in, and sends nothing.
 *
 * @throws {UserSyncError} `report-unreachable`, `report-timeout` or `report-refused`
 */
export async function verifyMailServer(smtpUrl: string, timeoutMs = 5000): Promise<void> {
  const transport = await transportTo(smtpUrl, timeoutMs);
  try {
    await transport.verify();
  } catch (error) {
    throw failureOf({ channel: 'mail', host: new URL(smtpUrl).host }, error, timeoutMs);
  } finally {
    transport.close();
  }
}

/** Loads the library when there is something to mail. */
async function transportTo(smtpUrl: string, timeoutMs: number): Promise<Transporter<SMTPTransport.SentMessageInfo>> {
  const { createTransport } = await import('nodemailer');
  return createTransport({
    url: smtpUrl,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    socketCloseTimeout: 1000,
  });
}

/** Of what nodemailer says, only the codes: messages repeat the server's answer, which may repeat what it was sent. */
function failureOf(destination: Destination, error: unknown, timeoutMs: number): Error {
  if (!(error instanceof Error)) return unreachable(destination, 'unknown');
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  const answer = 'responseCode' in error && typeof error.responseCode === 'number' ? error.responseCode : undefined;
  if (answer !== undefined) return refused(destination, `${answer} (${code})`, answer >= 400 && answer < 500);
  if (code === 'ETIMEDOUT') return timeout(destination, timeoutMs);
  if (PERMANENT.has(code)) return refused(destination, code, false);
  return unreachable(destination, code);
}

/** Codes without an answer of the server that another try would not change. */
const PERMANENT: ReadonlySet<string> = new Set(['EAUTH', 'ENOAUTH', 'EENVELOPE', 'ECONFIG', 'EREQUIRETLS', 'ETLS']);
