import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findRun } from '../../../src/db/runs.js';
import type { RunStatus } from '../../../src/domain/run.js';
import { packageRoot } from '../../../src/lib/package-root.js';
import { reportRun } from '../../../src/sync/run-report.js';
import { ApiClient } from '../../support/api-client.js';
import { record } from '../../support/daemon-site.js';
import { eventually } from '../../support/eventually.js';
import { HttpSite } from '../../support/http-site.js';

const DEFAULT = { feed: 'default' };

interface Listed<Item> {
  readonly items: readonly Item[];
  readonly next: number | null;
}

describe('A client made from the document', () => {
  it('can call every operation, and all answers are as described', async () => {
    await using http = await HttpSite.open({ default: { start: 'on-signal' } });
    const client = await ApiClient.open(http, (await http.key('admin')).secret);
    const records = [record('ada'), record('bob', { EMAIL: 'none' }), record('eve')];
    await applyBatch(http, client, records);
    await useRuns(client, records);
    await useFeeds(client);
    await useControlFiles(client);
    await useUsers(client);
    await decide(http, client);
    await useQuarantine(http, client);
    await useAccess(client);
    await client.call('getModel');
    const all = client.operations.map(({ id }) => id);
    expect(all.filter((id) => !client.called.has(id))).to.deep.equal([]);
  }).timeout(120_000);
});

describe('A run, as a client sees it', () => {
  it('has what `run --json` has, by the same names, and says what its batch waits for', async () => {
    await using http = await HttpSite.open({ default: { start: 'on-signal' } });
    const client = await ApiClient.open(http, (await http.key('admin')).secret);
    const control = JSON.parse(await readFile(join(packageRoot(), 'config', 'examples', 'control.json'), 'utf8')) as {
      readonly files: { readonly users: object };
    };
    const files = { users: control.files.users, staff: control.files.users };
    await client.call('replaceControlFile', { path: DEFAULT, body: { text: JSON.stringify({ ...control, files }) } });
    const seen = async (status: RunStatus): Promise<Record<string, unknown>> => {
      await http.site.atRest(1, status);
      const run = await client.json<Record<string, unknown>>('getRun', { path: { run: 1 } });
      const row = await findRun(http.app.database, 1);
      expect(run).to.deep.include({ ...(await reportRun(http.app.database, row!)) });
      return run;
    };
    await http.site.drop('users.json', [record('ada')]);
    expect(await seen('uploading')).to.deep.include({ missingFiles: ['staff'], waitsForStart: false });
    await http.site.drop('staff.json', [record('bob')]);
    expect(await seen('ready')).to.deep.include({ missingFiles: [], waitsForStart: true });
    await client.call('startBatch', { path: DEFAULT });
    expect(await seen('complete')).to.deep.include({ missingFiles: [], waitsForStart: false, ofRun: null });
    const { run } = await client.json<{ run: number }>('reapplyRun', { path: { run: 1 } });
    expect(await client.json('getRun', { path: { run } })).to.include({ ofRun: 1, origin: 'key admin key' });
    const { items } = await client.json<Listed<object>>('listRuns');
    expect(items[0]).to.deep.include({ run, kind: 'reapply', ofRun: 1 });
  });
});

/** Run 1. */
async function applyBatch(http: HttpSite, client: ApiClient, records: readonly object[]): Promise<void> {
  const early = await client.send('startBatch', { path: DEFAULT });
  expect([early.status, await early.json()]).to.have.nested.property('1.error.code', 'missing-files');
  await http.site.drop('users.json', records);
  await http.site.atRest(1, 'ready');
  expect(await client.json('startBatch', { path: DEFAULT })).to.deep.equal({ run: 1 });
  await http.site.atRest(1, 'complete');
}

async function useRuns(client: ApiClient, records: readonly object[]): Promise<void> {
  const path = { run: 1 };
  const { items } = await client.json<Listed<object>>('listRuns', { query: { feed: 'default', status: 'complete' } });
  expect(items).to.have.length(1);
  const run = await client.json<Record<string, unknown>>('getRun', { path });
  expect(run).to.deep.include({ run: 1, kind: 'batch', status: 'complete', outcome: 'applied', errors: 2 });
  expect(run['origin']).to.equal('drop directory');
  const plan = await client.json<Listed<object>>('getRunPlan', { path, query: { kind: 'add' } });
  expect(plan.items).to.have.length(2);
  const lines = await (await client.call('getRunPlan', { path, accept: 'application/x-ndjson' })).text();
  expect(
    lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).to.deep.equal(plan.items);
  const csv = await (await client.call('getRunPlan', { path, query: { format: 'csv' } })).text();
  expect(csv).to.match(/^kind,username,applied,field,before,after\nadd,ada,true,/);
  const found = await client.json<Listed<object>>('searchRunPlan', { path, body: { username: 'AD' } });
  expect(found.items).to.have.length(1).and.have.nested.property('0.username', 'ada');
  const log = await client.json<Listed<object>>('getRunLog', { path, query: { errors: 'true' } });
  expect(log.items).to.have.length(2).and.have.nested.property('0.value', 'none');
  await client.call('getRunLog', { path, accept: 'application/x-ndjson' });
  const files = await client.json<Listed<object>>('listRunFiles', { path });
  const bytes = JSON.stringify(records);
  const digest = createHash('sha256').update(bytes).digest('hex');
  expect(files.items[0]).to.deep.include({ name: 'users', digest, fileSize: bytes.length, available: true });
  const file = await client.call('downloadRunFile', { path: { run: 1, name: 'users' } });
  expect(await file.text()).to.equal(bytes);
  expect(file.headers.get('content-type')).to.equal('application/octet-stream');
  expect(file.headers.get('content-disposition')).to.equal('attachment; filename="default-1-users"');
  expect(file.headers.get('x-content-type-options')).to.equal('nosniff');
}

async function useFeeds(client: ApiClient): Promise<void> {
  const { items } = await client.json<Listed<object>>('listFeeds');
  expect(items).to.have.length(1).and.have.nested.property('0.lastRun.run', 1);
  await client.call('getFeed', { path: DEFAULT });
  const body = { autoApply: false, guards: { blocked: { share: 0.5 } }, email: ['ops@example.org'] };
  await client.call('changeFeedSettings', { path: DEFAULT, body });
  const inForce = await client.json<Listed<{ name: string; from: string; value: unknown }>>('getFeedSettings', {
    path: DEFAULT,
  });
  expect(inForce.items.find(({ name }) => name === 'autoApply')).to.deep.include({ value: false, from: 'operator' });
  await client.call('changeFeedSettings', { path: DEFAULT, body: { guards: null, email: null } });
  const wrong = await client.send('changeFeedSettings', { path: DEFAULT, body: { autoApply: 'yes', nonsense: 1 } });
  expect([wrong.status, await wrong.json()]).to.have.nested.property('1.error.code', 'invalid-settings');
}

async function useControlFiles(client: ApiClient): Promise<void> {
  const text = await readFile(join(packageRoot(), 'config', 'examples', 'control.json'), 'utf8');
  const current = await client.json<{ id: number; text: string }>('getCurrentControlFile', { path: DEFAULT });
  expect(current.text).to.equal(text);
  const newer = `${text}\n`;
  const put = await client.json<{ id: number }>('replaceControlFile', { path: DEFAULT, body: { text: newer } });
  const { items } = await client.json<Listed<object>>('listControlFiles', { path: DEFAULT });
  expect(items.map((item) => (item as { inForce: boolean }).inForce)).to.deep.equal([true, false]);
  const path = { ...DEFAULT, id: put.id };
  expect((await client.json<{ text: string }>('getControlFile', { path })).text).to.equal(newer);
  const broken = text.replace('"username"', '"user name"');
  const refused = await client.send('replaceControlFile', { path: DEFAULT, body: { text: broken } });
  const { error } = (await refused.json()) as { error: { code: string; problems: readonly object[] } };
  expect([refused.status, error.code]).to.deep.equal([400, 'invalid-control-file']);
  expect(error.problems[0]).to.include.keys('severity', 'code', 'pointer', 'message', 'line', 'column');
  const checked = await client.json<object>('checkControlFile', { body: { text: broken } });
  expect(checked).to.deep.equal({ valid: false, problems: error.problems });
  const files = { users: `${JSON.stringify([record('ada'), record('bob', { EMAIL: 'x' })])}` };
  const preview = await client.json<{ lines: object[]; failure: unknown }>('previewRecords', {
    body: { control: text, files },
  });
  expect(preview.failure).to.equal(null);
  expect(preview.lines[0]).to.deep.include({ file: 'users', record: 1, username: 'ada', accepted: true });
  expect(preview.lines[1]).to.have.nested.property('errors[0].code', 'invalid-email');
  const cut = await client.json<object>('previewRecords', {
    body: { control: text, files: { users: `${files.users.slice(0, -1)}` } },
  });
  expect(cut).to.have.nested.property('failure.code');
}

async function useUsers(client: ApiClient): Promise<void> {
  const ada = await client.json<object>('lookUpUser', { body: { who: 'ADA@example.org' } });
  expect(ada).to.have.nested.property('account.username', 'ada');
  expect(ada).to.have.nested.property('received.run', 1);
  const bob = await client.json<object>('lookUpUser', { body: { who: 'bob' } });
  expect(bob).to.have.property('account', null);
  expect(bob).to.have.nested.property('errors[1].value', 'none');
  const history = await client.json<Listed<object>>('getUserHistory', { body: { username: 'Ada' } });
  expect(history.items).to.have.length(1).and.have.nested.property('0.kind', 'add');
  await client.call('lookAgain', { body: { username: 'ada' } });
  const until = '2199-01-01T00:00:00+01:00';
  const held = await client.json<object>('protectUser', { body: { username: 'ada', reason: 'on leave', until } });
  expect(held).to.have.nested.property('overrides[0].until', '2198-12-31T23:00:00.000Z');
  const pin = { username: 'ada', name: 'nameLast', value: 'King', reason: 'asked for it' };
  const pinned = await client.json<object>('pinUserValue', { body: pin });
  expect(pinned).to.have.nested.property('overrides').with.length(2);
  const ended = await client.json<object>('endOverride', { body: { username: 'ada', kind: 'protect' } });
  expect(ended).to.have.nested.property('overrides[0].name', 'nameLast');
  expect(ended).to.have.nested.property('overrides').with.length(1);
}

/** Automatic apply is off by now, so runs are held. */
async function decide(http: HttpSite, client: ApiClient): Promise<void> {
  const reason = 'as agreed';
  await http.app.database.query(
    `insert into directory.account (email, name_first, name_last) values ('made@example.org', 'Made', 'Here')`,
  );
  const adoption = { username: 'made', feed: 'default', email: 'made@example.org' };
  expect(await client.json('adoptAccount', { body: adoption })).to.have.property('account');
  const again = await client.json<{ run: number }>('reapplyRun', { path: { run: 1 } });
  await http.site.atRest(2);
  const approved = await client.json<object>('approveRun', {
    path: { run: again.run },
    body: { reason, withoutBlocks: true },
  });
  expect(approved).to.have.nested.property('approval.reason', reason);
  await http.site.atRest(2, 'complete');
  const back = await client.json<{ run: number }>('revertRun', { path: { run: 1 } });
  await http.site.atRest(3);
  expect(await client.json('getRun', { path: back })).to.deep.include({ kind: 'revert', ofRun: 1, status: 'held' });
  const cancelled = await client.json<object>('cancelRun', { path: back, body: { reason } });
  expect(cancelled).to.have.property('status', 'cancelled');
}

async function useQuarantine(http: HttpSite, client: ApiClient): Promise<void> {
  await http.site.drop('strange.json', 'what is this');
  const items = await eventually('the file in quarantine', async () => {
    const listed = await client.json<Listed<{ id: string; reason: string }>>('listQuarantine');
    return listed.items.length > 0 ? listed.items : undefined;
  });
  expect(items[0]?.reason).to.equal('unknown-name');
  const path = { id: items[0]?.id ?? '' };
  expect(await (await client.call('downloadQuarantined', { path })).text()).to.equal('what is this');
  await client.call('deleteQuarantined', { path });
  const gone = await client.send('downloadQuarantined', { path });
  expect([gone.status, await gone.json()]).to.have.nested.property('1.error.code', 'quarantine-unknown');
}

async function useAccess(client: ApiClient): Promise<void> {
  const body = { name: 'reporting', scope: 'read', feed: 'default', expiresAt: '2199-01-01T00:00:00Z' };
  const made = await client.json<{ id: number; secret: string }>('createKey', { body });
  expect((await client.send('listRuns', { key: made.secret })).status).to.equal(200);
  const keys = await client.json<Listed<object>>('listKeys');
  expect(keys.items[0]).to.deep.include({ id: made.id, name: 'reporting', scope: 'read', feed: 'default' });
  expect(JSON.stringify(keys)).not.to.include(made.secret);
  await client.call('revokeKey', { path: { id: made.id } });
  expect((await client.send('listRuns', { key: made.secret })).status).to.equal(401);
  const audit = await client.json<Listed<{ action: string; actor: string }>>('listAudit');
  expect(new Set(audit.items.map(({ action }) => action))).to.include.all.keys(
    'batch-started',
    'plan-downloaded',
    'file-downloaded',
    'settings-changed',
    'control-replaced',
    'person-looked-up',
    'user-protected',
    'run-approved',
    'run-reverted',
    'quarantine-deleted',
    'key-created',
  );
  const actors = new Set(audit.items.map(({ actor }) => actor));
  // Who comes with a revoked key is nobody.
  expect([...actors].sort()).to.deep.equal(['key admin key', 'test', 'unknown']);
}
