import { expect } from 'chai';
import { missingAlarm } from '../../src/db/housekeeping.js';
import { readLog, type RunLogEntry } from '../../src/db/run-log.js';
import { findRun } from '../../src/db/runs.js';
import { cancelRun } from '../../src/sync/decide.js';
import { executeRun } from '../../src/sync/pipeline.js';
import { open } from '../support/database-roles.js';
import { APPROVAL, SyncHarness, person } from '../support/sync.js';

async function users(harness: SyncHarness): Promise<Map<string, Record<string, unknown>>> {
  const rows = await harness.rows<{ username: string }>('select * from directory.users where username is not null');
  return new Map(rows.map((row) => [row.username, row]));
}

async function logOf(harness: SyncHarness, run: number): Promise<RunLogEntry[]> {
  const entries: RunLogEntry[] = [];
  for await (const entry of readLog(harness.database, run)) entries.push(entry);
  return entries;
}

async function failureOf(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
  return promise.then(
    () => {
      throw new Error('nothing was thrown');
    },
    (error: unknown) => error as { code: string; message: string },
  );
}

describe('A run', () => {
  it('adds, updates, blocks and unblocks so that the directory agrees with the batch', async () => {
    await using harness = await SyncHarness.open();
    const first = await harness.sync([person('a'), person('b'), person('c')]);
    expect(first).to.deep.include({ status: 'complete', outcome: 'applied' });
    expect(first.counts).to.deep.include({ records: 3, added: 3 });

    const second = await harness.sync([
      person('a'),
      person('b', { JOB_TITLE: 'Reader' }),
      person('d', { ROLE: 'student' }),
    ]);
    expect(second.counts).to.deep.equal({
      records: 3,
      added: 1,
      updated: 1,
      blocked: 1,
      unblocked: 0,
      unchanged: 1,
      rejected: 0,
    });
    const directory = await users(harness);
    expect(directory.get('b')?.['profile']).to.deep.include({ 'std:attribute:job-title': [{ value: 'Reader' }] });
    expect(directory.get('c')).to.deep.include({
      is_active: false,
      in_feed: false,
      profile_types: ['std:type:person:staff-past'],
      groups: ['example:group:staff'],
    });
    expect(directory.get('d')).to.deep.include({ is_active: true, profile_types: ['std:type:person:student'] });

    const third = await harness.sync([person('a'), person('b', { JOB_TITLE: 'Reader' }), person('c'), person('d')]);
    expect(third.counts).to.deep.include({ unblocked: 1, updated: 1, unchanged: 2, blocked: 0 });
    expect((await users(harness)).get('c')).to.deep.include({
      is_active: true,
      in_feed: true,
      profile_types: ['std:type:person:staff'],
    });
  });

  it('numbers the accounts of a chunk in the order of the batch, whatever way Postgres finds them', async () => {
    await using harness = await SyncHarness.open();
    // Joined by their usernames they would come in the order of these.
    const options = encodeURIComponent('-c enable_nestloop=off -c enable_hashjoin=off');
    const database = open(`${harness.testDatabase.url}?options=${options}`, 4);
    try {
      const names = ['m', 'z', 'a', 'q', 'c', 'b'];
      await harness.onDatabase(database).sync(
        names.map((name) => person(name)),
        { settings: { chunkSize: 100 } },
      );
      const added = await harness.rows<{ username: string }>('select username from directory.users order by id');
      expect(added.map(({ username }) => username)).to.deep.equal(names);
    } finally {
      await database.close();
    }
  });

  it('writes nothing to the directory for unchanged users, whatever the order and the spaces of the input', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('a'), person('b')]);
    const versions =
      'select ctid::text, xmin::text from directory.account union all select ctid::text, xmin::text from directory.object union all select ctid::text, xmin::text from sync.feed_user order by 1, 2';
    const before = await harness.rows(versions);
    const run = await harness.sync(JSON.stringify([person('b'), person('a')], undefined, 4));
    expect(run).to.deep.include({ outcome: 'nothing-to-change' });
    expect(run.counts.unchanged).to.equal(2);
    expect(await harness.rows(versions)).to.deep.equal(before);
  });

  it('completes at once when the batch is the one last applied, unless forced', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('a')]);
    const again = await harness.sync([person('a')]);
    expect(again).to.deep.include({ status: 'complete', outcome: 'nothing-new' });
    expect(again.counts).to.deep.include({ records: 1, unchanged: 1, added: 0 });
    expect(await harness.sync([person('a')], { force: true })).to.deep.include({ outcome: 'nothing-to-change' });
  });

  it('leaves the user of a rejected record exactly as is, and tries again next time', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('a'), person('b')]);
    const before = (await users(harness)).get('b');
    const run = await harness.sync([person('a'), person('b', { EMAIL: 'nonsense', JOB_TITLE: 'Dean' })]);
    expect(run.counts).to.deep.include({ rejected: 1, blocked: 0, unchanged: 1 });
    expect((await users(harness)).get('b')).to.deep.equal(before);
    const [error] = (await logOf(harness, run.id)).filter((entry) => entry.code === 'invalid-email');
    expect(error).to.deep.include({ username: 'b', file: 'users', record: 2, source: 'EMAIL', value: 'nonsense' });
    const [state] = await harness.rows(`select in_error from sync.feed_user where username = 'b'`);
    expect(state).to.deep.equal({ in_error: true });
    await harness.sync([person('a'), person('b')]);
    expect((await harness.rows(`select in_error from sync.feed_user where username = 'b'`))[0]).to.deep.equal({
      in_error: false,
    });
  });

  it('plans a user again whose record had an error, though the record is the same', async () => {
    await using harness = await SyncHarness.open();
    const batch = [person('a', { HOMEPAGE: 'no url at all' })];
    const first = await harness.sync(batch);
    expect(first).to.deep.include({ errors: 1 });
    expect(first.counts).to.deep.include({ added: 1, rejected: 0 });
    await harness.rows(`delete from directory.membership`);
    const second = await harness.sync([...batch, person('b')]);
    expect(second.counts).to.deep.include({ added: 1, updated: 1 });
    expect((await users(harness)).get('a')?.['groups']).to.deep.equal(['example:group:staff']);
  });

  it('takes the first record of a username and rejects the later ones, naming both places', async () => {
    await using harness = await SyncHarness.open();
    const run = await harness.sync([
      person('a', { JOB_TITLE: 'first' }),
      person('b'),
      person('A', { JOB_TITLE: 'second' }),
    ]);
    expect(run.counts).to.deep.include({ records: 3, added: 2, rejected: 1 });
    expect((await users(harness)).get('a')?.['profile']).to.deep.include({
      'std:attribute:job-title': [{ value: 'first' }],
    });
    const [error] = (await logOf(harness, run.id)).filter((entry) => entry.code === 'duplicate-username');
    expect(error?.message).to.match(/record 1 .* record 3 /);
  });

  it('never alters accounts made by hand, and refuses to make a second one with the same e-mail address', async () => {
    await using harness = await SyncHarness.open();
    await harness.rows(
      `insert into directory.account (email, name_first, name_last) values ('A@Example.org', 'By', 'Hand')`,
    );
    const before = await harness.rows('select * from directory.account');
    const run = await harness.sync([person('a'), person('b')]);
    expect(run.counts).to.deep.include({ added: 1, rejected: 1 });
    expect((await logOf(harness, run.id)).map((entry) => [entry.code, entry.username])).to.deep.include([
      'not-owned',
      'a',
    ]);
    expect(await harness.rows(`select * from directory.account where lower(email) = 'a@example.org'`)).to.deep.equal(
      before,
    );
    // The same batch is looked at again, in case somebody mended it.
    expect((await harness.sync([person('a'), person('b')])).outcome).to.equal('nothing-to-change');
    // Neither may a user move to that address later.
    const later = await harness.sync([person('b', { EMAIL: 'a@example.org' })]);
    expect(later.counts).to.deep.include({ updated: 0, rejected: 1, blocked: 0 });
  });

  it('leaves users of another feed to that feed', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('a')], { feed: 'one' });
    const run = await harness.sync([person('a', { JOB_TITLE: 'Taken over' }), person('b')], { feed: 'two' });
    expect(run.counts).to.deep.include({ added: 1, rejected: 1 });
    const errors = (await logOf(harness, run.id)).filter(({ level }) => level === 'error');
    expect(errors[0]).to.deep.include({ code: 'other-feed', username: 'a' });
    const later = await harness.sync([person('b')], { feed: 'one', approval: APPROVAL });
    expect(later.counts).to.deep.include({ blocked: 1, rejected: 1 });
  });

  it('sets membership of managed groups exactly and keeps every other', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('a'), person('b')]);
    await harness.rows(`insert into directory.membership (account_id, group_code)
      select account_id, code from sync.feed_user, unnest(array['example:group:reviewers', 'example:group:students']) as code where username = 'a'`);
    await harness.sync([person('a', { JOB_TITLE: 'x' }), person('b')]);
    expect((await users(harness)).get('a')?.['groups']).to.deep.equal([
      'example:group:reviewers',
      'example:group:staff',
    ]);
  });

  it('keeps qualified titles behind the name, and attributes that nobody mentions', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('a')]);
    await harness.rows(
      `update directory.object set attributes = attributes || $1::jsonb where ref in (select profile_ref from directory.account)`,
      [
        JSON.stringify({
          'dc:attribute:title': [
            { value: { first: 'Ada', last: 'A' } },
            { value: { last: 'Lovelace' }, qualifier: 'dc:qualifier:alternative' },
          ],
          'std:attribute:notes': [{ value: 'by hand' }],
        }),
      ],
    );
    await harness.sync([person('a', { LAST_NAME: 'King' })]);
    const profile = (await users(harness)).get('a')?.['profile'];
    expect(profile).to.deep.include({
      'dc:attribute:title': [
        { value: { first: 'Ada', last: 'King' } },
        { value: { last: 'Lovelace' }, qualifier: 'dc:qualifier:alternative' },
      ],
      'std:attribute:notes': [{ value: 'by hand' }],
    });
  });

  it('does not give back access that was taken away by hand from someone who is still in the feed', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('a')]);
    await harness.rows('update directory.account set is_active = false');
    const run = await harness.sync([person('a', { JOB_TITLE: 'x' })]);
    expect(run.counts.updated).to.equal(1);
    expect((await users(harness)).get('a')?.['is_active']).to.equal(false);
  });

  it('keeps the title, the groups and the types of the profile when the control file never mentions them', async () => {
    const control = {
      dataImportControlFileVersion: 0,
      model: 'haplo:user-sync',
      files: { users: { read: 'json' } },
      instructions: [
        { source: 'USERNAME', destination: 'user', name: 'username' },
        { source: 'FIRST_NAME', destination: 'user', name: 'nameFirst' },
        { source: 'LAST_NAME', destination: 'user', name: 'nameLast' },
        { source: 'EMAIL', destination: 'user', name: 'email' },
      ],
    };
    await using harness = await SyncHarness.open({ control });
    await harness.sync([person('a'), person('b')]);
    expect((await users(harness)).get('a')).to.deep.include({
      title: null,
      groups: [],
      profile_types: ['std:type:person'],
    });
    await harness.rows(`update directory.account set title = 'Dame'`);
    await harness.rows(`insert into directory.membership select id, 'example:group:staff' from directory.account`);
    await harness.rows(
      `update directory.object set types = '{std:type:person:staff}' where ref in (select profile_ref from directory.account)`,
    );
    await harness.sync([person('a', { LAST_NAME: 'New' })]);
    const kept = { title: 'Dame', groups: ['example:group:staff'] };
    expect((await users(harness)).get('a')).to.deep.include({
      ...kept,
      name_last: 'New',
      profile_types: ['std:type:person:staff'],
    });
    expect((await users(harness)).get('b')).to.deep.include({ ...kept, profile_types: ['std:type:person:staff-past'] });
    await harness.sync([person('a', { LAST_NAME: 'New' }), person('b')]);
    expect((await users(harness)).get('b')).to.deep.include({ ...kept, profile_types: ['std:type:person:staff'] });
  });

  it('forgets everyone when somebody empties the table of accounts', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('a')]);
    await harness.administer('truncate directory.account cascade');
    expect((await harness.sync([person('a'), person('b')])).counts).to.deep.include({ added: 2 });
  });

  it('makes an account anew that somebody deleted, and a profile too', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('a'), person('b'), person('c')]);
    await harness.administer(`delete from directory.account where email = 'a@example.org'`);
    await harness.rows(
      `delete from directory.object where ref = (select profile_ref from directory.account where email = 'b@example.org')`,
    );
    const run = await harness.sync([person('a'), person('b', { JOB_TITLE: 'x' }), person('c')]);
    expect(run.counts).to.deep.include({ added: 1, updated: 1, unchanged: 1 });
    const directory = await users(harness);
    expect(directory.get('a')).to.deep.include({ in_feed: true, profile_types: ['std:type:person:staff'] });
    expect(directory.get('b')).to.deep.include({ profile_types: ['std:type:person:staff'] });
    expect(directory.get('b')?.['profile']).to.have.all.keys(
      'dc:attribute:title',
      'std:attribute:email',
      'std:attribute:job-title',
    );
  });

  it('puts the classification objects of the model into the directory, each once', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('a')]);
    await harness.sync([person('b'), person('a')]);
    const objects = await harness.rows<{ title: string }>(
      `select attributes #>> '{dc:attribute:title,0,value}' as title
       from directory.object join sync.model_object using (ref) order by 1`,
    );
    const titles = harness.context.model.objects.map(({ title }) => title).sort();
    expect(objects.map(({ title }) => title)).to.deep.equal(titles);
  });

  it('updates everyone whom a changed model concerns, though their records are the same', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('a'), person('b', { ROLE: 'student' })]);
    const changed = harness.context.model.source.replace(
      '"typeActive":"std:type:person:staff"',
      '"typeActive":"std:type:person"',
    );
    const renamed = harness.withModel(changed);
    const run = await renamed.sync([person('a'), person('b', { ROLE: 'student' })]);
    expect(run.counts).to.deep.include({ updated: 1, unchanged: 1 });
    expect((await users(harness)).get('a')?.['profile_types']).to.deep.equal(['std:type:person']);
  });
});

describe('A batch that cannot be read to its end', () => {
  it('fails the run, says where, and changes nothing', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('a'), person('b')]);
    const cut = JSON.stringify([person('a', { JOB_TITLE: 'x' })]).slice(0, -1);
    const runId = await harness.submit(cut);
    const failure = await failureOf(harness.execute(runId));
    expect(failure.code).to.equal('truncated-file');
    const [run] = await harness.rows(`select status, failure_code, failure_message from sync.run where id = $1`, [
      runId,
    ]);
    expect(run).to.deep.include({ status: 'failed', failure_code: 'truncated-file' });
    expect(run?.['failure_message']).to.match(/^users: /);
    expect([...(await users(harness)).values()].map((user) => user['in_feed'])).to.deep.equal([true, true]);
    const stages = await harness.rows(`select relname from pg_class where relname like 'stage_%' and relkind = 'r'`);
    expect(stages).to.have.length(1);
  });
});

describe('A held run', () => {
  it('is held on the first run with the plan stored, and applied on approval', async () => {
    await using harness = await SyncHarness.open({ guards: 'on' });
    const held = await harness.sync([person('a')]);
    expect(held.status).to.equal('held');
    expect(held.guards.filter((guard) => guard.breached).map(({ guard }) => guard)).to.deep.equal(['first-run']);
    expect(held.counts).to.deep.include({ added: 1 });
    expect(await users(harness)).to.have.property('size', 0);
    const approved = await harness.execute(held.id, { approval: APPROVAL });
    expect(approved).to.deep.include({ status: 'complete', approvedBy: 'test', approvalReason: 'a test' });
    expect(await users(harness)).to.have.property('size', 1);
  });

  it('is planned again when the directory changed in between', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('a'), person('b')]);
    const held = await harness.sync([person('a', { JOB_TITLE: 'Reader' }), person('b')], {
      settings: { autoApply: false },
    });
    expect(held).to.deep.include({ status: 'held' });
    await harness.rows(`update directory.object set attributes = attributes || '{"std:attribute:job-title": [{"value": "Reader"}]}'
      where ref = (select profile_ref from directory.account where email = 'a@example.org')`);
    const done = await harness.execute(held.id, { approval: APPROVAL });
    expect(done).to.deep.include({ status: 'complete', outcome: 'nothing-to-change' });
    expect(done.counts).to.deep.include({ updated: 0, unchanged: 2 });
  });

  it('is held again when the new plan breaches a guard that was not breached when it was approved', async () => {
    await using harness = await SyncHarness.open({
      guards: { blocked: { share: 0.5, count: 2 }, 'first-run': 'off', 'record-count': 'off', 'file-size': 'off' },
    });
    const everyone = ['a', 'b', 'c', 'd'].map((name) => person(name));
    await harness.sync([...everyone, person('e')]);
    await harness.sync(everyone);
    const held = await harness.sync([person('a'), person('b')], { settings: { autoApply: false } });
    expect(held.status).to.equal('held');
    // e comes back by hand: three of five would now be blocked.
    await harness.rows(`update sync.feed_user set in_feed = true where username = 'e'`);
    await harness.rows(`update directory.account set is_active = true`);
    const again = await harness.execute(held.id, { approval: APPROVAL });
    expect(again.status).to.equal('held');
    expect(again.guards.find(({ guard }) => guard === 'blocked')).to.deep.include({ breached: true, count: 3 });
  });

  it('can be approved without its blocks, which are planned again next time', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('a'), person('b')]);
    const batch = [person('a', { JOB_TITLE: 'x' })];
    const held = await harness.sync(batch, { settings: { autoApply: false } });
    const done = await harness.execute(held.id, { approval: { ...APPROVAL, withoutBlocks: true } });
    expect(done.counts).to.deep.include({ updated: 1, blocked: 0 });
    expect((await users(harness)).get('b')).to.deep.include({ is_active: true, in_feed: true });
    // The very same batch is not 'nothing new', since something was left undone.
    const next = await harness.sync(batch);
    expect(next.counts).to.deep.include({ blocked: 1, unchanged: 1 });
  });

  it('is cancelled when a later batch is applied: approving it would go back', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('a')]);
    const held = await harness.sync([person('a'), person('b')], { settings: { autoApply: false } });
    await harness.sync([person('a'), person('c')]);
    const [run] = await harness.rows<{ counts: object }>('select status, counts from sync.run where id = $1', [
      held.id,
    ]);
    expect(run).to.deep.include({ status: 'cancelled' });
    expect(run?.counts).to.deep.include({ records: 2, added: 0 });
    expect(await failureOf(cancelRun(harness.database, held.id, { by: 'test' }))).to.have.property(
      'code',
      'run-status',
    );
  });

  it('is always held when the batch is empty, whatever the settings and whatever was approved in advance', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('a')]);
    const held = await harness.sync('[]', { approval: APPROVAL });
    expect(held.status).to.equal('held');
    expect((await users(harness)).get('a')?.['is_active']).to.equal(true);
    expect((await harness.execute(held.id, { approval: APPROVAL })).counts.blocked).to.equal(1);
  });
});

describe('A dry run', () => {
  it('plans, keeps the plan, and changes nothing', async () => {
    await using harness = await SyncHarness.open();
    const run = await harness.sync([person('a')], { dryRun: true });
    expect(run).to.deep.include({ status: 'complete', outcome: 'dry-run' });
    expect(run.counts.added).to.equal(1);
    expect(await users(harness)).to.have.property('size', 0);
    expect(await harness.rows('select kind, username from sync.change where run_id = $1', [run.id])).to.have.length(1);
    expect(await harness.rows('select * from directory.changes')).to.have.length(0);
    // Nor does its control file stay.
    expect(await harness.rows('select control_id from sync.feed')).to.deep.equal([{ control_id: null }]);
  });

  it('of the batch applied last is nothing new, and neither cancels a later one nor counts as a batch that came', async () => {
    await using harness = await SyncHarness.open();
    const { database } = harness;
    const batch = [person('a'), person('b')];
    const first = await harness.sync(batch);
    const held = await harness.sync([person('a')], { settings: { autoApply: false } });
    const dry = await harness.sync(batch, { dryRun: true });
    expect(dry).to.include({ status: 'complete', outcome: 'nothing-new', applied: false });
    expect((await findRun(database, held.id))?.status).to.equal('held');
    expect((await missingAlarm(database, 'default'))?.lastBatchAt).to.deep.equal(first.finishedAt);
    // The same file as a batch is one that came, and the later one.
    const sent = await harness.sync(batch);
    expect(sent).to.include({ outcome: 'nothing-new', applied: true });
    expect((await findRun(database, held.id))?.status).to.equal('cancelled');
    expect((await missingAlarm(database, 'default'))?.lastBatchAt).to.deep.equal(sent.finishedAt);
  });
});

describe('A record that the database refuses', () => {
  it('is found by halving, rejected and logged without its values, while the others are applied', async () => {
    await using harness = await SyncHarness.open();
    await harness.administer(`alter table directory.account add constraint no_nine check (name_last <> 'U9')`);
    const batch = Array.from({ length: 20 }, (_, number) => person(`u${number}`));
    const run = await harness.sync(batch, { settings: { chunkSize: 7 } });
    expect(run.counts).to.deep.include({ records: 20, added: 19, rejected: 1 });
    const errors = (await logOf(harness, run.id)).filter((entry) => entry.level === 'error');
    expect(errors).to.have.length(1);
    expect(errors[0]).to.deep.include({ code: 'database', username: 'u9', record: 10 });
    expect(errors[0]?.message).to.include('23514').and.not.include('U9');
    await harness.administer('alter table directory.account drop constraint no_nine');
    // The same batch again: the one left undone is taken up.
    expect((await harness.sync(batch)).counts).to.deep.include({ added: 1, unchanged: 19 });
  });
});

describe('The change log for applications', () => {
  it('shows each run as a whole when it ends, in an order that a follower can rely on', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('a'), person('b')]);
    const held = await harness.sync([person('a')], { settings: { autoApply: false } });
    await harness.sync([person('x')], { feed: 'other' });
    const seen = await harness.rows<{ id: number; username: string }>(
      'select id, username, kind from directory.changes order by id',
    );
    expect(seen.map(({ username }) => username)).to.deep.equal(['a', 'b', 'x']);
    // Approved later, the older run comes after what the follower has seen already.
    await harness.execute(held.id, { approval: APPROVAL });
    const later = await harness.rows('select username, kind, before, after from directory.changes_after($1)', [
      seen.at(-1)?.id,
    ]);
    expect(later).to.deep.equal([
      {
        username: 'b',
        kind: 'block',
        before: { user: { isActive: true }, types: ['std:type:person:staff'] },
        after: { user: { isActive: false }, types: ['std:type:person:staff-past'] },
      },
    ]);
    const all = await harness.rows('select * from directory.changes order by id');
    expect(await harness.rows('select * from directory.changes_after(0)')).to.deep.equal(all);
  });
});

describe('A run that is planned again after it had applied something', () => {
  it('publishes only what it applied when it ends before the new plan is cut into chunks', async () => {
    await using harness = await SyncHarness.open();
    const runId = await harness.submit(Array.from({ length: 9 }, (_, number) => person(`u${number}`)));
    const stop = new AbortController();
    const left = executeRun(harness.context, runId, {
      settings: { ...harness.settings, chunkSize: 3, concurrency: 1 },
      actor: 'test',
      signal: stop.signal,
      isLeft: () => true,
      onProgress: ({ phase }) => {
        if (phase === 'apply') stop.abort(new Error('stopped by the test'));
      },
    });
    expect(await failureOf(left)).to.have.property('message', 'stopped by the test');
    await harness.administer(
      `create function full_disk() returns trigger language plpgsql as
         $$ begin raise exception 'no space left' using errcode = '53100'; end $$;
       create trigger full_disk before insert on sync.chunk for each statement execute function full_disk()`,
    );
    await failureOf(harness.execute(runId));
    const run = await findRun(harness.database, runId);
    expect(run).to.include({ status: 'failed', published: true });
    expect(run?.counts).to.include({ added: 3 });
    expect(await harness.rows('select from sync.change where run_id = $1', [runId])).to.have.length(9);
    const published = await harness.rows<{ username: string }>('select username from directory.changes order by id');
    expect(published.map(({ username }) => username)).to.deep.equal([...(await users(harness)).keys()]);
    expect(published).to.have.length(3);
  });
});

describe('Cancelling', () => {
  it('stops an applying run between chunks; what was applied stays and is published', async () => {
    await using harness = await SyncHarness.open();
    const batch = Array.from({ length: 12 }, (_, number) => person(`u${number}`));
    const runId = await harness.submit(batch);
    const run = await harness.execute(runId, {
      settings: { chunkSize: 3, concurrency: 1 },
      onProgress: ({ phase, done }) => {
        if (phase === 'apply' && done === 3) void cancelRun(harness.database, runId, { by: 'test' });
      },
    });
    expect(run.status).to.equal('cancelled');
    expect(run.counts.added).to.be.within(3, 9);
    const published = await harness.rows('select username from directory.changes');
    expect(published).to.have.length(run.counts.added);
    expect(await users(harness)).to.have.property('size', run.counts.added);
    const next = await harness.sync(batch);
    expect(next.counts).to.deep.include({ added: 12 - run.counts.added, unchanged: run.counts.added });
  });
});

describe('What must never be believed', () => {
  it('is a staging table that lost its rows: the run fails and nobody is blocked', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('a'), person('b')]);
    const runId = await harness.submit([person('a', { JOB_TITLE: 'x' }), person('b')]);
    // As a crash of Postgres leaves an unlogged table, after each time that it is filled.
    await harness.administer(`
      create function crash() returns trigger language plpgsql as $$ begin
        delete from sync_stage.stage_${runId};
        return null;
      end $$;
      create trigger crash after insert on sync.run_log for each row when (new.message like 'Read %')
        execute function crash()`);
    const executed = harness.execute(runId, { approval: APPROVAL });
    expect(await failureOf(executed)).to.have.property('code', 'stage-lost');
    expect([...(await users(harness)).values()].map((user) => user['is_active'])).to.deep.equal([true, true]);
  });

  it('is that a batch is nothing new, when another one was half applied since', async () => {
    await using harness = await SyncHarness.open();
    const batch = Array.from({ length: 9 }, (_, number) => person(`u${number}`));
    await harness.sync(batch);
    const other = await harness.submit(batch.map((one) => ({ ...one, JOB_TITLE: 'other' })));
    await harness.execute(other, {
      settings: { chunkSize: 3, concurrency: 1 },
      onProgress: ({ phase, done }) => {
        if (phase === 'apply' && done === 3) void cancelRun(harness.database, other, { by: 'test' });
      },
    });
    const back = await harness.sync(batch);
    expect(back.outcome).to.not.equal('nothing-new');
  });

  it('is that a run that has ended can be executed again', async () => {
    await using harness = await SyncHarness.open();
    const run = await harness.sync([person('a')]);
    expect(await failureOf(harness.execute(run.id, { approval: APPROVAL }))).to.have.property('code', 'run-status');
    expect((await harness.rows('select counts from sync.run'))[0]).to.have.nested.property('counts.added', 1);
  });

  it('is that what applications write into a profile has the right form', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('a'), person('b')]);
    await harness.rows(
      `update directory.object set attributes = '{"dc:attribute:title": {"value": "x"}, "std:attribute:notes": 7}'
       where ref in (select profile_ref from directory.account)`,
    );
    const run = await harness.sync([person('a', { JOB_TITLE: 'x' }), person('b')]);
    expect(run.counts).to.deep.include({ updated: 1, rejected: 0 });
  });
});

describe('One run a feed', () => {
  it('refuses a second process while the first works', async () => {
    await using harness = await SyncHarness.open();
    const first = await harness.submit([person('a')]);
    const second = await harness.submit([person('a'), person('b')]);
    const [one, two] = await Promise.allSettled([harness.execute(first), harness.execute(second)]);
    const results = [one, two].map((result) =>
      result.status === 'fulfilled' ? result.value.status : (result.reason as { code: string }).code,
    );
    expect(results).to.have.members(['complete', 'feed-busy']);
  });

  it('finishes a run that was left behind before its own', async () => {
    await using harness = await SyncHarness.open();
    const batch = Array.from({ length: 9 }, (_, number) => person(`u${number}`));
    const left = await harness.submit(batch);
    // As a killed process leaves it: some chunks applied, the status not changed, the lease expired.
    const stopped = new AbortController();
    const killed = harness.execute(left, {
      settings: { chunkSize: 3, concurrency: 1 },
      signal: stopped.signal,
      onProgress: ({ phase }) => {
        if (phase === 'apply') stopped.abort(new Error('killed'));
      },
    });
    await failureOf(killed);
    await harness.rows(
      `update sync.run set status = 'applying', applied = false, publication = null, finished_at = null where id = $1`,
      [left],
    );
    await harness.rows(`update sync.change set withheld = false`);
    const next = await harness.sync([...batch, person('z')]);
    const [recovered] = await harness.rows<{ counts: object }>('select status, counts from sync.run where id = $1', [
      left,
    ]);
    expect(recovered).to.deep.include({ status: 'complete' });
    expect(recovered?.counts).to.deep.include({ records: 9, added: 9, unchanged: 0 });
    expect(next.counts).to.deep.include({ added: 1, unchanged: 9 });
  });
});
