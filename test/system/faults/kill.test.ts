import { expect } from 'chai';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { listRuns, type RunRow } from '../../../src/db/runs.js';
import { addsUp, campaignBatch, countedTwice, drop, plainDirectory, randomOf, stored } from '../../support/campaign.js';
import { CampaignSite } from '../../support/campaign-site.js';
import { printed, type Site, type Running } from '../../support/cli.js';
import { eventually } from '../../support/eventually.js';

/** As many as every change can wait for. `FAULT_ROUNDS` and `FAULT_SEED` ask for more, and for the same again. */
const ROUNDS = Number(process.env['FAULT_ROUNDS'] ?? 10);
const SEED = Number(process.env['FAULT_SEED'] ?? 20261125);

const SITES = 2;

/** Each takes as long as a round with kill -9. */
const TERM_ROUNDS = Math.ceil(ROUNDS / 5);

const AT_REST = ['complete', 'failed', 'held', 'cancelled'];

describe(`A daemon that is ended at any moment (seed ${SEED})`, function () {
  this.timeout(ROUNDS * 20_000);

  it(`by kill -9, ${ROUNDS} times, leaves a directory that equals the undisturbed one, and nothing behind`, () =>
    campaigns(ROUNDS, kill));

  it(`by SIGTERM, ${TERM_ROUNDS} times, leaves in time with exit code 0, and the same`, () =>
    campaigns(TERM_ROUNDS, async (daemon) => {
      daemon.child.kill('SIGTERM');
      const { code, stderr } = await daemon.ended;
      expect(code, stderr).to.equal(0);
    }));
});

/** Most of a round is waiting, so several sites share the rounds. */
async function campaigns(rounds: number, end: (daemon: Running) => Promise<void>): Promise<void> {
  const share = (index: number): number => Math.ceil((rounds - index) / SITES);
  const each = Array.from({ length: SITES }, (_, index) => campaign(share(index), SEED + index, end));
  const ended = await Promise.allSettled(each);
  for (const campaign of ended) if (campaign.status === 'rejected') throw campaign.reason;
}

async function campaign(rounds: number, seed: number, end: (daemon: Running) => Promise<void>): Promise<void> {
  const random = randomOf(seed);
  await using campaign = await CampaignSite.open();
  const { site, reference, dropDirectory: directory } = campaign;
  const { database } = site.testDatabase;
  const endedIn: Record<string, number> = {};
  const recoveries: number[] = [];
  let daemon = await serve(site);
  try {
    for (let round = 1; round <= rounds; round++) {
      const batch = campaignBatch(random);
      const seen = (await listRuns(database, { limit: 1 }))[0]?.id ?? 0;
      await drop(directory, 'users.json', batch);
      await delay(round % 4 === 0 ? random() * 300 : 250 + random() * 500);
      const before = (await listRuns(database, { limit: 1 }))[0];
      const moment = before === undefined || before.id <= seen ? 'intake' : before.status;
      endedIn[moment] = (endedIn[moment] ?? 0) + 1;
      await end(daemon);
      const started = performance.now();
      daemon = await serve(site);
      const runs = await eventually(`round ${round} to end`, async () => {
        const all = (await listRuns(database, { limit: 20 })).filter(({ id }) => id > seen).reverse();
        const isEmpty = (await readdir(directory)).length === 0;
        return isEmpty && all.length > 0 && all.every(({ status }) => AT_REST.includes(status)) ? all : undefined;
      });
      recoveries.push(performance.now() - started);
      const expected = await reference.sync(batch);
      expectSameRun(runs, expected, round);
      expect(await plainDirectory(database), `round ${round}`).to.deep.equal(await plainDirectory(reference.database));
      await expectTidy(site, round);
    }
  } finally {
    await kill(daemon);
  }
  const slowest = Math.max(...recoveries) / 1000;
  const usual = recoveries.toSorted((a, b) => a - b)[Math.floor(recoveries.length / 2)]! / 1000;
  console.log(
    `      ended in ${JSON.stringify(endedIn)}; from start to the run's end: median ${usual.toFixed(1)} s, at most ${slowest.toFixed(1)} s`,
  );
}

/** A file that is told again begins no other run. */
function expectSameRun([run, ...others]: readonly RunRow[], expected: RunRow, round: number): void {
  const what = `round ${round}: ${run?.failureMessage ?? ''}`;
  expect(run?.status, what).to.equal('complete');
  expect(run?.counts, what).to.deep.equal(expected.counts);
  expect(addsUp(expected.counts), what).to.equal(true);
  expect(others, what).to.deep.equal([]);
}

async function expectTidy(site: Site, round: number): Promise<void> {
  const what = `round ${round}`;
  const stages = await site.query(`select relname from pg_class where relname ~ '^stage_[0-9]+$'`);
  expect(stages.length, what).to.be.at.most(2);
  const files = await site.query<{ digest: string }>('select distinct digest from sync.run_file order by digest');
  const { digests, unfinished } = await stored(join(site.folder, 'var', 'store'));
  expect(digests, what).to.deep.equal(files.map(({ digest }) => digest));
  // What was being copied when the daemon was killed goes a day later.
  expect(unfinished.length, what).to.be.at.most(round);
  expect(await countedTwice(site.testDatabase.database), what).to.deep.equal([]);
  const lost = await site.query(
    `select changes.username from directory.changes
     left join sync.received on received.username = changes.username and received.run_id >= changes.run
     where changes.kind <> 'block' and received.username is null
       and changes.run = (select max(id) from sync.run where outcome = 'applied')`,
  );
  expect(lost, what).to.deep.equal([]);
}

/** Before it has started, a process does not listen to signals: any of them just ends it. */
async function serve(site: Site): Promise<Running> {
  const daemon = await site.start(['serve']);
  await printed(daemon.child.stderr!, /"Started"/);
  return daemon;
}

async function kill({ child, ended }: Running): Promise<void> {
  child.kill('SIGKILL');
  await ended;
}
