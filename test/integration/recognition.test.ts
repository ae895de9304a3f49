import { expect } from 'chai';
import fc from 'fast-check';
import type { RunRow } from '../../src/db/runs.js';
import { lookUpPerson } from '../../src/sync/person.js';
import { pinValue } from '../../src/sync/overrides.js';
import { SyncHarness, person } from '../support/sync.js';

/** Whose records of a run were mapped. */
async function mappedIn(harness: SyncHarness, { id }: RunRow): Promise<string[]> {
  const rows = await harness.rows<{ username: string }>(
    `select username from sync_stage.stage_${id} where mapped is not null order by seq`,
  );
  return rows.map(({ username }) => username);
}

async function receivedFrom(harness: SyncHarness, username: string): Promise<unknown> {
  const { received } = await lookUpPerson(harness.context, username);
  return received === null ? null : { ...received, raw: JSON.parse(received.raw) as unknown };
}

/** More than one user, of whom `ada` is the first, so that one record is a small part of the batch. */
function crowd(ada: Record<string, unknown>): Record<string, unknown>[] {
  return [ada, ...Array.from({ length: 19 }, (_, index) => person(`user${index}`))];
}

describe('A record that is the same as last time', () => {
  it('is not mapped again, wherever it stands in the file', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('a'), person('b'), person('c')]);
    const run = await harness.sync([person('c'), person('b', { JOB_TITLE: 'Reader' }), person('a'), person('d')]);
    expect(await mappedIn(harness, run)).to.deep.equal(['b', 'd']);
    expect(run.counts).to.include({ records: 4, added: 1, updated: 1, unchanged: 2, blocked: 0 });
  });

  it('is shown to who looks the person up with the place in the last batch and what it is mapped to', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('a'), person('b')]);
    const mapped = (await lookUpPerson(harness.context, 'b')).received?.mapped;
    const run = await harness.sync([person('x'), person('a'), person('b')]);
    expect(await mappedIn(harness, run)).to.deep.equal(['x']);
    const place = { run: run.id, file: 'users', record: 3, line: 1 };
    expect(await receivedFrom(harness, 'b')).to.deep.include({ ...place, accepted: true, raw: person('b'), mapped });
    expect(mapped).to.be.an('object');
  });

  it('is mapped when an operator wants everybody looked at, or one user', async () => {
    await using harness = await SyncHarness.open();
    const batch = [person('a'), person('b')];
    await harness.sync(batch);
    expect(await mappedIn(harness, await harness.sync(batch, { force: true }))).to.deep.equal(['a', 'b']);
    await pinValue(harness.context, 'b', { name: 'title', text: 'Dr' }, { reason: 'a test', by: 'test' });
    for (let round = 0; round < 2; round++) {
      expect(await mappedIn(harness, await harness.sync([...batch, person(`c${round}`)]))).to.include('b');
    }
  });

  it('is mapped while something is wrong with it, and the error is told in every run', async () => {
    await using harness = await SyncHarness.open();
    const faulty = person('a', { HOMEPAGE: 'no url at all' });
    await harness.sync([faulty, person('b')]);
    const run = await harness.sync([faulty, person('b'), person('c')]);
    expect(await mappedIn(harness, run)).to.deep.equal(['a', 'c']);
    expect(run.errors).to.equal(1);
  });

  it('is mapped after a rejected one, and kept in place of that', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync(crowd(person('ada')));
    await harness.sync(crowd(person('ada', { EMAIL: 'nonsense' })));
    expect(await mappedIn(harness, await harness.sync(crowd(person('ada'))))).to.deep.equal(['ada']);
    const run = await harness.sync([...crowd(person('ada')), person('new')]);
    expect(await mappedIn(harness, run)).to.deep.equal(['new']);
    expect(await receivedFrom(harness, 'ada')).to.deep.include({ run: run.id, accepted: true, raw: person('ada') });
  });

  it('is mapped when the user came back', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync(crowd(person('ada')));
    await harness.sync(crowd(person('ada')).slice(1));
    const back = await harness.sync(crowd(person('ada')));
    expect(await mappedIn(harness, back)).to.deep.equal(['ada']);
    expect(back.counts).to.include({ unblocked: 1 });
  });

  it('is mapped when the source goes back to it after somebody brought the directory in line with another', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([person('ada')]);
    await harness.rows(`update directory.account set name_first = 'Eve'`);
    await harness.rows(
      `update directory.object set attributes = jsonb_set(attributes, '{dc:attribute:title,0,value,first}', '"Eve"')
       where attributes ? 'std:attribute:email'`,
    );
    // One of one is more than is kept without a change.
    expect((await harness.sync([person('ada', { FIRST_NAME: 'Eve' })])).counts).to.include({ updated: 0 });
    expect((await harness.sync([person('ada')])).counts).to.include({ updated: 1 });
  });

  it('is mapped by a new control file, and recognised from then on', async () => {
    await using harness = await SyncHarness.open();
    const everybody = crowd(person('ada')).map(({ USERNAME }) => USERNAME);
    await harness.sync(crowd(person('ada')));
    const changed = harness.withControl((text) => text.replace('"JOB_TITLE"', '"POST"'));
    expect(await mappedIn(changed, await changed.sync(crowd(person('ada'))))).to.deep.equal(everybody);
    expect(await mappedIn(changed, await changed.sync([...crowd(person('ada')), person('x')]))).to.deep.equal(['x']);
  });
});

describe('A record that differs in what no instruction reads', () => {
  it('is mapped once, kept as received, and recognised next time', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync(crowd(person('ada')));
    const stamped = crowd(person('ada', { STAMP: 'new' }));
    const run = await harness.sync(stamped);
    expect(await mappedIn(harness, run)).to.deep.equal(['ada']);
    expect(run.counts).to.include({ updated: 0, unchanged: 20 });
    expect(await mappedIn(harness, await harness.sync([...stamped, person('x')]))).to.deep.equal(['x']);
    expect(await receivedFrom(harness, 'ada')).to.deep.include({ raw: person('ada', { STAMP: 'new' }) });
  });

  it('is kept when all records differ like that once, as from a source that has a new field', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync(crowd(person('ada')));
    await harness.sync([...crowd(person('ada')), person('x')]);
    const changed = crowd(person('ada')).map((one) => ({ ...one, STAMP: 'a new field' }));
    expect(await mappedIn(harness, await harness.sync(changed))).to.have.length(20);
    expect(await mappedIn(harness, await harness.sync([...changed, person('y')]))).to.deep.equal(['y']);
  });

  it('is not kept when most records of the batch differ like that, as from a source that stamps all of them', async () => {
    await using harness = await SyncHarness.open();
    const stamped = (stamp: number): object[] => crowd(person('ada')).map((one) => ({ ...one, STAMP: stamp }));
    await harness.sync(stamped(0));
    const before = await harness.rows('select username, ctid::text from sync.feed_user order by 1');
    const run = await harness.sync(stamped(1));
    expect(await mappedIn(harness, run)).to.have.length(20);
    expect(await harness.rows('select username, ctid::text from sync.feed_user order by 1')).to.deep.equal(before);
    expect(await receivedFrom(harness, 'ada')).to.deep.include({ raw: { ...person('ada'), STAMP: 1 } });
  });
});

/** How one person's record may look in a batch: none, or one of a few. */
const fate = fc.constantFrom(
  null,
  {},
  {},
  { STAMP: 1 },
  { JOB_TITLE: 'Reader' },
  { JOB_TITLE: 'Dean', PHONE: '020 7946 0018' },
  { HOMEPAGE: 'no url at all' },
  { EMAIL: 'nonsense' },
  { ROLE: 'student' },
);

const PEOPLE = 24;

describe('Recognising records', () => {
  it('makes no difference to anything but the time it takes', async () => {
    await using recognising = await SyncHarness.open();
    await using mapping = await SyncHarness.open();
    const batches = fc.array(fc.array(fate, { minLength: PEOPLE, maxLength: PEOPLE }), { minLength: 2, maxLength: 5 });
    let recognised = 0;
    await fc.assert(
      fc.asyncProperty(batches, async (fates) => {
        await Promise.all([recognising.empty(), mapping.empty()]);
        for (const [index, fatesOfBatch] of fates.entries()) {
          const batch = fatesOfBatch.flatMap((more, number) => (more === null ? [] : [person(`p${number}`, more)]));
          // A record that stands twice, now and then.
          if (batch[index] !== undefined) batch.push(batch[index]);
          const approval = { approval: { by: 'test', reason: null, withoutBlocks: false } };
          const run = await recognising.sync(batch, approval);
          const plain = await mapping.sync(batch, { ...approval, force: true });
          expect(run.counts).to.deep.equal(plain.counts);
          expect(run.errors).to.equal(plain.errors);
          if (run.outcome === 'nothing-new' || run.status !== 'complete') continue;
          recognised += batch.length - (await mappedIn(recognising, run)).length;
          for (const [what, query] of Object.entries(EVERYTHING)) {
            expect(await recognising.rows(query(run.id)), what).to.deep.equal(await mapping.rows(query(plain.id)));
          }
        }
      }),
      { numRuns: 4, seed: 20261125 },
    );
    expect(recognised).to.be.greaterThan(50);
  }).timeout(120_000);
});

/** What must be the same however a batch was taken in; identifiers and times differ. */
const EVERYTHING: Readonly<Record<string, (run: number) => string>> = {
  users: () =>
    `select username, email, title, name_first, name_last, is_active, in_feed, groups, tags, profile_types, profile
     from directory.users order by username`,
  state: () => 'select username, in_feed, in_error, digest from sync.feed_user order by username',
  'value counts': (run) => `select value_counts from sync.run where id = ${run}`,
  errors: (run) =>
    `select level, code, message, username, record from sync.run_log
     where run_id = ${run} and code is not null order by username, code, record`,
  changes: (run) =>
    `select kind, username, before, after from sync.change where run_id = ${run} order by username, kind`,
};
