import { expect } from 'chai';
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../../../src/app.js';
import { ApiClient, type CallOptions } from '../../support/api-client.js';
import { record } from '../../support/daemon-site.js';
import { eventually } from '../../support/eventually.js';
import { HttpSite } from '../../support/http-site.js';

type Item = Readonly<Record<string, unknown>>;

interface Listed {
  readonly items: readonly Item[];
  readonly next: number | null;
}

/** A run with nothing but a plan of `count` users, each of about a kilobyte. */
async function plannedRun(app: App, count: number): Promise<number> {
  const [run] = await app.database.query<{ id: number }>(
    `insert into sync.run (feed_id, source, status) select id, 'test', 'held' from sync.feed returning id`,
  );
  await app.database.query(
    `insert into sync.change (run_id, ordinal, kind, username, after)
     select $1, number, 'add', 'user' || number, jsonb_build_object('user', jsonb_build_object('nameFirst', repeat('x', 1000)))
     from generate_series(0, $2::integer - 1) as number`,
    [run?.id, count],
  );
  return run?.id ?? 0;
}

describe('Pages of a list', () => {
  it('have every item once, in order, to the end', async () => {
    await using http = await HttpSite.open();
    const client = await ApiClient.open(http, (await http.key('admin')).secret);
    const users = Array.from({ length: 7 }, (_none, index) => record(`user${index}`, { EMAIL: 'none' }));
    for (let batch = 0; batch < 3; batch++) {
      await http.site.drop('users.json', [...users, record('ada', { JOB_TITLE: `Job ${batch}` })]);
      await http.site.atRest(batch + 1, 'complete');
    }
    const run = await plannedRun(http.app, 7);
    const lists: Record<string, (page: object) => Promise<Listed>> = {
      listRuns: (query) => client.json('listRuns', { query: { ...query } }),
      getRunPlan: (query) => client.json('getRunPlan', { path: { run }, query: { ...query } }),
      searchRunPlan: (page) => client.json('searchRunPlan', { path: { run }, body: { username: 'user', ...page } }),
      getRunLog: (query) => client.json('getRunLog', { path: { run: 1 }, query: { ...query } }),
      listAudit: (query) => client.json('listAudit', { query: { ...query } }),
      getUserHistory: (page) => client.json('getUserHistory', { body: { username: 'ada', ...page } }),
    };
    for (const [name, list] of Object.entries(lists)) {
      // Looks at people are noted while this list is read.
      const isNoted = name === 'listAudit';
      const whole = await list({ limit: 1000 });
      expect(whole.next, name).to.equal(null);
      expect(whole.items.length, name).to.be.greaterThan(2);
      for (const limit of [1, 3, whole.items.length]) {
        const items: Item[] = [];
        const cursor = ['listRuns', 'listAudit', 'getUserHistory'].includes(name) ? 'before' : 'after';
        let page = await list({ limit });
        for (;;) {
          expect(page.items.length, name).to.be.at.most(limit);
          items.push(...page.items);
          if (page.next === null) break;
          page = await list({ limit, [cursor]: page.next });
        }
        expect(isNoted ? items.slice(-whole.items.length) : items, `${name} by ${limit}`).to.deep.equal(whole.items);
      }
    }
  });

  it('are refused with every mistake in the request, by its place', async () => {
    await using http = await HttpSite.open();
    const client = await ApiClient.open(http, (await http.key('admin')).secret);
    const wrong = await client.send('listRuns', { query: { limit: 0, before: 'x', status: 'gone' } });
    const { error } = (await wrong.json()) as { error: { code: string; message: string } };
    expect([wrong.status, error.code]).to.deep.equal([400, 'bad-request']);
    for (const place of ['limit', 'before', 'status']) expect(error.message).to.include(`querystring/${place}`);
    const requests: readonly [string, CallOptions][] = [
      ['getRun', { path: { run: '1e999' } }],
      ['getRun', { path: { run: '-1' } }],
      ['getRunPlan', { path: { run: 1 }, query: { after: 9_999_999_999 } }],
      ['getRunPlan', { path: { run: 1 }, query: { format: 'xml' } }],
      ['lookUpUser', { body: { who: 'a\u0000b' } }],
      ['lookUpUser', { body: [] }],
      ['protectUser', { body: { username: 'ada', reason: 'a', until: 'tomorrow' } }],
      ['getFeed', { path: { feed: '__proto__' } }],
      ['downloadQuarantined', { path: { id: '../../etc/passwd' } }],
    ];
    for (const [id, request] of requests) {
      const response = await client.send(id, request);
      expect(response.status, `${id} ${JSON.stringify(request)} ${await response.clone().text()}`).to.equal(400);
      expect(await response.json(), id).to.have.nested.property('error.code', 'bad-request');
    }
    const huge = await client.send('checkControlFile', { body: { text: 'x'.repeat(2 * 1024 ** 2) } });
    expect([huge.status, await huge.json()]).to.have.nested.property('1.error.code', 'too-large');
    expect(http.log.entries.filter(({ level }) => level === 'error')).to.deep.equal([]);
  });

  it('search by a part of names, and not by patterns', async () => {
    await using http = await HttpSite.open();
    const client = await ApiClient.open(http, (await http.key('operate')).secret);
    const run = await plannedRun(http.app, 12);
    const search = async (username: string): Promise<unknown[]> =>
      (await client.json<Listed>('searchRunPlan', { path: { run }, body: { username } })).items.map(
        (one) => one['username'],
      );
    expect(await search('USER1')).to.deep.equal(['user1', 'user10', 'user11']);
    for (const pattern of ['%', 'user_', '\\', 'er1%']) expect(await search(pattern), pattern).to.deep.equal([]);
  });
});

describe('Hostile values', () => {
  it('stay text: formulas in CSV, markup in JSON', async () => {
    await using http = await HttpSite.open();
    const client = await ApiClient.open(http, (await http.key('admin')).secret);
    const evil = record('=cmd|/C calc', {
      FIRST_NAME: '<script>alert(1)</script>',
      LAST_NAME: '@SUM(A1)',
      EMAIL: 'evil@example.org',
      JOB_TITLE: '-1+1"\nx',
    });
    await http.site.drop('users.json', [evil]);
    await http.site.atRest(1, 'complete');
    const path = { run: 1 };
    const csv = await client.call('getRunPlan', { path, accept: 'text/csv' });
    const text = await csv.text();
    expect(csv.headers.get('content-type')).to.equal('text/csv; charset=utf-8');
    expect(csv.headers.get('content-disposition')).to.equal('attachment; filename="run-1-plan.csv"');
    expect(text).to.include("add,'=cmd|/c calc,true,user/nameLast,,'@SUM(A1)\n");
    expect(text).to.include(`"'-1+1""`);
    expect(text).not.to.match(/(?:^|,)"?[=+@-]/m);
    const json = await client.call('lookUpUser', { body: { who: '=cmd|/c calc' } });
    expect(json.headers.get('content-type')).to.match(/^application\/json/);
    expect(json.headers.get('x-content-type-options')).to.equal('nosniff');
    expect(json.headers.get('cache-control')).to.equal('no-store');
    expect(await json.json()).to.have.nested.property('account.name_first', '<script>alert(1)</script>');
  });

  it('are shown in a log to those only who may see people', async () => {
    await using http = await HttpSite.open();
    await http.site.drop('users.json', [record('ada', { EMAIL: 'secret value' })]);
    await http.site.atRest(1, 'complete');
    const client = await ApiClient.open(http, (await http.key('read')).secret);
    const { secret: operate } = await http.key('operate');
    for (const format of ['json', 'ndjson']) {
      const options = { path: { run: 1 }, query: { format } };
      expect(await (await client.call('getRunLog', options)).text(), format).not.to.include('secret value');
      const shown = await client.call('getRunLog', { ...options, key: operate });
      expect(await shown.text(), format).to.include('secret value');
    }
  });
});

describe('A long list', () => {
  it('is read as the client takes it, and no further when the client goes away', async () => {
    await using http = await HttpSite.open();
    const pages = 60;
    const run = await plannedRun(http.app, pages * 1000);
    const { secret } = await http.key('operate');
    let read = 0;
    const { database } = http.app;
    const list = database.list.bind(database);
    database.list = async (build) => {
      read += 1;
      return list(build);
    };
    const url = new URL(`/api/v1/runs/${run}/plan?format=ndjson`, http.origin);
    const slow = await open(url, secret);
    await settled(() => read);
    expect(read).to.be.within(1, pages - 10);
    slow.destroy();
    const before = read;
    await delay(300);
    expect(read - before).to.be.at.most(1);
    const whole = await open(url, secret);
    let lines = 0;
    for await (const piece of whole) lines += String(piece).split('\n').length - 1;
    expect(lines).to.equal(pages * 1000);
  }).timeout(60_000);

  it('that breaks off is in the log, and does not look like a whole one', async () => {
    await using http = await HttpSite.open();
    const run = await plannedRun(http.app, 3000);
    const { secret } = await http.key('operate');
    const { database } = http.app;
    const list = database.list.bind(database);
    let read = 0;
    database.list = async (build) => {
      if (++read > 2) throw new Error('the database went away');
      return list(build);
    };
    const url = new URL(`/api/v1/runs/${run}/plan?format=csv`, http.origin);
    const broken = await open(url, secret);
    let failure: unknown;
    broken.on('error', (error) => (failure = error));
    broken.resume();
    await eventually('the end', async () => broken.closed || undefined);
    expect([broken.complete, failure !== undefined]).to.deep.equal([false, true]);
    expect(http.log.entries.some(({ message }) => message.startsWith('A list broke off'))).to.equal(true);
  });
});

/** A response that is not read yet. */
function open(url: URL, key: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url, { headers: { authorization: `Bearer ${key}` } }, resolve).on('error', reject);
  });
}

/** Waits until a number has stopped growing. */
async function settled(value: () => number): Promise<void> {
  for (let before = -1; before !== value() || before === 0;) {
    before = value();
    await delay(500);
  }
}
