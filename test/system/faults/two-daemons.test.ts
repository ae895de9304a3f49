import { expect } from 'chai';
import { CampaignSite } from '../../support/campaign-site.js';
import { Gate, GATE_RECORD } from '../../support/gate.js';
import { RunningDaemon } from '../../support/running-daemon.js';

const ON_DUTY = /^This process looks after the feed/;

const LEASE = { leaseSeconds: 3 };

/** More than sockets on the way to Postgres hold: 20 MB in all. */
const PADDING = 'x'.repeat(200_000);

describe('Two daemons on one database', function () {
  this.timeout(60_000);

  for (const [phase, when] of [
    ['stage', 'while it copies the batch'],
    ['plan', 'while it plans'],
    ['apply', 'in the middle of a chunk'],
  ] as const) {
    it(`fence off the one that is frozen ${when} and thawed while its successor does the same`, async () => {
      await using campaign = await CampaignSite.open({ config: LEASE });
      const { site } = campaign;
      await using gate = await Gate.at(phase, campaign.url);
      await using frozen = await RunningDaemon.start(site);
      await using successor = await RunningDaemon.start(site, []);
      await successor.logged(/this one stands by/);
      const batch = campaign.batch();
      await campaign.drop(phase === 'stage' ? batch.map((record) => ({ ...record, padding: PADDING })) : batch);
      await gate.reached();
      frozen.freeze();
      await gate.open();
      await gate.close();
      await successor.logged(ON_DUTY);
      await gate.reached();
      frozen.thaw();
      await frozen.logged(/Another process has taken over the feed; this one stands by/);
      await gate.open();
      await campaign.expectUndisturbed(await successor.runEnds(1), batch);
      expect(successor.log.filter(({ level }) => level === 'error')).to.deep.equal([]);
    });
  }

  it('make one run of each batch, by one of them; the other takes over when that one is killed', async () => {
    // Nothing waits for its end here, and a machine that is busy must not bring it about.
    await using campaign = await CampaignSite.open({ config: { leaseSeconds: 10 } });
    const { site } = campaign;
    await using gate = await Gate.at('apply', campaign.url);
    await gate.open();
    await using one = await RunningDaemon.start(site, []);
    await using two = await RunningDaemon.start(site, []);
    const [onDuty, standingBy] = await Promise.race([
      one.logged(ON_DUTY).then(() => [one, two] as const),
      two.logged(ON_DUTY).then(() => [two, one] as const),
    ]);
    await standingBy.logged(/this one stands by/);
    for (let count = 1; count <= 3; count++) {
      const batch = campaign.batch().filter((record) => record !== GATE_RECORD);
      await campaign.drop(batch);
      await campaign.expectUndisturbed(await onDuty.runEnds(count), batch);
    }
    await gate.close();
    const batch = campaign.batch();
    await campaign.drop(batch);
    await gate.reached();
    expect(standingBy.log.filter(({ run }) => run !== undefined)).to.deep.equal([]);
    await onDuty.kill();
    await gate.open();
    await campaign.expectUndisturbed(await standingBy.runEnds(4), batch);
  });
});
