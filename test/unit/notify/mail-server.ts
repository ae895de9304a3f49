import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { MailServer } from '../../../src/notify/mail.js';

/** A mail as it arrived. */
export interface ReceivedMail {
  readonly to: readonly string[];
  readonly user: string | undefined;
  readonly raw: string;
  readonly headers: ReadonlyMap<string, string>;
  /** Decoded, by content type. */
  readonly parts: ReadonlyMap<string, string>;
}

export interface TestMailServer extends AsyncDisposable {
  readonly mails: readonly ReceivedMail[];
  readonly server: MailServer;
}

/** A real SMTP server on a free port that keeps what it takes. */
export async function mailServer(options: SMTPServerOptions = {}): Promise<TestMailServer> {
  const mails: ReceivedMail[] = [];
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    logger: false,
    closeTimeout: 1,
    onAuth: ({ username, password }, _session, answer) =>
      password === 'sesame' ? answer(null, { user: username }) : answer(new Error('no')),
    onData: (stream, session, answer) => {
      void text(stream).then((raw) => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        mails.push({ to, user: session.user as string | undefined, raw, ...parseMail(raw) });
        answer();
      });
    },
    ...options,
  });
  // A client that gives up is what some tests are about.
  smtp.on('error', () => undefined);
  smtp.listen(0, '127.0.0.1');
  await once(smtp.server, 'listening');
  const { port } = smtp.server.address() as AddressInfo;
  return {
    mails,
    server: { smtpUrl: `smtp://127.0.0.1:${port}`, from: 'User sync <user-sync@example.org>' },
    [Symbol.asyncDispose]: () => new Promise((resolve) => smtp.close(resolve)),
  };
}

function parseMail(raw: string): Pick<ReceivedMail, 'headers' | 'parts'> {
  const { headers, body } = splitPart(raw);
  const boundary = /boundary="?([^";]+)/.exec(headers.get('content-type') ?? '')?.[1];
  const parts = boundary === undefined ? [raw] : body.split(`--${boundary}`).slice(1, -1);
  return { headers, parts: new Map(parts.map((part) => decodePart(part.trimStart()))) };
}

function decodePart(part: string): [string, string] {
  const { headers, body } = splitPart(part);
  const type = headers.get('content-type')?.split(';')[0] ?? 'text/plain';
  switch (headers.get('content-transfer-encoding')) {
    case 'base64':
      return [type, Buffer.from(body, 'base64').toString('utf8')];
    case 'quoted-printable':
      return [type, unquoted(body)];
    default:
      return [type, body];
  }
}

function splitPart(part: string): { headers: Map<string, string>; body: string } {
  const end = part.indexOf('\r\n\r\n');
  const lines = part
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { headers: new Map(headers), body: part.slice(end + 4) };
}

function unquoted(text: string): string {
  const joined = text.replace(/=\r\n/g, '');
  const bytes = joined.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8').replaceAll('\r\n', '\n');
}
