import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserSyncError } from '../../../src/lib/errors.js';
import { packageRoot } from '../../../src/lib/package-root.js';
import type { DeliveryPolicy } from '../../../src/notify/delivery.js';
import { sendPing } from '../../../src/notify/ping.js';
import { sendWebhook } from '../../../src/notify/webhook.js';
import { fencesOf } from '../../support/docs-markdown.js';
import { closedPort, httpTarget, type ReceivedRequest } from './http-target.js';
import { AT, completeNotice, heldNotice, IMPATIENT, missingNotice, QUICK } from './notices.js';

const SECRET = 'a-secret-that-is-long-enough';
const never = new AbortController().signal;
const now = (): Date => AT;

async function failureOf(url: string, policy: DeliveryPolicy = QUICK, signal = never): Promise<UserSyncError> {
  const error = await sendWebhook({ url, secret: SECRET }, heldNotice(), policy, now, signal).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).to.be.instanceOf(UserSyncError);
  return error as UserSyncError;
}

const page = readFileSync(join(packageRoot(), 'docs', 'notifications.md'), 'utf8');

type Verify = (headers: ReceivedRequest['headers'], body: Buffer, secret: string, now: number) => boolean;

/** The recipe as it stands in docs/notifications.md. */
async function recipe(): Promise<Verify> {
  const source = fencesOf(page).find(({ info }) => info === 'js verify')?.text ?? '';
  const module = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as { isGenuine: Verify };
  return module.isGenuine;
}

describe('A webhook', () => {
  it('is a POST of JSON with event, delivery id, timestamp and signature', async () => {
    await using target = await httpTarget(200);
    await sendWebhook({ url: `${target.origin}/hook?k=1`, secret: SECRET }, heldNotice(), QUICK, now, never);
    const [request] = target.requests;
    expect(request).to.include({ method: 'POST', path: '/hook?k=1' });
    expect(request!.headers).to.include({
      'content-type': 'application/json',
      'x-usersync-event': 'held',
      'x-usersync-delivery': 'notice-1',
      'x-usersync-timestamp': String(Math.floor(AT.getTime() / 1000)),
    });
    const { at, guards, ...notice } = heldNotice();
    const { id, ...rest } = notice;
    expect(JSON.parse(request!.body)).to.deep.equal({ ...rest, delivery: id, at: at.toISOString(), guards });
  });

  it('of a missing batch has deadline and last batch', async () => {
    await using target = await httpTarget(204);
    await sendWebhook({ url: target.origin, secret: SECRET }, missingNotice(), QUICK, now, never);
    expect(JSON.parse(target.requests[0]!.body)).to.deep.equal({
      event: 'missing',
      delivery: 'notice-2',
      feed: 'hr',
      at: AT.toISOString(),
      url: null,
      deadline: '2026-07-01T05:30:00.000Z',
      timeZone: 'Europe/London',
      lastBatchAt: '2026-06-30T04:58:00.000Z',
    });
  });

  it('looks as docs/notifications.md shows it', async () => {
    await using target = await httpTarget(200);
    const shown = fencesOf(page)
      .filter(({ info }) => info === 'json')
      .map(({ text }) => JSON.parse(text) as Record<string, unknown>);
    for (const notice of [heldNotice(), missingNotice()]) {
      await sendWebhook({ url: target.origin, secret: SECRET }, notice, QUICK, now, never);
    }
    const sent = target.requests.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect(sent.map((body) => Object.keys(body))).to.deep.equal(shown.map((body) => Object.keys(body)));
    expect(sent.map(({ counts, guards }) => [counts, guards])).to.deep.equal(
      shown.map(({ counts, guards }) => [counts, guards]),
    );
  });

  it('is verified by the recipe of docs/notifications.md, which refuses what was altered, old or signed by others', async () => {
    const isGenuine = await recipe();
    await using target = await httpTarget(200);
    const notice = completeNotice({ feed: 'Zürich 🚂' });
    await sendWebhook({ url: target.origin, secret: SECRET }, notice, QUICK, now, never);
    const { headers, body } = target.requests[0]!;
    const bytes = Buffer.from(body);
    const time = AT.getTime();
    expect(isGenuine(headers, bytes, SECRET, time)).to.equal(true);
    expect(isGenuine(headers, bytes, SECRET, time + 299_000)).to.equal(true);
    expect(isGenuine(headers, bytes, SECRET, time + 302_000)).to.equal(false);
    expect(isGenuine(headers, bytes, 'another-secret', time)).to.equal(false);
    expect(isGenuine(headers, Buffer.from(body.replace('1065', '1066')), SECRET, time)).to.equal(false);
    const later = { ...headers, 'x-usersync-timestamp': String(Math.floor(time / 1000) + 1) };
    expect(isGenuine(later, bytes, SECRET, time)).to.equal(false);
    expect(isGenuine({}, bytes, SECRET, time)).to.equal(false);
  });

  it('has the signature that OpenSSL computed', async () => {
    await using target = await httpTarget(200);
    await sendWebhook({ url: target.origin, secret: SECRET }, missingNotice(), QUICK, now, never);
    expect(target.requests[0]!.headers['x-usersync-signature']).to.equal(
      'sha256=f27faeda8266d805b30883f4257b897fff39e4edd6e83a62192810e71c7a36d4',
    );
  });

  it('is tried again after 5xx, with the same delivery id and a timestamp of its own', async () => {
    await using target = await httpTarget(500, 503, 200);
    let seconds = 0;
    const ticking = (): Date => new Date((seconds += 1000));
    await sendWebhook({ url: target.origin, secret: SECRET }, heldNotice(), QUICK, ticking, never);
    const headers = target.requests.map((request) => request.headers);
    expect(headers.map((one) => one['x-usersync-timestamp'])).to.deep.equal(['1', '2', '3']);
    expect(new Set(headers.map((one) => one['x-usersync-delivery'])).size).to.equal(1);
    expect(new Set(headers.map((one) => one['x-usersync-signature'])).size).to.equal(3);
  });

  it('is given up when 5xx goes on, and at once after 4xx', async () => {
    await using broken = await httpTarget(500);
    expect(await failureOf(broken.origin)).to.have.property('code', 'report-refused');
    expect(broken.requests).to.have.length(QUICK.attempts);
    await using strict = await httpTarget(403);
    const error = await failureOf(strict.origin);
    expect(error.code).to.equal('report-refused');
    expect(error.message).to.include('403');
    expect(strict.requests).to.have.length(1);
  });

  it('follows no redirect: nobody else gets a signed report', async () => {
    await using other = await httpTarget(200);
    await using target = await httpTarget({ status: 307, headers: { location: `${other.origin}/taken` } });
    const error = await failureOf(target.origin);
    expect(error.code).to.equal('report-refused');
    expect(error.message).to.include('redirects are not followed');
    expect(other.requests).to.deep.equal([]);
  });

  it('is given up when the target does not answer', async () => {
    await using target = await httpTarget('hang');
    expect(await failureOf(target.origin, IMPATIENT)).to.have.property('code', 'report-timeout');
  });

  it('stops with the signal, also between two tries', async () => {
    await using target = await httpTarget(500);
    const stop = new AbortController();
    const policy = { ...QUICK, pauseMs: 1e9, random: () => (stop.abort(new UserSyncError('report-dropped', '')), 0) };
    await sendWebhook({ url: target.origin, secret: SECRET }, heldNotice(), policy, now, stop.signal).then(
      () => expect.fail('was delivered'),
      () => undefined,
    );
    expect(target.requests).to.have.length(1);
  });

  it('is sent with user and password of the URL as basic authentication', async () => {
    await using target = await httpTarget(200);
    const url = `http://robot:s%40sam@${target.host}/hook`;
    await sendWebhook({ url, secret: SECRET }, heldNotice(), QUICK, now, never);
    const { headers } = target.requests[0]!;
    expect(headers.authorization).to.equal(`Basic ${Buffer.from('robot:s@sam').toString('base64')}`);
  });

  it('names host and reason when it fails, and nothing of the URL that is a secret', async () => {
    const port = await closedPort();
    await using target = await httpTarget(404);
    for (const host of [`127.0.0.1:${port}`, target.host]) {
      const error = await failureOf(`http://robot:sesame-user@${host}/sesame-path?key=sesame-query`);
      expect(error.message).to.include(host);
      expect(error.message).to.match(/ECONNREFUSED|404/);
      expect(JSON.stringify([error, error.message, error.stack, error.context])).not.to.include('sesame');
      expect(error.cause).to.equal(undefined);
    }
  });
});

describe('A ping', () => {
  it('is a GET of the URL', async () => {
    await using target = await httpTarget(200);
    await sendPing(`${target.origin}/0123`, QUICK, never);
    expect(target.requests.map(({ method, path, body }) => [method, path, body])).to.deep.equal([['GET', '/0123', '']]);
  });

  it('is tried again, and then says why it failed', async () => {
    await using target = await httpTarget(502);
    const error: unknown = await sendPing(target.origin, QUICK, never).catch((thrown: unknown) => thrown);
    expect(error).to.have.property('code', 'report-refused');
    expect(target.requests).to.have.length(QUICK.attempts);
  });
});
