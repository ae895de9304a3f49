import { expect } from 'chai';
import { readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { listRuns } from '../../../src/db/runs.js';
import { printed } from '../../support/cli.js';
import { campaignBatch, drop, plainDirectory, randomOf } from '../../support/campaign.js';
import { CampaignSite } from '../../support/campaign-site.js';
import { eventually } from '../../support/eventually.js';

const ROUNDS = Number(process.env['FAULT_ROUNDS'] ?? 5);
const SEED = Number(process.env['FAULT_SEED'] ?? 20261125);

describe(`Connections that Postgres ends in the middle of a run, ${ROUNDS} times (seed ${SEED})`, function () {
  this.timeout(ROUNDS * 30_000);

  it('do not fail the run, whose result equals the undisturbed one; the daemon lives', async () => {
    const random = randomOf(SEED);
    await using campaign = await CampaignSite.open();
    const { site, reference, dropDirectory: directory } = campaign;
    const { database } = site.testDatabase;
    const daemon = await site.start(['serve']);
    let ended = 0;
    try {
      // Until then it may end, as without a database.
      await printed(daemon.child.stderr!, /is in force now/);
      for (let round = 1; round <= ROUNDS; round++) {
        const batch = campaignBatch(random);
        const seen = (await listRuns(database, { limit: 1 }))[0]?.id ?? 0;
        await drop(directory, 'users.json', batch);
        for (let blow = 0; blow < 3; blow++) {
          await delay(random() * 400);
          // The connection that asks is the test's own.
          const gone = await site.query(
            `select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid() and application_name = 'user-sync'
               and pid not in (select pid from pg_stat_activity where query like '%pg_terminate_backend%')`,
          );
          ended += gone.length;
        }
        const run = await eventually(`round ${round} to end`, async () => {
          const [last] = await listRuns(database, { limit: 1 });
          const isOver = last !== undefined && last.id > seen && ['complete', 'failed'].includes(last.status);
          return isOver && (await readdir(directory)).length === 0 ? last : undefined;
        });
        const expected = await reference.sync(batch);
        expect(run.status, run.failureMessage ?? '').to.equal('complete');
        expect(run.counts, `round ${round}`).to.deep.equal(expected.counts);
        expect(await plainDirectory(database), `round ${round}`).to.deep.equal(
          await plainDirectory(reference.database),
        );
      }
      expect(ended).to.be.greaterThan(ROUNDS);
      expect(daemon.child.exitCode).to.equal(null);
    } finally {
      daemon.child.kill('SIGTERM');
      const { code, stderr } = await daemon.ended;
      expect(code, stderr).to.equal(0);
    }
  });
});
