import { expect } from 'chai';
import { SCOPES, type Scope } from '../../../src/domain/access.js';
import { ApiClient, type CallOptions } from '../../support/api-client.js';
import { record } from '../../support/daemon-site.js';
import { HttpSite } from '../../support/http-site.js';

const FROM_READ: readonly Scope[] = ['read', 'operate', 'admin'];
const FROM_OPERATE: readonly Scope[] = ['operate', 'admin'];
const UPLOAD: readonly Scope[] = ['upload', 'operate', 'admin'];
const ADMIN: readonly Scope[] = ['admin'];

interface Rule {
  readonly scopes: readonly Scope[];
  /** What comes of the request once it is let in. */
  readonly status: number;
  /** What a key of the feed `other` is answered; `status` unless told. */
  readonly other?: number;
  readonly request: CallOptions;
}

const feed = { path: { feed: 'default' } };
const run = { path: { run: 1 } };
const text = { text: '{' };
const who = { username: 'ada' };
const reason = 'because';

/** Written down once more, by hand: who may do what is not for the program to say. */
const RULES: Readonly<Record<string, Rule>> = {
  listFeeds: { scopes: FROM_READ, status: 200, request: {} },
  getFeed: { scopes: FROM_READ, status: 200, other: 403, request: feed },
  getFeedSettings: { scopes: ADMIN, status: 200, other: 403, request: feed },
  changeFeedSettings: { scopes: ADMIN, status: 400, other: 403, request: { ...feed, body: { nothing: 1 } } },
  startBatch: { scopes: UPLOAD, status: 400, other: 403, request: feed },
  listControlFiles: { scopes: FROM_READ, status: 200, other: 403, request: feed },
  getCurrentControlFile: { scopes: FROM_READ, status: 200, other: 403, request: feed },
  getControlFile: { scopes: FROM_READ, status: 404, other: 403, request: { path: { feed: 'default', id: 99 } } },
  replaceControlFile: { scopes: ADMIN, status: 400, other: 403, request: { ...feed, body: text } },
  checkControlFile: { scopes: FROM_READ, status: 200, request: { body: text } },
  previewRecords: { scopes: UPLOAD, status: 400, request: { body: { control: '{', files: {} } } },
  listRuns: { scopes: FROM_READ, status: 200, request: {} },
  getRun: { scopes: FROM_READ, status: 200, other: 403, request: run },
  getRunPlan: { scopes: FROM_OPERATE, status: 200, other: 403, request: run },
  searchRunPlan: { scopes: FROM_OPERATE, status: 200, other: 403, request: { ...run, body: who } },
  getRunLog: { scopes: FROM_READ, status: 200, other: 403, request: run },
  listRunFiles: { scopes: FROM_READ, status: 200, other: 403, request: run },
  downloadRunFile: { scopes: ADMIN, status: 200, other: 403, request: { path: { run: 1, name: 'users' } } },
  approveRun: { scopes: FROM_OPERATE, status: 409, other: 403, request: { ...run, body: { reason } } },
  cancelRun: { scopes: FROM_OPERATE, status: 409, other: 403, request: { ...run, body: { reason } } },
  reapplyRun: { scopes: FROM_OPERATE, status: 404, request: { path: { run: 99 } } },
  revertRun: { scopes: ADMIN, status: 404, request: { path: { run: 99 } } },
  lookUpUser: { scopes: FROM_OPERATE, status: 200, other: 404, request: { body: { who: 'ada' } } },
  getUserHistory: { scopes: FROM_OPERATE, status: 200, request: { body: who } },
  lookAgain: { scopes: FROM_OPERATE, status: 204, other: 404, request: { body: who } },
  protectUser: { scopes: FROM_OPERATE, status: 200, other: 404, request: { body: { ...who, reason } } },
  pinUserValue: {
    scopes: FROM_OPERATE,
    status: 200,
    other: 404,
    request: { body: { ...who, name: 'title', value: 'Dr', reason } },
  },
  endOverride: {
    scopes: FROM_OPERATE,
    status: 404,
    request: { body: { ...who, kind: 'pin', name: 'email' } },
  },
  adoptAccount: { scopes: ADMIN, status: 400, other: 403, request: { body: { ...who, feed: 'default' } } },
  getModel: { scopes: FROM_READ, status: 200, request: {} },
  listKeys: { scopes: ADMIN, status: 200, request: {} },
  createKey: { scopes: ADMIN, status: 201, other: 403, request: { body: { name: 'another', scope: 'read' } } },
  revokeKey: { scopes: ADMIN, status: 404, request: { path: { id: 99_999 } } },
  listAudit: { scopes: ADMIN, status: 200, other: 403, request: {} },
  listQuarantine: { scopes: ADMIN, status: 200, request: {} },
  downloadQuarantined: { scopes: ADMIN, status: 404, request: { path: { id: 'nothing' } } },
  deleteQuarantined: { scopes: ADMIN, status: 404, request: { path: { id: 'nothing' } } },
};

describe('Who may do what with a key', () => {
  it('is as written down, for every operation and every kind of key', async () => {
    await using http = await HttpSite.open({ other: {} });
    await http.site.drop('users.json', [record('ada')]);
    await http.site.atRest(1, 'complete');
    const client = await ApiClient.open(http, '');
    expect(Object.keys(RULES).sort()).to.deep.equal(client.operations.map(({ id }) => id).sort());
    const expired = await http.key('admin', null, new Date(Date.now() - 1000));
    const revoked = await http.key('admin');
    await http.app.database.query('update sync.api_key set revoked_at = now() where id = $1', [revoked.id]);
    const keys: Record<string, string> = { none: '' };
    for (const scope of SCOPES) keys[scope] = (await http.key(scope)).secret;
    keys['other'] = (await http.key('admin', 'other')).secret;
    const found: Record<string, Record<string, number>> = {};
    const expected: typeof found = {};
    for (const [id, { scopes, status, other, request }] of Object.entries(RULES)) {
      const statuses: Record<string, number> = {};
      for (const [name, key] of Object.entries(keys)) {
        statuses[name] = (await client.send(id, { ...request, key })).status;
      }
      found[id] = statuses;
      const byScope = SCOPES.map((scope) => [scope, scopes.includes(scope) ? status : 403] as const);
      expected[id] = { none: 401, ...Object.fromEntries(byScope), other: other ?? status };
    }
    expect(found).to.deep.equal(expected);
    // Wrong keys are only listened to a few times a minute.
    for (const key of [expired.secret, revoked.secret, 'usersync_wrong']) {
      for (const id of ['getModel', 'listKeys', 'approveRun']) {
        expect((await client.send(id, { ...RULES[id]?.request, key })).status, id).to.equal(401);
      }
    }
  }).timeout(120_000);

  it('is found out before what was sent is looked at', async () => {
    await using http = await HttpSite.open();
    const body = { method: 'POST', headers: { 'content-type': 'application/json' }, body: 'no JSON' };
    expect((await http.fetch('/api/v1/keys', body)).status).to.equal(401);
    const ada = await http.signIn('admin');
    expect((await ada.get('/api/v1/runs')).status, 'a session is no key').to.equal(401);
    const { secret } = await http.key('read');
    const basic = `Basic ${Buffer.from(`haplo:${secret}`).toString('base64')}`;
    expect((await http.fetch('/api/v1/runs', { headers: { authorization: basic } })).status).to.equal(200);
  });
});

describe('A key of one feed', () => {
  it('sees runs, feeds, people and quarantine of that feed alone, and takes nobody from another', async () => {
    await using http = await HttpSite.open({ other: {} });
    await http.site.drop('users.json', [record('ada')]);
    await http.site.atRest(1, 'complete');
    await http.site.drop('users.json', [record('bob'), record('ada')], 'other');
    await http.site.drop('strange.json', '', 'default');
    await http.site.atRest(2, 'complete');
    const client = await ApiClient.open(http, (await http.key('admin', 'other')).secret);
    const items = async (id: string, options: CallOptions = {}): Promise<Record<string, unknown>[]> =>
      (await client.json<{ items: Record<string, unknown>[] }>(id, options)).items;
    expect((await items('listRuns')).map((one) => one['run'])).to.deep.equal([2]);
    expect((await client.send('listRuns', { query: { feed: 'default' } })).status).to.equal(403);
    expect((await items('listFeeds')).map((one) => one['feed'])).to.deep.equal(['other']);
    expect(await items('listQuarantine')).to.deep.equal([]);
    expect(await client.json('lookUpUser', { body: { who: 'bob' } })).to.have.nested.property('account.feed', 'other');
    // Its own record was refused, as she belongs to the other feed: that much it may know.
    const ada = await client.json<Record<string, unknown>>('lookUpUser', { body: { who: 'ada' } });
    expect(ada).to.deep.include({ account: null, changes: [], overrides: [], sync: null });
    expect(ada['errors']).to.have.nested.property('[0].code', 'other-feed');
    expect(await items('getUserHistory', { body: { username: 'ada' } })).to.deep.equal([]);
    expect(await items('getUserHistory', { body: { username: 'bob' } })).to.have.length(1);
    const taken = await client.send('adoptAccount', { body: { username: 'Ada', feed: 'other' } });
    expect(taken.status).to.equal(403);
  });

  it('makes, sees and revokes keys of that feed alone', async () => {
    await using http = await HttpSite.open({ other: {} });
    const everywhere = await http.key('read');
    const client = await ApiClient.open(http, (await http.key('admin', 'other')).secret);
    const body = { name: 'mine', scope: 'read', feed: 'other' };
    const { id } = await client.json<{ id: number }>('createKey', { body });
    expect((await client.send('createKey', { body: { ...body, feed: 'default' } })).status).to.equal(403);
    expect((await client.send('createKey', { body: { ...body, feed: null } })).status).to.equal(403);
    expect((await client.send('revokeKey', { path: { id: everywhere.id } })).status).to.equal(403);
    const { items } = await client.json<{ items: { feed: string }[] }>('listKeys');
    expect(items.map((one) => one.feed)).to.deep.equal(['other', 'other']);
    await client.call('revokeKey', { path: { id } });
  });
});
