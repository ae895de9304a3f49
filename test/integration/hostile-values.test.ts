import { expect } from 'chai';
import { SyncHarness } from '../support/sync.js';

/** Texts that a line-based format, SQL, JSON or a terminal could take for something else. */
const HOSTILE = [
  '\\.',
  '\\N',
  'tab\there',
  'line\nfeed',
  'carriage\rreturn',
  'back\\slash',
  '"quotes" and \'quotes\'',
  `'; drop table directory.account; --`,
  '=cmd|calc',
  '<script>alert(1)</script>',
  '\u001b[31mred',
  'e\u0301 \u{1F600} \u202e',
  '{{stage}} $1 %s',
];

describe('Hostile values', () => {
  it('arrive in the directory exactly as they were sent, and no row is lost', async () => {
    await using harness = await SyncHarness.open();
    const batch = HOSTILE.map((text, number) => ({
      USERNAME: `u${number}-${text}`,
      FIRST_NAME: text,
      LAST_NAME: text,
      EMAIL: `u${number}@example.org`,
      JOB_TITLE: text,
    }));
    const run = await harness.sync(batch);
    expect(run.counts).to.deep.include({ records: HOSTILE.length, added: HOSTILE.length });
    const found = await harness.rows<{ username: string; last: string; job: string; raw: string }>(
      `select users.username, name_last as last, raw,
              profile #>> '{std:attribute:job-title,0,value}' as job
       from directory.users join sync.received on received.username = users.username
       order by substring(users.username from '[0-9]+')::integer`,
    );
    expect(found.map(({ last }) => last)).to.deep.equal(HOSTILE);
    expect(found.map(({ job }) => job)).to.deep.equal(HOSTILE);
    expect(found.map(({ raw }) => JSON.parse(raw) as object)).to.deep.equal(batch);
    expect(found.map(({ username }) => username)).to.deep.equal(batch.map(({ USERNAME }) => USERNAME.toLowerCase()));
    expect((await harness.sync([...batch].reverse())).counts.unchanged).to.equal(HOSTILE.length);
  });

  it('that Postgres cannot hold reject their record, whose user stays', async () => {
    await using harness = await SyncHarness.open();
    const person = (username: string, job: string): object => ({
      USERNAME: username,
      FIRST_NAME: 'A',
      LAST_NAME: 'B',
      EMAIL: `${username}@example.org`,
      JOB_TITLE: job,
    });
    await harness.sync([person('a', 'x'), person('b', 'x'), person('c', 'x')]);
    const run = await harness.sync([person('a', 'nul \u0000'), person('b', '\ud800'), person('c', 'y')]);
    expect(run.counts).to.deep.include({ rejected: 2, updated: 1, blocked: 0 });
    const codes = await harness.rows(`select distinct code from sync.run_log where run_id = $1 and level = 'error'`, [
      run.id,
    ]);
    expect(codes).to.deep.equal([{ code: 'null-character' }]);
  });

  it('are never in the message of a failed run', async () => {
    await using harness = await SyncHarness.open();
    const runId = await harness.submit('[{"USERNAME": "secret-value", }]');
    await harness.execute(runId).catch(() => undefined);
    const [run] = await harness.rows<{ failure_message: string }>('select failure_message from sync.run');
    expect(run?.failure_message).to.be.a('string').and.not.include('secret-value');
  });
});
