import { expect } from 'chai';
import { findRun, moveRun } from '../../src/db/runs.js';
import { RUN_STATUSES, isEnd, mayMove, type RunStatus } from '../../src/domain/run.js';
import { FeedRunner } from '../../src/daemon/feed-runner.js';
import { collectDropped, collectFile, replaceControl, startBatch } from '../../src/sync/collect.js';
import { cancelRun, requestApproval } from '../../src/sync/decide.js';
import { Execution } from '../../src/sync/execution.js';
import type { Approval } from '../../src/sync/context.js';
import { expectedFiles } from '../../src/sync/expected-files.js';
import { executeRun } from '../../src/sync/pipeline.js';
import { Lease } from '../../src/db/lease.js';
import { record } from '../support/daemon-site.js';
import { eventually } from '../support/eventually.js';
import { codeOf, store } from '../support/lifecycle.js';
import { APPROVAL, SyncHarness } from '../support/sync.js';

describe('The status of a run in the database', () => {
  it('moves where the table allows it, is noted with who did it, and nowhere else', async () => {
    await using harness = await SyncHarness.open();
    for (const from of RUN_STATUSES) {
      for (const to of RUN_STATUSES) {
        const run = await runIn(harness, from);
        const code = await codeOf(moveRun(harness.database, run, to, 'ada', {}, 'why'));
        expect(code, `${from} → ${to}`).to.equal(mayMove(from, to) ? undefined : 'run-status');
        expect((await findRun(harness.database, run))?.status).to.equal(mayMove(from, to) ? to : from);
        const noted = await harness.rows(
          `select from_status, to_status, actor, note from sync.run_transition where run_id = ${run}`,
        );
        const expected = { from_status: from, to_status: to, actor: 'ada', note: 'why' };
        expect(noted, `${from} → ${to}`).to.deep.equal(mayMove(from, to) ? [expected] : []);
        await harness.administer(`delete from sync.run where id = ${run}`);
      }
    }
  });

  it('can be cancelled from each state that is no end: at once while the run waits, else when it notices', async () => {
    await using harness = await SyncHarness.open();
    for (const from of RUN_STATUSES) {
      const run = await runIn(harness, from);
      const code = await codeOf(cancelRun(harness.database, run, { by: 'ada' }));
      const now = await findRun(harness.database, run);
      if (isEnd(from)) {
        expect([code, now?.status], from).to.deep.equal(['run-status', from]);
      } else if (from === 'planning' || from === 'applying') {
        expect([code, now?.status, now?.cancelRequested], from).to.deep.equal([undefined, from, true]);
      } else {
        expect([code, now?.status], from).to.deep.equal([undefined, 'cancelled']);
        expect(now?.finishedAt, from).to.be.a('date');
      }
      await harness.administer(`delete from sync.run where id = ${run}`);
    }
  });

  it('does not come to wait when it was cancelled while it was planned, even at the last moment', async () => {
    await using harness = await SyncHarness.open();
    await harness.administer(
      `create function cancel() returns trigger language plpgsql as
         $$ begin update sync.run set cancel_requested = true where id = new.run_id; return null; end $$;
       create trigger cancel after insert on sync.run_log for each row when (new.message like 'Planned: %')
         execute function cancel()`,
    );
    const run = await harness.sync([record('ada')], { settings: { autoApply: false } });
    expect(run).to.include({ status: 'cancelled' });
    expect(run.counts).to.include({ added: 0 });
  });

  it('is cancelled together with the end of the run that supersedes it, or not at all', async () => {
    await using harness = await SyncHarness.open();
    await harness.sync([record('ada')]);
    const held = await harness.sync([record('bob')], { settings: { autoApply: false } });
    expect(held.status).to.equal('held');
    const later = await harness.submit([record('ada'), record('cyd')]);
    await harness.administer(
      `create function keep() returns trigger language plpgsql as $$ begin raise exception 'not now'; end $$;
       create trigger keep before update on sync.run for each row when (new.status = 'cancelled') execute function keep()`,
    );
    const attempt = executeRun(harness.context, later, {
      settings: harness.settings,
      actor: 'test',
      signal: new AbortController().signal,
      isLeft: () => true,
    });
    expect(await codeOf(attempt)).to.equal('P0001');
    expect((await findRun(harness.database, later))?.status).to.equal('applying');
    await harness.administer('drop trigger keep on sync.run');
    expect((await harness.execute(later)).status).to.equal('complete');
    expect((await findRun(harness.database, held.id))?.status).to.equal('cancelled');
    const log = await harness.rows<{ message: string }>(`select message from sync.run_log where run_id = ${held.id}`);
    expect(log.map(({ message }) => message)).to.include(
      `The run is cancelled, by user-sync: run ${later} with a later batch was applied.`,
    );
  });
});

describe('An approval', () => {
  const BLOCKS: Approval = { by: 'Bea', reason: 'all of it', withoutBlocks: false };
  const NO_BLOCKS: Approval = { by: 'Ada', reason: 'they are on leave', withoutBlocks: true };

  /** Blocks `bob` and updates nobody else than `ada`. */
  async function held(harness: SyncHarness): Promise<number> {
    await harness.sync([record('ada'), record('bob')]);
    return (await harness.sync([record('ada', { JOB_TITLE: 'x' })], { settings: { autoApply: false } })).id;
  }

  async function approvalOf(harness: SyncHarness, id: number): Promise<object> {
    const { approvedBy: by, approvalReason: reason, withoutBlocks } = (await findRun(harness.database, id))!;
    return { by, reason, withoutBlocks };
  }

  async function messageOf(work: Promise<unknown>): Promise<string> {
    return work.then(
      () => 'no error',
      (error: unknown) => (error as Error).message,
    );
  }

  it('is the first that is given: a later one is told whose it is, and what to do', async () => {
    await using harness = await SyncHarness.open();
    const { database } = harness;
    const run = await held(harness);
    await requestApproval(database, run, NO_BLOCKS);
    for (const late of [BLOCKS, { ...BLOCKS, withoutBlocks: true }, { ...NO_BLOCKS, withoutBlocks: false }]) {
      expect(await codeOf(requestApproval(database, run, late))).to.equal('run-status');
      expect(await messageOf(requestApproval(database, run, late))).to.equal(
        `Run ${run} is approved already, by Ada, without its blocks, and is applied next. To decide otherwise, cancel it ` +
          'and make a new run.',
      );
    }
    expect(await approvalOf(harness, run)).to.deep.equal(NO_BLOCKS);
    const runner = new FeedRunner({
      context: harness.context,
      feed: 'default',
      settings: async () => harness.settings,
      onEnded: () => Promise.resolve(),
    });
    expect(await runner.runOnce(new AbortController().signal)).to.equal('done');
    expect((await findRun(database, run))?.counts).to.include({ updated: 1, blocked: 0 });
    expect(await messageOf(requestApproval(database, run, BLOCKS))).to.equal(
      `Run ${run} is complete: only a held run can be approved.`,
    );
  });

  it('is one when two are given at the same time', async () => {
    await using harness = await SyncHarness.open();
    const run = await held(harness);
    const both = [NO_BLOCKS, BLOCKS];
    const given = await Promise.allSettled(both.map((one) => requestApproval(harness.database, run, one)));
    expect(given.map(({ status }) => status)).to.have.members(['fulfilled', 'rejected']);
    expect(await approvalOf(harness, run)).to.deep.equal(both[given[0]?.status === 'fulfilled' ? 0 : 1]);
    const noted = await harness.rows(`select from sync.run_log where run_id = $1 and message like '% approved%'`, [
      run,
    ]);
    expect(noted).to.have.length(1);
  });

  it('can be sent again by a client that heard no answer: it is the one on record, also when it was applied', async () => {
    await using harness = await SyncHarness.open();
    const run = await held(harness);
    await requestApproval(harness.database, run, NO_BLOCKS);
    const first = await findRun(harness.database, run);
    await requestApproval(harness.database, run, NO_BLOCKS);
    expect(await findRun(harness.database, run)).to.deep.equal(first);
    expect((await harness.execute(run)).counts).to.include({ updated: 1, blocked: 0 });
    await requestApproval(harness.database, run, NO_BLOCKS);
    const noted = await harness.rows(`select from sync.run_log where run_id = $1 and message like '% approved%'`, [
      run,
    ]);
    expect(noted).to.have.length(1);
  });

  it('does not reach a run that is cancelled in the same moment', async () => {
    await using harness = await SyncHarness.open();
    const { database } = harness;
    const run = await held(harness);
    let late: Promise<string> | undefined;
    await database.transaction(async (connection) => {
      await moveRun(connection, run, 'cancelled', 'test');
      late = messageOf(requestApproval(database, run, BLOCKS));
      await eventually('the approval to wait for the run', async () => {
        const waiting = await harness.testDatabase.administrator.database.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return waiting.length > 0 || undefined;
      });
    });
    expect(await late).to.equal(
      `Run ${run} is cancelled: only a held run can be approved. \`user-sync reapply ${run}\` makes a new run of its batch.`,
    );
    expect(await approvalOf(harness, run)).to.deep.equal({ by: null, reason: null, withoutBlocks: false });
  });

  it('on record is not overruled by whoever applies the run, who may decide the same', async () => {
    await using harness = await SyncHarness.open();
    const run = await held(harness);
    await requestApproval(harness.database, run, NO_BLOCKS);
    expect(await codeOf(harness.execute(run, { approval: BLOCKS }))).to.equal('run-status');
    expect(await findRun(harness.database, run)).to.include({ status: 'held', approvedBy: 'Ada' });
    const done = await harness.execute(run, { approval: { ...BLOCKS, withoutBlocks: true } });
    expect(done.counts).to.include({ updated: 1, blocked: 0 });
    expect(await approvalOf(harness, run)).to.deep.equal(NO_BLOCKS);
  });
});

describe('A batch that is put together', () => {
  it('waits for what the control file lists, takes later files in place of earlier ones, and then no more', async () => {
    await using harness = await SyncHarness.open({ control: controlFor('users', 'extra') });
    await inForce(harness, controlFor('users', 'extra'));
    const collect = (name: string, text: string, mayReplace = true): ReturnType<typeof collectFile> =>
      store(harness, name, text).then((file) =>
        collectFile(harness.context, { feed: 'default', file, start: 'on-signal', mayReplace }),
      );
    const first = await collect('users', '[]');
    expect(first).to.deep.include({ status: 'uploading', missing: ['extra'], replaced: false, queued: false });
    expect(await collect('users', '[{}]')).to.deep.include({ run: first.run, replaced: true });
    expect(await codeOf(collect('users', '[{}]', false))).to.equal('already-uploaded');
    expect(await codeOf(collect('other', '[]'))).to.equal('unknown-file');
    expect(await startBatch(harness.context, 'default', 'test')).to.deep.equal({ missing: ['extra'] });
    expect(await collect('extra', '[]')).to.deep.include({
      run: first.run,
      status: 'ready',
      queued: false,
      missing: [],
    });
    expect(await startBatch(harness.context, 'default', 'test')).to.deep.equal({ run: first.run });
    expect((await findRun(harness.database, first.run))?.queued).to.equal(true);
    await moveRun(harness.database, first.run, 'planning', 'test');
    expect(await collect('users', '[]')).to.deep.include({ status: 'uploading', missing: ['extra'] });
  });

  it('says everything is missing when nothing has come, and that there is no control file', async () => {
    await using harness = await SyncHarness.open();
    const start = (): ReturnType<typeof startBatch> => startBatch(harness.context, 'default', 'test');
    expect(await codeOf(start())).to.equal('control-missing');
    await inForce(harness, controlFor('users', 'extra'));
    expect(await start()).to.deep.equal({ missing: ['users', 'extra'] });
  });

  it('takes no dropped file that is on record, of whichever batch, and the same bytes when they are dropped again', async () => {
    await using harness = await SyncHarness.open();
    await inForce(harness, controlFor('users', 'extra'));
    const drop = async (text: string, original: string): ReturnType<typeof collectDropped> => {
      const file = await store(harness, 'users', text);
      return collectDropped(harness.context, { feed: 'default', file, start: 'on-signal', mayReplace: true }, original);
    };
    const first = await drop('[]', 'a');
    expect(await drop('[{}]', 'b')).to.deep.include({ run: first!.run, replaced: true });
    // Both are still in the drop directory.
    for (const again of ['open', 'cancelled']) {
      expect(await drop('[]', 'a'), again).to.equal(undefined);
      expect(await drop('[{}]', 'b'), again).to.equal(undefined);
      if (again === 'open') await cancelRun(harness.database, first!.run, { by: 'test' });
    }
    expect(await harness.rows('select id from sync.run')).to.have.length(1);
    expect((await drop('[{}]', 'c'))?.run).to.equal(first!.run + 1);
  });

  it('is not read by a dropped control file that was in force before, and is told again', async () => {
    await using harness = await SyncHarness.open();
    const replace = async (name: string, original?: string): ReturnType<typeof replaceControl> => {
      const text = JSON.stringify(controlFor(name));
      const dropped = original === undefined ? {} : { dropped: { name: '_control', digest: name, original } };
      const request = { feed: 'default', text, what: 'The control file', source: 'test', start: 'on-signal' } as const;
      return replaceControl(harness.context, { ...request, ...dropped });
    };
    expect(await replace('users', 'a')).to.deep.equal({ isNew: true });
    expect(await replace('extra')).to.deep.equal({ isNew: true });
    expect(await replace('users', 'a')).to.deep.equal({ isNew: false });
    expect(await expectedFiles(harness.context, 'default')).to.deep.equal({ kind: 'listed', names: ['extra'] });
    expect(await replace('users', 'b')).to.deep.equal({ isNew: true });
    expect(await expectedFiles(harness.context, 'default')).to.deep.equal({ kind: 'listed', names: ['users'] });
  });

  it('is read by the control file that is in force when its last file comes, even in the moment it is taken up', async () => {
    await using harness = await SyncHarness.open();
    const { context, database } = harness;
    await inForce(harness, JSON.parse(harness.control) as object);
    const file = async (users: object[]): ReturnType<typeof collectFile> =>
      collectFile(context, {
        feed: 'default',
        file: await store(harness, 'users', JSON.stringify(users)),
        start: 'when-ready',
        mayReplace: true,
      });
    const { run } = await file([record('ada')]);
    const seen = await findRun(database, run);
    const changed = JSON.parse(harness.control) as { instructions: object[] };
    changed.instructions.push({ source: 'more', destination: 'user', name: 'title' });
    await inForce(harness, changed);
    expect((await file([record('bob')])).run).to.equal(run);
    const lease = await Lease.acquire(database, { id: seen!.feedId, name: 'default' }, 'test', 60_000);
    const execution = new Execution(context, seen!, lease!, {
      settings: harness.settings,
      actor: 'test',
      signal: new AbortController().signal,
    });
    await execution.record.begin();
    await lease!.release();
    const [control] = await harness.rows<{ id: number }>('select max(id)::integer as id from sync.control_file');
    expect(execution.run.controlId).to.equal(control?.id);
  });
});

describe('The runs of a feed', () => {
  it('are taken up in order: what was left behind, what was approved, what is queued, oldest first', async () => {
    await using harness = await SyncHarness.open();
    const { database } = harness;
    const first = await harness.sync([record('ada')]);
    const held = await harness.sync([record('ada'), record('bob')], { settings: { autoApply: false } });
    const queued = await harness.submit([record('cyd')]);
    const left = await harness.submit([record('ada'), record('dee')]);
    await moveRun(database, left, 'planning', 'a process that is gone');
    await requestApproval(database, held.id, APPROVAL);
    await harness.rows(`update sync.run set queued = true where id = ${queued}`);
    const ended: number[] = [];
    const runner = new FeedRunner({
      context: harness.context,
      feed: 'default',
      settings: async () => harness.settings,
      onEnded: async (run) => void ended.push(run),
    });
    const { signal } = new AbortController();
    const rounds: string[] = [];
    for (let round = 0; round < 3; round++) rounds.push(await runner.runOnce(signal));
    // The later batch that was left behind was applied, so the approved run is older than what is there.
    expect(ended).to.deep.equal([left, queued]);
    expect(rounds).to.deep.equal(['done', 'done', 'nothing']);
    expect((await findRun(database, held.id))?.status).to.equal('cancelled');
    expect((await findRun(database, first.id))?.status).to.equal('complete');
  });

  it('are left as they are while the database is away, and fail when it stays away for too long', async () => {
    await using harness = await SyncHarness.open();
    const { database } = harness;
    const run = await harness.submit([record('ada')]);
    await harness.rows(`update sync.run set queued = true where id = ${run}`);
    await harness.administer(
      `create function away() returns trigger language plpgsql as
         $$ begin raise exception 'connection limit' using errcode = '53300'; end $$;
       create trigger away before insert on directory.account for each row execute function away()`,
    );
    let now = 0;
    const ended: number[] = [];
    const runner = new FeedRunner({
      context: harness.context,
      feed: 'default',
      settings: async () => harness.settings,
      onEnded: async (id) => void ended.push(id),
      patienceMs: 1000,
      now: () => now,
    });
    const { signal } = new AbortController();
    expect(await runner.runOnce(signal)).to.equal('later');
    expect((await findRun(database, run))?.status).to.equal('applying');
    now = 999;
    expect(await runner.runOnce(signal)).to.equal('later');
    expect(ended).to.deep.equal([]);
    now = 1000;
    expect(await runner.runOnce(signal)).to.equal('done');
    expect(ended).to.deep.equal([run]);
    expect(await findRun(database, run)).to.include({ status: 'failed' });
    expect(await runner.runOnce(signal)).to.equal('nothing');
  });

  it('wait while another process works on the feed', async () => {
    await using harness = await SyncHarness.open();
    const run = await harness.submit([record('ada')]);
    await harness.rows(`update sync.run set queued = true where id = ${run}`);
    const { feedId } = (await findRun(harness.database, run))!;
    const lease = await Lease.acquire(harness.database, { id: feedId, name: 'default' }, 'elsewhere:1:x', 60_000);
    const runner = new FeedRunner({
      context: harness.context,
      feed: 'default',
      settings: async () => harness.settings,
      onEnded: () => Promise.resolve(),
    });
    const { signal } = new AbortController();
    expect(await runner.runOnce(signal)).to.equal('later');
    await lease!.release();
    expect(await runner.runOnce(signal)).to.equal('done');
  });
});

/** A run as it stands in a state. */
async function runIn(harness: SyncHarness, status: RunStatus): Promise<number> {
  await harness.rows(`insert into sync.feed (name) values ('default') on conflict do nothing`);
  const [run] = await harness.rows<{ id: number }>(
    `insert into sync.run (feed_id, source, status) select id, 'test', '${status}' from sync.feed where name = 'default'
     returning id::integer as id`,
  );
  return run?.id ?? 0;
}

function controlFor(...names: string[]): object {
  return {
    dataImportControlFileVersion: 0,
    model: 'haplo:user-sync',
    files: Object.fromEntries(names.map((name) => [name, { read: 'json' }])),
    instructions: [{ source: 'u', destination: 'user', name: 'username' }],
  };
}

function inForce(harness: SyncHarness, control: object): Promise<unknown> {
  return replaceControl(harness.context, {
    feed: 'default',
    text: JSON.stringify(control),
    what: 'The control file',
    source: 'test',
    start: 'on-signal',
  });
}
