import { expect } from 'chai';
import { connect } from 'node:net';
import { buildServer } from '../../../src/http/server.js';
import { HttpSite } from '../../support/http-site.js';
import { routesOf } from '../../support/routes.js';

/** What anybody may ask for. Everything else needs a key or a session. */
const OPEN = [
  '/healthz',
  '/readyz',
  '/status',
  '/metrics',
  '/assets/style.css',
  '/assets/app.js',
  '/sign-in',
  '/sign-out',
  '/setup',
  '/api/openapi.json',
];

describe('Every address', () => {
  it('but those that are meant to be open refuses whoever has no key and no session', async () => {
    await using http = await HttpSite.open();
    await http.signIn('viewer');
    const { app, daemon } = http;
    const draining = new AbortController().signal;
    const now = (): Date => new Date();
    const server = await buildServer({ app, daemon, now, draining, version: '0', startedAt: now(), bodyMs: 1000 });
    await server.ready();
    const routes = routesOf(server).filter(({ path }) => !OPEN.includes(path));
    await server.close();
    expect(routes.length).to.be.greaterThan(0);
    for (const { method, path } of routes) {
      const url = path.replaceAll(/:[a-zA-Z]+/g, '1').replace('*', 'x');
      const response = await http.fetch(url, { method });
      const answer = [response.status, response.headers.get('location')];
      const isRefused =
        response.status === 401 || (response.status === 303 && /^\/sign-in(\?|$)/.test(String(answer[1])));
      expect(isRefused, `${method} ${path}: ${answer.join(' ')}`).to.equal(true);
    }
  });

  it('sends headers that forbid framing, foreign scripts and guessing of types', async () => {
    await using http = await HttpSite.open();
    await http.signIn('viewer');
    for (const path of ['/sign-in', '/status', '/healthz', '/assets/app.js', '/nowhere']) {
      const { headers } = await http.fetch(path);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy, path).to.include("default-src 'none'").and.include("frame-ancestors 'none'");
      expect(policy, path).not.to.include('unsafe');
      expect(headers.get('x-content-type-options'), path).to.equal('nosniff');
      expect(headers.get('access-control-allow-origin'), path).to.equal(null);
      expect(headers.get('x-powered-by'), path).to.equal(null);
      expect(headers.get('strict-transport-security'), path).to.equal(null);
    }
  });

  it('has cookies for TLS alone when people reach it by https', async () => {
    await using http = await HttpSite.open({}, { publicUrl: 'https://sync.example.org' });
    const ada = await http.signIn('viewer');
    expect(ada.cookie).to.match(/^__Host-user-sync=/);
    const page = await http.fetch('/sign-in');
    expect(page.headers.get('strict-transport-security')).to.match(/max-age=\d+/);
  });

  it('takes nobody at their word who says that they come from elsewhere, unless a proxy is trusted', async () => {
    for (const [trustProxy, address] of [
      [false, '127.0.0.1'],
      [true, '203.0.113.9'],
    ] as const) {
      await using http = await HttpSite.open({}, { trustProxy });
      const headers = { authorization: 'Bearer wrong', 'x-forwarded-for': '203.0.113.9' };
      expect((await http.fetch('/api/v1/feeds', { headers })).status).to.equal(401);
      const [noted] = await http.app.database.query('select address from sync.audit order by id desc limit 1');
      expect(noted, String(trustProxy)).to.deep.equal({ address });
    }
  });

  it('tells no details of what broke, and the log has them under the number that is told', async () => {
    await using http = await HttpSite.open();
    const { administrator } = http.site.testDatabase;
    await administrator.database.query('alter table sync.operator rename to gone');
    const response = await http.fetch('/sign-in');
    const text = await response.text();
    expect(response.status).to.equal(500);
    expect(text).not.to.match(/relation|sync\.operator/);
    const [, id] = /under request ([0-9a-f-]{36})/.exec(text) ?? [];
    const logged = http.log.entries.find(({ message }) => message === 'A request failed');
    expect(JSON.stringify(logged)).to.include(id).and.include('sync.operator');
    await administrator.database.query('alter table sync.gone rename to operator');
  });

  it('closes the connection of a form that comes byte by byte, or never', async () => {
    await using http = await HttpSite.open({}, {}, { bodyMs: 1500 });
    const { hostname, port } = new URL(http.origin);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    const head =
      'POST /sign-in HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 1000\r\n\r\n';
    socket.write(`${head}a`);
    const drip = setInterval(() => socket.write('a'), 500);
    const begun = performance.now();
    socket.resume();
    // Not `once` of node:events: it rejects when what is written meets the closed connection.
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(drip);
    expect(performance.now() - begun).to.be.within(1000, 10_000);
  });

  it('refuses bodies that are larger than any form', async () => {
    await using http = await HttpSite.open();
    const body = `name=${'x'.repeat(1_100_000)}`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await http.fetch('/sign-in', { method: 'POST', body, headers })).status).to.equal(413);
  });
});
