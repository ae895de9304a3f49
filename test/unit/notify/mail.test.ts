import { expect } from 'chai';
import { once } from 'node:events';
import { UserSyncError } from '../../../src/lib/errors.js';
import { sendMail, type MailServer } from '../../../src/notify/mail.js';
import type { DeliveryPolicy } from '../../../src/notify/delivery.js';
import { closedPort, silentTarget } from './http-target.js';
import { mailServer } from './mail-server.js';
import { heldNotice, IMPATIENT, missingNotice, QUICK } from './notices.js';

const TO = ['ops@example.org', 'hr@example.org'];
const never = new AbortController().signal;

async function failureOf(server: MailServer, policy: DeliveryPolicy = QUICK, signal = never): Promise<UserSyncError> {
  const error = await sendMail(server, TO, heldNotice(), policy, signal).catch((thrown: unknown) => thrown);
  expect(error).to.be.instanceOf(UserSyncError);
  return error as UserSyncError;
}

describe('A mail about a run', () => {
  it('arrives at every address, as text and as HTML', async () => {
    await using smtp = await mailServer();
    await sendMail(smtp.server, TO, heldNotice(), QUICK, never);
    expect(smtp.mails).to.have.length(1);
    const mail = smtp.mails[0]!;
    expect(mail.to).to.deep.equal(TO);
    expect(mail.headers.get('from')).to.equal('User sync <user-sync@example.org>');
    expect(mail.headers.get('subject')).to.equal('[user-sync] hr: run 12 is held, please decide (blocked)');
    expect(mail.headers.get('auto-submitted')).to.equal('auto-generated');
    expect([...mail.parts.keys()]).to.deep.equal(['text/plain', 'text/html']);
    for (const part of mail.parts.values()) {
      expect(part).to.include('213 users would be blocked: 20 % of those in the feed, limit 10 %');
      expect(part).to.include('https://sync.example.org/runs/12');
      expect(part).to.include('user-sync cancel 12');
    }
  });

  it('signs in with the user and password of the URL', async () => {
    await using smtp = await mailServer();
    const smtpUrl = smtp.server.smtpUrl.replace('://', '://robot:sesame@');
    await sendMail({ ...smtp.server, smtpUrl }, TO, missingNotice(), QUICK, never);
    expect(smtp.mails.map(({ user }) => user)).to.deep.equal(['robot']);
  });

  it('has no header that a hostile name would add', async () => {
    await using smtp = await mailServer();
    const feed = 'hr\r\nBcc: all@example.org\r\n\r\nbody';
    await sendMail(smtp.server, TO, missingNotice({ feed }), QUICK, never);
    const mail = smtp.mails[0]!;
    expect(mail.to).to.deep.equal(TO);
    expect([...mail.headers.keys()]).not.to.include('bcc');
    expect(mail.headers.get('subject')).to.include('hr\\u000d\\u000aBcc');
    expect([...mail.parts.keys()]).to.deep.equal(['text/plain', 'text/html']);
  });

  it('is refused for a wrong password, which no error repeats', async () => {
    let logins = 0;
    await using strict = await mailServer({
      onAuth: ({ password }, _session, answer) => {
        logins += 1;
        answer(new Error(`wrong: ${password}`));
      },
    });
    const smtpUrl = strict.server.smtpUrl.replace('://', '://robot:very-secret@');
    const error = await failureOf({ ...strict.server, smtpUrl });
    expect(error.code).to.equal('report-refused');
    expect(error.message).to.include('535 (EAUTH)');
    expect(JSON.stringify([error, error.message, error.stack])).not.to.include('secret');
    expect(error.cause).to.equal(undefined);
    expect(logins, 'a wrong password does not get right').to.equal(1);
  });

  it('is tried again when the server says that it is busy', async () => {
    let recipients = 0;
    await using smtp = await mailServer({
      onRcptTo: (_address, _session, answer) => {
        recipients += 1;
        answer(recipients <= TO.length ? Object.assign(new Error('later'), { responseCode: 451 }) : null);
      },
    });
    await sendMail(smtp.server, TO, heldNotice(), QUICK, never);
    expect(smtp.mails).to.have.length(1);
  });

  it('says when only some of the addresses are refused', async () => {
    await using smtp = await mailServer({
      onRcptTo: ({ address }, _session, answer) => answer(address === TO[0] ? null : new Error('unknown')),
    });
    const error = await failureOf(smtp.server);
    expect(error.code).to.equal('report-refused');
    expect(error.message).to.include('1 of 2 addresses');
    expect(smtp.mails.map(({ to }) => to)).to.deep.equal([[TO[0]]]);
  });

  it('is given up when nobody listens', async () => {
    const smtpUrl = `smtp://robot:very-secret@127.0.0.1:${await closedPort()}`;
    const error = await failureOf({ smtpUrl, from: 'a@example.org' });
    expect(error.code).to.equal('report-unreachable');
    expect(error.message).not.to.include('secret');
  });

  it('is given up when the server never says a word, and lets go of the connection', async () => {
    await using silent = await silentTarget();
    const server = { smtpUrl: `smtp://${silent.host}`, from: 'a@example.org' };
    expect((await failureOf(server, { ...IMPATIENT, attemptTimeoutMs: 1000 })).code).to.equal('report-timeout');
    const [socket] = silent.sockets;
    if (!socket!.closed) await once(socket!.resume(), 'close');
  });

  it('stops with the signal', async () => {
    await using silent = await silentTarget();
    const stop = new AbortController();
    const failing = failureOf({ smtpUrl: `smtp://${silent.host}`, from: 'a@example.org' }, QUICK, stop.signal);
    stop.abort(new UserSyncError('report-dropped', 'stopped'));
    expect((await failing).code).to.equal('report-dropped');
  });
});
