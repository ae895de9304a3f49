import { expect } from 'chai';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { CampaignSite } from '../../support/campaign-site.js';
import { Gate } from '../../support/gate.js';
import { OwnPostgres } from '../../support/own-postgres.js';
import { RunningDaemon } from '../../support/running-daemon.js';

/** Less than the patience of the watchdog, which takes a minute to give up and has a test of its own. */
const FROZEN_MS = 5000;

const PADDING = 'x'.repeat(200_000);

describe('A Postgres that goes wrong under a daemon', function () {
  this.timeout(120_000);

  let postgres: OwnPostgres;
  before(async () => {
    postgres = await OwnPostgres.open();
  });
  after(() => postgres[Symbol.asyncDispose]());

  for (const [phase, when] of [
    ['stage', 'while a batch is copied into it'],
    ['plan', 'while it plans, and loses what was staged'],
    ['apply', 'in the middle of a chunk'],
  ] as const) {
    it(`may crash ${when}: the run is done again, and its result is the same`, async () => {
      await using campaign = await CampaignSite.open({ database: await postgres.database() });
      await using gate = await Gate.at(phase, campaign.url);
      await using daemon = await RunningDaemon.start(campaign.site);
      const batch = campaign.batch();
      await campaign.drop(phase === 'stage' ? batch.map((record) => ({ ...record, padding: PADDING })) : batch);
      await gate.reached();
      await postgres.crash();
      await campaign.expectUndisturbed(await daemon.runEnds(1), batch);
      expect(daemon.log.filter(({ level }) => level === 'error')).to.deep.equal([]);
    });
  }

  it('may be frozen in the middle of a run, for less than it is waited for: the run goes on', async () => {
    await using campaign = await CampaignSite.open({ database: await postgres.database() });
    await using gate = await Gate.at('apply', campaign.url);
    await using daemon = await RunningDaemon.start(campaign.site);
    const batch = campaign.batch();
    await campaign.drop(batch);
    await gate.reached();
    const opened = gate.open();
    postgres.freeze();
    await delay(FROZEN_MS);
    postgres.thaw();
    await opened;
    await campaign.expectUndisturbed(await daemon.runEnds(1), batch);
  });

  it('may have no connection to spare: what needs one waits, which the log says in words, and goes on when there are some', async () => {
    await using campaign = await CampaignSite.open({ database: await postgres.database() });
    await using gate = await Gate.at('apply', campaign.url);
    await using daemon = await RunningDaemon.start(campaign.site);
    const batch = campaign.batch();
    await campaign.drop(batch);
    await gate.reached();
    const others = await takeEveryConnection(campaign.url);
    await gate.open();
    const warning = await daemon.logged(/^The run is left as it is/);
    expect(warning.error?.message).to.match(/Cannot connect to Postgres: sorry, too many clients already/);
    await Promise.all(others.map((other) => other.end()));
    await campaign.expectUndisturbed(await daemon.runEnds(1), batch);
  });
});

/** Takes every connection that there is, also those that programs have. */
async function takeEveryConnection(url: string): Promise<Client[]> {
  const taken: Client[] = [];
  for (;;) {
    const client = new Client({ connectionString: url, application_name: 'other' });
    client.on('error', () => undefined);
    const refusal = await client.connect().then(
      () => undefined,
      (error: unknown) => error,
    );
    if (refusal === undefined) {
      taken.push(client);
      continue;
    }
    expect(refusal).to.have.property('code', '53300');
    const ended = await taken[0]!.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'user-sync'`,
    );
    if (ended.rows.length === 0) return taken;
  }
}
