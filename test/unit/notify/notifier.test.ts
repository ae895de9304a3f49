import { expect } from 'chai';
import { memoryLogger, type MemoryLogger } from '../../../src/lib/logger.js';
import type { RunNotice } from '../../../src/domain/run-notice.js';
import type { ReportTargets } from '../../../src/notify/channels.js';
import { Notifier, type NotifierOptions } from '../../../src/notify/notifier.js';
import { closedPort, httpTarget, silentTarget } from './http-target.js';
import { mailServer } from './mail-server.js';
import { AT, completeNotice, failedNotice, heldNotice, IMPATIENT, missingNotice, QUICK } from './notices.js';

const NOBODY: ReportTargets = { email: [], webhook: {} };
const SECRET = 'sesame-secret-of-webhook';
const LONG_MS = 20_000;

function setup(options: Partial<NotifierOptions> = {}): { notifier: Notifier; logger: MemoryLogger } {
  const logger = memoryLogger(() => AT);
  return { logger, notifier: new Notifier({ logger, now: () => AT, policy: QUICK, ...options }) };
}

function warningsOf(logger: MemoryLogger): unknown[] {
  return logger.entries.filter(({ level }) => level !== 'debug').map(({ level, fields }) => [level, fields]);
}

describe('The notifier', () => {
  it('tells each channel of a feed', async () => {
    await using smtp = await mailServer();
    await using hook = await httpTarget(200);
    await using alive = await httpTarget(200);
    const { notifier, logger } = setup({ mailServer: smtp.server });
    const targets = { email: ['ops@example.org'], webhook: { url: hook.origin, secret: SECRET }, ping: alive.origin };
    notifier.notify(completeNotice(), targets);
    expect(await notifier.flush(LONG_MS)).to.equal(true);
    expect(smtp.mails).to.have.length(1);
    expect(hook.requests).to.have.length(1);
    expect(alive.requests).to.have.length(1);
    expect(warningsOf(logger)).to.deep.equal([]);
  });

  it('pings for success alone', async () => {
    await using alive = await httpTarget(200);
    const { notifier } = setup();
    const notices: RunNotice[] = [heldNotice(), failedNotice(), missingNotice(), completeNotice({ dryRun: true })];
    for (const notice of notices) notifier.notify(notice, { ...NOBODY, ping: alive.origin });
    await notifier.flush(LONG_MS);
    expect(alive.requests).to.deep.equal([]);
    notifier.notify(completeNotice({ outcome: 'nothing-new' }), { ...NOBODY, ping: alive.origin });
    await notifier.flush(LONG_MS);
    expect(alive.requests).to.have.length(1);
  });

  it('tells nobody when a feed names nobody', async () => {
    const { notifier, logger } = setup();
    notifier.notify(heldNotice(), NOBODY);
    expect(await notifier.flush(LONG_MS)).to.equal(true);
    expect(logger.entries).to.deep.equal([]);
  });

  it('warns of targets that are down, with code and channel, and without any secret', async () => {
    const port = await closedPort();
    await using broken = await httpTarget(500);
    const smtpUrl = `smtp://robot:sesame-mail@127.0.0.1:${port}`;
    const { notifier, logger } = setup({ mailServer: { smtpUrl, from: 'a@example.org' } });
    notifier.notify(completeNotice(), {
      email: ['ops@example.org'],
      webhook: { url: `http://robot:sesame-user@${broken.host}/sesame-path?token=sesame-token`, secret: SECRET },
      ping: `http://127.0.0.1:${port}/sesame-ping`,
    });
    await notifier.flush(LONG_MS);
    const lines = logger.entries.filter(({ level }) => level === 'warn');
    const told = lines.map(({ fields }) => [fields['channel'], fields['code'], fields['feed'], fields['run']]);
    expect(told).to.have.deep.members([
      ['mail', 'report-unreachable', 'hr', 12],
      ['webhook', 'report-refused', 'hr', 12],
      ['ping', 'report-unreachable', 'hr', 12],
    ]);
    expect(JSON.stringify(logger.entries)).not.to.include('sesame');
    expect(JSON.stringify(logger.entries)).to.include(`ping to 127.0.0.1:${port}`);
  });

  it('returns at once and goes on with other channels and feeds while a target hangs', async () => {
    await using silent = await silentTarget();
    await using hook = await httpTarget('hang');
    await using alive = await httpTarget(200);
    const { notifier } = setup({ mailServer: { smtpUrl: `smtp://${silent.host}`, from: 'a@example.org' } });
    const hanging = { email: ['ops@example.org'], webhook: { url: hook.origin, secret: SECRET } };
    notifier.notify(completeNotice(), { ...hanging, ping: alive.origin });
    notifier.notify(completeNotice({ feed: 'students' }), { ...NOBODY, ping: alive.origin });
    while (alive.requests.length < 2) await notifier.flush(5);
    expect(await notifier.flush(5), 'the others still hang').to.equal(false);
    await notifier.close(0);
  });

  it('gives a channel a bounded time, whatever the target does', async () => {
    await using hook = await httpTarget('hang');
    const { notifier, logger } = setup({ channelTimeoutMs: 20 });
    notifier.notify(heldNotice(), { ...NOBODY, webhook: { url: hook.origin, secret: SECRET } });
    expect(await notifier.flush(LONG_MS)).to.equal(true);
    expect(logger.entries.map(({ fields }) => fields['code'])).to.deep.equal(['report-timeout']);
  });

  it('keeps the order for a target, and gives up the oldest when too many wait', async () => {
    await using hook = await httpTarget('hang', 200);
    const { notifier, logger } = setup({ queueLimit: 2, policy: { ...IMPATIENT, attemptTimeoutMs: 1000 } });
    const targets = { ...NOBODY, webhook: { url: hook.origin, secret: SECRET } };
    for (const run of [1, 2, 3, 4, 5]) notifier.notify(heldNotice({ run, id: `notice-${run}` }), targets);
    await notifier.flush(LONG_MS);
    const ids = hook.requests.map(({ headers }) => headers['x-usersync-delivery']);
    expect(ids).to.deep.equal(['notice-1', 'notice-4', 'notice-5']);
    const lost = logger.entries.filter(({ fields }) => fields['code'] === 'report-dropped');
    expect(lost.map(({ fields }) => fields['run'])).to.deep.equal([2, 3]);
  });

  it('gives up at shutdown what hangs, says so, and takes no more', async () => {
    await using hook = await httpTarget('hang');
    const { notifier, logger } = setup();
    const targets = { ...NOBODY, webhook: { url: hook.origin, secret: SECRET } };
    notifier.notify(heldNotice({ run: 1 }), targets);
    notifier.notify(heldNotice({ run: 2 }), targets);
    await Promise.all([notifier.close(5), notifier.close(LONG_MS)]);
    notifier.notify(heldNotice({ run: 3 }), targets);
    const lost = logger.entries.map(({ level, fields }) => [level, fields['code'], fields['run']]);
    expect(lost).to.deep.equal([1, 2, 3].map((run) => ['warn', 'report-dropped', run]));
    expect(hook.requests.length).to.be.at.most(1);
  });

  it('delivers at shutdown what can be delivered', async () => {
    await using hook = await httpTarget(200);
    const { notifier, logger } = setup();
    notifier.notify(heldNotice(), { ...NOBODY, webhook: { url: hook.origin, secret: SECRET } });
    await notifier.close(LONG_MS);
    expect(hook.requests).to.have.length(1);
    expect(warningsOf(logger)).to.deep.equal([]);
  });

  it('says that a mail has no server to go to', () => {
    const { notifier, logger } = setup();
    notifier.notify(heldNotice(), { ...NOBODY, email: ['ops@example.org'] });
    expect(logger.entries.map(({ fields }) => [fields['channel'], fields['code']])).to.deep.equal([
      ['mail', 'report-dropped'],
    ]);
  });

  it('survives targets that are no URLs, without repeating them', async () => {
    const { notifier, logger } = setup();
    notifier.notify(completeNotice(), { email: [], webhook: { url: 'sesame', secret: SECRET }, ping: 'sesame' });
    notifier.notify(missingNotice({ timeZone: 'No/Where' }), { ...NOBODY, email: ['ops@example.org'] });
    await notifier.flush(LONG_MS);
    expect(logger.entries).to.have.length(3);
    expect(JSON.stringify(logger.entries)).not.to.include('sesame');
  });
});
