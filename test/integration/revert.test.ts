import { expect } from 'chai';
import { rm } from 'node:fs/promises';
import { laterBatch } from '../../src/db/run-details.js';
import { findRun, runFiles, type RunRow } from '../../src/db/runs.js';
import { adoptAccount } from '../../src/sync/adopt.js';
import { cancelRun } from '../../src/sync/decide.js';
import { submitReapply, submitRevert } from '../../src/sync/revert.js';
import { dependentsModel } from '../support/dependents-model.js';
import { APPROVAL, SyncHarness, type BatchOptions } from '../support/sync.js';

const NAME = 'test:attribute:name';

/** Something of every section that a change can have. */
const CONTROL = {
  dataImportControlFileVersion: 0,
  model: 'haplo:user-sync',
  files: { users: { read: 'json' } },
  instructions: [
    { source: 'u', destination: 'user', name: 'username' },
    { source: 'first', destination: 'user', name: 'nameFirst' },
    { source: 'u', destination: 'user', name: 'nameLast' },
    { source: 'mail', destination: 'user', name: 'email' },
    { source: 'title', destination: 'user', name: 'title' },
    {
      action: 'for-each',
      source: 'groups',
      wrapValues: true,
      instructions: [{ source: 'value', destination: 'user', name: 'groups', multivalue: true }],
    },
    { action: 'remove-values', destination: 'profile', name: 'std:attribute:job-title' },
    { source: 'job', destination: 'profile', name: 'std:attribute:job-title' },
    { source: 'card', destination: 'user:tags', name: 'example:tag:card-number' },
    { source: 'locker', destination: 'test:locker', name: 'number' },
    {
      action: 'for-each',
      source: 'books',
      wrapValues: true,
      instructions: [
        { action: 'new', destination: 'book' },
        { source: 'value', destination: 'book', name: NAME },
      ],
    },
  ],
};

const STAFF = 'example:group:staff';
const STUDENTS = 'example:group:students';

function person(u: string, more: object = {}): object {
  return { u, first: 'A', mail: `${u}@example.org`, groups: [STAFF], job: 'Reader', ...more };
}

async function open(): Promise<SyncHarness> {
  return (await SyncHarness.open({ control: CONTROL })).withModel(dependentsModel());
}

/** Everything that applications can read of the users. */
async function directory(harness: SyncHarness): Promise<Record<string, unknown>> {
  const rows = await harness.rows<Record<string, unknown> & { username: string }>(
    `select username, email, title, name_first, is_active, in_feed, groups, tags, dictionaries, profile_types, profile,
            (select coalesce(jsonb_agg(object.attributes - 'test:attribute:owner' order by object.ref), '[]')
             from directory.object where object.owner = users.profile_ref) as objects
     from directory.users where username is not null order by username`,
  );
  return Object.fromEntries(rows.map(({ username, ...rest }) => [username, rest]));
}

async function revert(harness: SyncHarness, run: RunRow, options: BatchOptions = {}): Promise<RunRow> {
  return harness.execute(await submitRevert(harness.context, run.id, { by: 'test' }), options);
}

/** Users whom the log of the run lists as left alone. */
async function changedSince(harness: SyncHarness, { id }: RunRow): Promise<unknown[]> {
  const log = await harness.rows(
    `select username from sync.run_log where run_id = $1 and level = 'error' and code = 'changed-since'`,
    [id],
  );
  return log.map(({ username }) => username);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (error: unknown) => (error as { code: string }).code,
  );
}

const BEFORE = [
  person('changes', { title: 'Dr', card: '1', locker: 1, books: ['A', 'B'] }),
  person('leaves', { groups: [STUDENTS] }),
  person('stays'),
];
const AFTER = [
  person('changes', { first: 'Z', groups: [STUDENTS], job: 'Dean', card: '2', locker: 2, books: ['A', 'C', 'D'] }),
  person('stays'),
  person('joins', { books: ['N'] }),
];

describe('Taking a run back', () => {
  it('brings everybody back to where they were, and blocks those whom the run added', async () => {
    await using harness = await open();
    await harness.sync(BEFORE);
    const before = await directory(harness);
    const run = await harness.sync(AFTER);
    expect(run.counts).to.include({ added: 1, updated: 1, blocked: 1 });
    const reverted = await revert(harness, run);
    expect(reverted).to.deep.include({ status: 'complete', kind: 'revert', ofRun: run.id });
    expect(reverted.counts).to.include({ records: 3, added: 0, updated: 1, blocked: 1, unblocked: 1, rejected: 0 });
    const { joins, ...others } = await directory(harness);
    expect(others).to.deep.equal(before);
    expect(joins).to.deep.include({ is_active: false, in_feed: false, profile_types: ['std:type:person:staff-past'] });
  });

  it('can itself be taken back', async () => {
    await using harness = await open();
    await harness.sync(BEFORE);
    const run = await harness.sync(AFTER);
    const after = await directory(harness);
    const reverted = await revert(harness, run);
    const again = await revert(harness, reverted);
    expect(again.counts).to.include({ updated: 1, blocked: 1, unblocked: 1, rejected: 0 });
    expect(await directory(harness)).to.deep.equal(after);
  });

  it('leaves somebody inactive who was before, when it is itself taken back', async () => {
    await using harness = await open();
    const run = await harness.sync(BEFORE);
    await harness.rows(`update directory.account set is_active = false where email = 'stays@example.org'`);
    const before = await directory(harness);
    const reverted = await revert(harness, run);
    const changes = await harness.rows(
      `select before from directory.changes where run = $1 and before -> 'user' = '{"isActive": false}'`,
      [reverted.id],
    );
    expect(changes).to.have.length(1);
    await revert(harness, reverted);
    expect(await directory(harness)).to.deep.equal(before);
  });

  it('lists them once, also when it was held and is planned again', async () => {
    await using harness = await open();
    await harness.sync(BEFORE);
    const run = await harness.sync(AFTER);
    await harness.rows(`update directory.account set name_first = 'by hand' where email = 'changes@example.org'`);
    const held = await revert(harness, run, { settings: { autoApply: false } });
    expect(held.status).to.equal('held');
    const reverted = await harness.execute(held.id, { approval: APPROVAL });
    expect(reverted).to.include({ status: 'complete', outcome: 'applied' });
    expect(await changedSince(harness, reverted)).to.deep.equal(['changes']);
  });

  it('leaves users alone whom something else changed since, and lists them', async () => {
    await using harness = await open();
    await harness.sync(BEFORE);
    const run = await harness.sync(AFTER);
    await harness.rows(`update directory.account set name_first = 'by hand' where email = 'changes@example.org'`);
    const reverted = await revert(harness, run);
    expect(reverted.counts).to.include({ updated: 0, blocked: 1, unblocked: 1, rejected: 1 });
    expect(await changedSince(harness, reverted)).to.deep.equal(['changes']);
    expect((await directory(harness))['changes']).to.deep.include({ name_first: 'by hand', title: null });
  });

  it('leaves users alone whom another feed adopted since, also while it was held', async () => {
    await using harness = await open();
    await harness.sync([person('other')], { feed: 'hr' });
    await harness.sync(BEFORE);
    const run = await harness.sync(AFTER);
    await adoptAccount(harness.context, { by: 'test', username: 'joins', feed: 'hr' });
    const held = await revert(harness, run, { settings: { autoApply: false } });
    expect(held.counts).to.include({ updated: 1, blocked: 0, unblocked: 1, rejected: 1 });
    await adoptAccount(harness.context, { by: 'test', username: 'changes', feed: 'hr' });
    const reverted = await harness.execute(held.id, { approval: APPROVAL });
    expect(reverted.counts).to.include({ updated: 0, blocked: 0, unblocked: 1, rejected: 2 });
    expect((await changedSince(harness, reverted)).sort()).to.deep.equal(['changes', 'joins']);
  });

  it('does not mind what changed of other things', async () => {
    await using harness = await open();
    await harness.sync(BEFORE);
    const run = await harness.sync(AFTER);
    await harness.rows(
      `update directory.object set attributes = attributes || '{"std:attribute:notes": [{"value": "x"}]}'
       from directory.account where account.profile_ref = object.ref and email = 'changes@example.org'`,
    );
    await harness.rows(
      `insert into directory.membership select id, 'example:group:reviewers' from directory.account where email = 'changes@example.org'`,
    );
    expect((await revert(harness, run)).counts).to.include({ updated: 1, rejected: 0 });
    const { changes } = (await directory(harness)) as { changes: { groups: string[]; profile: object } };
    expect(changes.groups).to.deep.equal(['example:group:reviewers', STAFF]);
    expect(changes.profile).to.have.property('std:attribute:notes');
  });

  it('is guarded', async () => {
    await using harness = await SyncHarness.open({ guards: { blocked: { share: 0.1, count: 1 }, 'first-run': 'off' } });
    const record = (u: string): object => ({
      USERNAME: u,
      FIRST_NAME: 'A',
      LAST_NAME: 'B',
      EMAIL: `${u}@example.org`,
      ROLE: 'staff',
    });
    await harness.sync([record('ada')]);
    const run = await harness.sync([record('ada'), record('bob')]);
    const held = await revert(harness, run);
    expect(held.status).to.equal('held');
    expect(held.guards.filter(({ breached }) => breached).map(({ guard }) => guard)).to.deep.equal(['blocked']);
    const done = await harness.execute(held.id, { approval: APPROVAL });
    expect(done.counts).to.include({ blocked: 1 });
  });

  it('is undone by the next batch, also by the same one', async () => {
    await using harness = await open();
    await harness.sync(BEFORE);
    const run = await harness.sync(AFTER);
    const after = await directory(harness);
    await revert(harness, run);
    const again = await harness.sync(AFTER);
    expect(again.counts).to.include({ added: 0, updated: 1, blocked: 1, unblocked: 1 });
    const users = Object.keys(await directory(harness));
    expect(users).to.deep.equal(Object.keys(after));
    for (const [username, state] of Object.entries(await directory(harness))) {
      // Objects that were taken back are made anew: their order may be another.
      const [is, was] = [state, after[username]].map((one) => ({ ...(one as object), objects: undefined }));
      expect(is, username).to.deep.equal(was);
    }
  });

  it('goes on where it was interrupted', async () => {
    await using harness = await open();
    await harness.sync(BEFORE);
    const before = await directory(harness);
    const run = await harness.sync(AFTER);
    const stop = new AbortController();
    const id = await submitRevert(harness.context, run.id, { by: 'test' });
    await harness
      .execute(id, {
        settings: { chunkSize: 1, concurrency: 1 },
        signal: stop.signal,
        onProgress: ({ phase, done }) => {
          if (phase === 'apply' && done >= 1) stop.abort(new Error('stopped by the test'));
        },
      })
      .catch(() => undefined);
    // As a process leaves it that is killed.
    await harness.rows(`update sync.run set status = 'applying', finished_at = null where id = $1`, [id]);
    const done = await harness.execute(id);
    expect(done.counts).to.include({ updated: 1, blocked: 1, unblocked: 1, rejected: 0 });
    const others = await directory(harness);
    delete others['joins'];
    expect(others).to.deep.equal(before);
  });

  it('is refused for a run that changed nothing or is not over', async () => {
    await using harness = await open();
    expect(await codeOf(submitRevert(harness.context, 99, { by: 'test' }))).to.equal('run-unknown');
    const run = await harness.sync(BEFORE);
    const same = await harness.sync(BEFORE);
    expect(await codeOf(submitRevert(harness.context, same.id, { by: 'test' }))).to.equal('run-status');
    const ready = await harness.submit(AFTER);
    expect(await codeOf(submitRevert(harness.context, ready, { by: 'test' }))).to.equal('run-status');
    expect(await codeOf(submitRevert(harness.context, run.id, { by: 'test' }))).to.equal('no error');
  });
});

describe('Applying an earlier run again', () => {
  it('takes its files and its control file', async () => {
    await using harness = await open();
    const first = await harness.sync(BEFORE);
    await harness.sync(AFTER);
    const again = await harness.execute(await submitReapply(harness.context, first.id, { by: 'test' }));
    expect(again).to.deep.include({ status: 'complete', kind: 'reapply', ofRun: first.id, controlId: first.controlId });
    expect(again.counts).to.include({ records: 3, updated: 1, unblocked: 1, blocked: 1 });
    expect((await directory(harness))['leaves']).to.deep.include({ is_active: true });
  });

  it('cancels no held run with a later batch, whether or not it changes something', async () => {
    await using harness = await open();
    const first = await harness.sync(BEFORE);
    const second = await harness.sync(AFTER);
    const held = await harness.sync([...AFTER, person('comes')], { settings: { autoApply: false } });
    const apply = async ({ id }: RunRow): Promise<RunRow> =>
      harness.execute(await submitReapply(harness.context, id, { by: 'test' }));
    const same = await apply(second);
    expect(same.outcome).to.equal('nothing-new');
    const back = await apply(first);
    expect(back.outcome).to.equal('applied');
    await apply(back);
    expect((await findRun(harness.database, held.id))?.status).to.equal('held');
    // So nobody is warned of it, either.
    expect(await laterBatch(harness.database, held)).to.equal(undefined);
    expect((await harness.execute(held.id, { approval: APPROVAL })).status).to.equal('complete');
    expect(await directory(harness)).to.have.all.keys('changes', 'comes', 'joins', 'leaves', 'stays');
  });

  it('cancels held runs with an earlier batch, as the run would have that is applied again', async () => {
    await using harness = await open();
    await harness.sync(BEFORE);
    const held = await harness.sync(AFTER, { settings: { autoApply: false } });
    const later = await harness.sync([...AFTER, person('comes')], { settings: { autoApply: false } });
    await cancelRun(harness.database, later.id, { by: 'test' });
    const again = await harness.execute(await submitReapply(harness.context, later.id, { by: 'test' }));
    expect(again).to.include({ status: 'complete', outcome: 'applied' });
    expect((await findRun(harness.database, held.id))?.status).to.equal('cancelled');
    expect(await laterBatch(harness.database, held)).to.equal(again.id);
  });

  it('is refused when the files are gone, or there never were any', async () => {
    await using harness = await open();
    const first = await harness.sync(BEFORE);
    const reverted = await revert(harness, first);
    expect(await codeOf(submitReapply(harness.context, reverted.id, { by: 'test' }))).to.equal('run-status');
    const [file] = await runFiles(harness.database, first.id);
    await rm(harness.context.store.pathOf(file?.digest ?? ''));
    expect(await codeOf(submitReapply(harness.context, first.id, { by: 'test' }))).to.equal('files-gone');
  });
});
