import { expect } from 'chai';
import { adoptAccount } from '../../src/sync/adopt.js';
import { endOverride, lookAgain, pinValue, protectUser } from '../../src/sync/overrides.js';
import { lookUpPerson } from '../../src/sync/person.js';
import { APPROVAL, SyncHarness, type BatchOptions } from '../support/sync.js';

const BY = { by: 'test' };
const WHY = { ...BY, reason: 'a test' };

function record(username: string, more: object = {}): object {
  return {
    USERNAME: username,
    FIRST_NAME: 'A',
    LAST_NAME: username,
    EMAIL: `${username}@example.org`,
    ROLE: 'staff',
    ...more,
  };
}

async function users(harness: SyncHarness): Promise<Record<string, boolean>> {
  const rows = await harness.rows<{ username: string; is_active: boolean }>(
    'select username, is_active from directory.users where username is not null order by username',
  );
  return Object.fromEntries(rows.map(({ username, is_active: active }) => [username, active]));
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (error: unknown) => (error as { code: string }).code,
  );
}

describe('A protected user', () => {
  it('is not blocked while missing, and is when the protection ends', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([record('ada'), record('bob')]);
    await protectUser(harness.context, 'ADA', WHY);
    const run = await harness.sync([record('bob')]);
    expect(run.counts).to.include({ blocked: 0, unchanged: 1 });
    expect(await users(harness)).to.deep.equal({ ada: true, bob: true });
    const person = await lookUpPerson(harness.context, 'ada');
    expect(person.overrides).to.have.length(1);
    expect(person.sync?.missing?.runs).to.equal(1);
    await endOverride(harness.context, 'ada', { kind: 'protect', name: null }, BY);
    // The same batch again: what an operator decided is new.
    expect((await harness.sync([record('bob')])).counts).to.include({ blocked: 1 });
    expect(await users(harness)).to.deep.equal({ ada: false, bob: true });
    expect((await lookUpPerson(harness.context, 'ada')).sync?.missing).to.equal(null);
  });

  it('is protected until the day that was named', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([record('ada'), record('bob')]);
    await protectUser(harness.context, 'ada', { ...WHY, until: new Date(Date.now() + 3_600_000) });
    await harness.sync([record('bob')]);
    expect(await users(harness)).to.deep.equal({ ada: true, bob: true });
    await harness.rows(`update sync.override set until = now() - interval '1 second'`);
    await harness.sync([record('bob')]);
    expect(await users(harness)).to.deep.equal({ ada: false, bob: true });
  });

  it('must be one whom a feed brought, and the end must be to come', async () => {
    await using harness = await SyncHarness.open();
    expect(await codeOf(protectUser(harness.context, 'ada', WHY))).to.equal('user-unknown');
    await harness.sync([record('ada')]);
    expect(await codeOf(protectUser(harness.context, 'ada', { ...WHY, until: new Date(0) }))).to.equal(
      'invalid-override',
    );
    expect(await codeOf(endOverride(harness.context, 'ada', { kind: 'protect', name: null }, BY))).to.equal(
      'override-unknown',
    );
  });
});

describe('A pinned value', () => {
  async function account(harness: SyncHarness, username: string): Promise<Record<string, unknown>> {
    const [row] = await harness.rows(
      'select email, title, name_last, groups, profile_types, profile from directory.users where username = $1',
      [username],
    );
    return row ?? {};
  }

  it('wins over the feed, in account and profile, until it ends', async () => {
    await using harness = await SyncHarness.open();
    const batch = [record('ada'), record('bob')];
    await harness.sync(batch);
    await pinValue(harness.context, 'ada', { name: 'email', text: 'king@example.org' }, WHY);
    await pinValue(harness.context, 'ada', { name: 'nameLast', text: 'King' }, WHY);
    await pinValue(harness.context, 'ada', { name: 'groups', text: 'example:group:students' }, WHY);
    const run = await harness.sync(batch);
    expect(run.counts).to.include({ updated: 1, unchanged: 1 });
    const pinned = await account(harness, 'ada');
    expect(pinned).to.deep.include({
      email: 'king@example.org',
      name_last: 'King',
      groups: ['example:group:students'],
      profile_types: ['std:type:person:student'],
    });
    expect(pinned['profile']).to.deep.include({
      'dc:attribute:title': [{ value: { first: 'A', last: 'King' } }],
      'std:attribute:email': [{ value: 'king@example.org' }],
    });
    const changed = await harness.sync([record('ada', { LAST_NAME: 'Byron', EMAIL: 'x@example.org' }), record('bob')]);
    expect(changed.counts).to.include({ updated: 0, unchanged: 2 });
    for (const name of ['email', 'nameLast', 'groups'])
      await endOverride(harness.context, 'ada', { kind: 'pin', name }, BY);
    await harness.sync(batch);
    expect(await account(harness, 'ada')).to.deep.include({
      email: 'ada@example.org',
      name_last: 'ada',
      groups: ['example:group:staff'],
      profile_types: ['std:type:person:staff'],
    });
  });

  it('that was set while a run had read the records already counts when the same batch comes again', async () => {
    await using harness = await SyncHarness.open();
    const batch = [record('ada')];
    const { id } = await harness.sync(batch);
    await pinValue(harness.context, 'ada', { name: 'nameLast', text: 'King' }, WHY);
    await harness.rows(
      `update sync.override set created_at = (select started_at + (finished_at - started_at) / 2 from sync.run where id = $1)`,
      [id],
    );
    expect((await harness.sync(batch)).counts).to.include({ updated: 1 });
  });

  it('leaves qualified names of the profile where they are, and changes nothing again', async () => {
    await using harness = await SyncHarness.open();
    const batch = [record('ada')];
    await harness.sync(batch);
    await pinValue(harness.context, 'ada', { name: 'title', text: 'Dr' }, WHY);
    expect((await harness.sync(batch)).counts).to.include({ updated: 1 });
    expect((await harness.sync(batch)).outcome).to.equal('nothing-new');
    expect((await harness.sync(batch, { force: true })).counts).to.include({ updated: 0, unchanged: 1 });
  });

  it('must be one that the name can have', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([record('ada')]);
    const pin = (name: string, text: string): Promise<string> =>
      codeOf(pinValue(harness.context, 'ada', { name, text }, WHY));
    expect(await pin('username', 'bob')).to.equal('invalid-override');
    expect(await pin('email', 'nobody')).to.equal('invalid-override');
    expect(await pin('nameFirst', '')).to.equal('invalid-override');
    expect(await pin('groups', 'example:group:reviewers')).to.equal('invalid-override');
    expect(await pin('title', 'a\0b')).to.equal('invalid-override');
    expect(await pin('title', '')).to.equal('no error');
  });
});

describe('Grace for leavers', () => {
  const settings = (graceRuns: number, graceDays: number): BatchOptions => ({
    settings: { leavers: { graceRuns, graceDays } },
  });

  it('blocks after so many further runs, also when the file stays the same', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([record('ada'), record('bob')]);
    const blocked: number[] = [];
    for (let run = 0; run < 4; run++)
      blocked.push((await harness.sync([record('bob')], settings(2, 0))).counts.blocked);
    expect(blocked).to.deep.equal([0, 0, 1, 0]);
  });

  it('begins anew for somebody who came back in between', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([record('ada'), record('bob')]);
    await harness.sync([record('bob')], settings(1, 0));
    await harness.sync([record('bob'), record('ada')], settings(1, 0));
    expect((await lookUpPerson(harness.context, 'ada')).sync?.missing).to.equal(null);
    expect((await harness.sync([record('bob')], settings(1, 0))).counts.blocked).to.equal(0);
    expect((await harness.sync([record('bob')], settings(1, 0))).counts.blocked).to.equal(1);
  });

  it('blocks after so many days', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([record('ada'), record('bob')]);
    expect((await harness.sync([record('bob')], settings(0, 3))).counts.blocked).to.equal(0);
    await harness.rows(
      `update sync.feed_user set missing_since = missing_since - interval '71 hours' where username = 'ada'`,
    );
    expect((await harness.sync([record('bob')], settings(0, 3))).counts.blocked).to.equal(0);
    await harness.rows(
      `update sync.feed_user set missing_since = missing_since - interval '2 hours' where username = 'ada'`,
    );
    expect((await harness.sync([record('bob')], settings(0, 3))).counts.blocked).to.equal(1);
  });
});

describe('Adopting an account', () => {
  it('made by hand lets its record through, and brings it in step', async () => {
    await using harness = await SyncHarness.open();
    await harness.rows(
      `insert into directory.account (email, name_first, name_last) values ('Ada@example.org', 'Ada', 'by hand')`,
    );
    await harness.sync([record('bob')]);
    const refused = await harness.sync([record('ada'), record('bob')]);
    expect(refused.counts).to.include({ rejected: 1, added: 0 });
    const account = await adoptAccount(harness.context, {
      ...BY,
      username: 'ADA',
      feed: 'default',
      email: 'ada@example.org',
    });
    const run = await harness.sync([record('ada'), record('bob')]);
    expect(run.counts).to.include({ rejected: 0, added: 0, updated: 1 });
    const [ada] = await harness.rows(
      'select id, name_last, groups, profile_types from directory.users where username = $1',
      ['ada'],
    );
    expect(ada).to.deep.equal({
      id: account,
      name_last: 'ada',
      groups: ['example:group:staff'],
      profile_types: ['std:type:person:staff'],
    });
  });

  it('of another feed moves it', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([record('ada')]);
    await harness.sync([record('zoe')], { feed: 'hr' });
    expect((await harness.sync([record('zoe'), record('ada')], { feed: 'hr' })).counts.rejected).to.equal(1);
    await adoptAccount(harness.context, { ...BY, username: 'ada', feed: 'hr' });
    expect((await harness.sync([record('zoe'), record('ada')], { feed: 'hr' })).counts.rejected).to.equal(0);
    expect((await lookUpPerson(harness.context, 'ada')).account?.feed).to.equal('hr');
  });

  it('is refused when it is not clear what is meant', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([record('ada')]);
    const adopt = (adoption: { username: string; feed?: string; email?: string }): Promise<string> =>
      codeOf(adoptAccount(harness.context, { ...BY, feed: 'default', ...adoption }));
    expect(await adopt({ username: 'ada' })).to.equal('adopt-impossible');
    expect(await adopt({ username: 'new' })).to.equal('adopt-impossible');
    expect(await adopt({ username: 'new', email: 'nobody@example.org' })).to.equal('adopt-impossible');
    expect(await adopt({ username: 'new', email: 'ada@example.org' })).to.equal('adopt-impossible');
    expect(await adopt({ username: 'ada', feed: 'none' })).to.equal('adopt-impossible');
  });
});

describe('What is decided about a user while a run is held', () => {
  const HELD: BatchOptions = { settings: { autoApply: false } };

  /** `ada` is not in the batch, and `bob` is another. */
  async function holdWithoutAda(harness: SyncHarness): Promise<number> {
    const held = await harness.sync([record('bob', { LAST_NAME: 'Other' })], HELD);
    expect(held.status).to.equal('held');
    return held.id;
  }

  it('counts when the run is approved: somebody who is protected is not blocked', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([record('ada'), record('bob')]);
    const held = await holdWithoutAda(harness);
    await protectUser(harness.context, 'ada', WHY);
    const done = await harness.execute(held, { approval: APPROVAL });
    expect(done.counts).to.include({ updated: 1, blocked: 0 });
    expect(await users(harness)).to.deep.equal({ ada: true, bob: true });
  });

  it('counts also when it was decided in the moment in which the run was planned', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([record('ada'), record('bob')]);
    await harness.administer(
      `create function protect() returns trigger language plpgsql as $$ begin
         insert into sync.override (username, kind, reason, made_by) values ('ada', 'protect', 'a test', 'test');
         return null;
       end $$;
       create trigger protect after insert on sync.run_log for each row when (new.message like 'Planned: %')
         execute function protect()`,
    );
    const held = await holdWithoutAda(harness);
    await harness.administer('drop trigger protect on sync.run_log');
    const done = await harness.execute(held, { approval: APPROVAL });
    expect(done.counts).to.include({ updated: 1, blocked: 0 });
  });

  it('counts when a protection is ended: the user is blocked', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([record('ada'), record('bob')]);
    await protectUser(harness.context, 'ada', WHY);
    const held = await holdWithoutAda(harness);
    await endOverride(harness.context, 'ada', { kind: 'protect', name: null }, BY);
    expect((await harness.execute(held, { approval: APPROVAL })).counts).to.include({ updated: 1, blocked: 1 });
  });

  it('does not block somebody whose protection ran out: nobody saw that in the plan, and the next run does it', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([record('ada'), record('bob')]);
    await protectUser(harness.context, 'ada', { ...WHY, until: new Date(Date.now() + 3_600_000) });
    const held = await holdWithoutAda(harness);
    // As time passes: the row is not written.
    await harness.administer(
      `alter table sync.override disable trigger user;
       update sync.override set until = clock_timestamp();
       alter table sync.override enable trigger user`,
    );
    expect((await harness.execute(held, { approval: APPROVAL })).counts).to.include({ updated: 1, blocked: 0 });
    const next = await harness.sync([record('bob', { LAST_NAME: 'Other' })]);
    expect(next.counts).to.include({ updated: 0, blocked: 1 });
  });

  it('counts when a value is pinned', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([record('ada'), record('bob')]);
    const held = await holdWithoutAda(harness);
    await pinValue(harness.context, 'bob', { name: 'nameLast', text: 'King' }, WHY);
    await harness.execute(held, { approval: APPROVAL });
    const [bob] = await harness.rows('select name_last from directory.users where username = $1', ['bob']);
    expect(bob).to.deep.equal({ name_last: 'King' });
  });

  it('counts when another feed adopts the user, who is not blocked for being missing from this one', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([record('ada'), record('bob')]);
    await harness.sync([record('zoe')], { feed: 'hr' });
    const held = await holdWithoutAda(harness);
    await adoptAccount(harness.context, { ...BY, username: 'ada', feed: 'hr' });
    expect((await harness.execute(held, { approval: APPROVAL })).counts).to.include({ updated: 1, blocked: 0 });
    expect(await users(harness)).to.deep.equal({ ada: true, bob: true, zoe: true });
  });

  it('counts when an account made by hand is adopted, whose record was rejected', async () => {
    await using harness = await SyncHarness.open();
    await harness.rows(`insert into directory.account (email) values ('ada@example.org')`);
    await harness.sync([record('bob')]);
    const held = await harness.sync([record('ada'), record('bob', { LAST_NAME: 'Other' })], HELD);
    expect(held.counts).to.include({ rejected: 1, updated: 1 });
    await adoptAccount(harness.context, { ...BY, username: 'ada', feed: 'default', email: 'ada@example.org' });
    expect((await harness.execute(held.id, { approval: APPROVAL })).counts).to.include({ rejected: 0, updated: 2 });
  });

  it('counts when the user is to be looked at again', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([record('ada'), record('bob')]);
    await harness.rows(`update directory.account set name_first = 'by hand' where email = 'bob@example.org'`);
    const held = await harness.sync([record('ada', { LAST_NAME: 'Other' }), record('bob', { STAMP: 'other' })], HELD);
    expect(held.counts).to.include({ updated: 1 });
    await lookAgain(harness.database, 'bob', BY);
    expect((await harness.execute(held.id, { approval: APPROVAL })).counts).to.include({ updated: 2 });
  });
});
