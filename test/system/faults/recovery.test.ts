import { expect } from 'chai';
import { executeRun } from '../../../src/sync/pipeline.js';
import { record } from '../../support/daemon-site.js';
import { SyncHarness, type BatchOptions } from '../../support/sync.js';

/** Lets a run come to its end, and not over it, until it is taken away. */
const NO_END = `
  create function no_end() returns trigger language plpgsql as $$ begin raise exception 'not now'; end $$;
  create trigger no_end before update on sync.run for each row when (new.status = 'complete') execute function no_end()`;

describe('A run that is done again', () => {
  it('counts once that somebody was missing, although its end was reached before', async () => {
    await using harness = await SyncHarness.open();
    const grace: BatchOptions = { settings: { leavers: { graceRuns: 1, graceDays: 0 } } };
    await harness.sync([record('ada'), record('bob')]);
    const run = await harness.submit([record('bob')]);
    await harness.administer(NO_END);
    await leave(harness, run, grace);
    await leave(harness, run, grace);
    await harness.administer('drop trigger no_end on sync.run');
    const done = await harness.execute(run, grace);
    expect(done).to.include({ status: 'complete' });
    expect(done.counts).to.include({ blocked: 0 });
    expect((await harness.sync([record('bob')], grace)).counts).to.include({ blocked: 1 });
  });
});

describe('A process that another one took over from before it noticed', () => {
  for (const [when, message, left] of [
    ['it reads the batch', 'The run is planning%', { status: 'planning', changes: 0, accounts: 0 }],
    ['it plans', 'Read %', { status: 'planning', changes: 0, accounts: 0 }],
    ['it goes on from planning to applying', 'Planned: %', { status: 'planning', changes: 1, accounts: 0 }],
    ['it applies', 'The run is applying%', { status: 'applying', changes: 1, accounts: 0 }],
  ] as const) {
    it(`leaves everything to it, also when that was just before ${when}`, async () => {
      await using harness = await SyncHarness.open();
      const run = await harness.submit([record('ada')]);
      await harness.administer(`
        create function take_over() returns trigger language plpgsql as $$ begin
          update sync.feed set lease_token = lease_token + 1, lease_holder = 'elsewhere:1:x';
          return null;
        end $$;
        create trigger take_over after insert on sync.run_log for each row when (new.message like '${message}')
          execute function take_over()`);
      expect(await leave(harness, run)).to.have.property('code', 'lease-lost');
      const [found] = await harness.rows(`
        select status, (select count(*) from sync.change) as changes, (select count(*) from directory.account) as accounts
        from sync.run`);
      expect(found).to.deep.equal(left);
    });
  }
});

/** One attempt that is left as it is, like that of a process that dies. */
async function leave(harness: SyncHarness, run: number, options: BatchOptions = {}): Promise<unknown> {
  return executeRun(harness.context, run, {
    settings: { ...harness.settings, ...options.settings },
    actor: 'test',
    signal: new AbortController().signal,
    isLeft: () => true,
  }).then(
    () => undefined,
    (error: unknown) => error,
  );
}
