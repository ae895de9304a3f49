import { expect } from 'chai';
import { CampaignSite } from '../../support/campaign-site.js';
import { Gate } from '../../support/gate.js';
import { RunningDaemon } from '../../support/running-daemon.js';

describe('A daemon that is told to end', function () {
  this.timeout(60_000);

  for (const [phase, when] of [
    ['stage', 'while it copies the batch'],
    ['plan', 'while it plans'],
    ['apply', 'in the middle of a chunk'],
  ] as const) {
    it(`${when} leaves with exit code 0, and the next one finishes the run`, async () => {
      await using campaign = await CampaignSite.open();
      await using gate = await Gate.at(phase, campaign.url);
      const ending = await RunningDaemon.start(campaign.site);
      const batch = campaign.batch();
      await campaign.drop(batch);
      await gate.reached();
      const ended = ending.stop();
      await ending.logged(/^Ending: /, null);
      await gate.open();
      const { code, stderr } = await ended;
      expect(code, stderr).to.equal(0);
      const [left] = await ending.runs();
      expect(left?.status).to.equal(phase === 'apply' ? 'applying' : 'planning');
      await using next = await RunningDaemon.start(campaign.site);
      await campaign.expectUndisturbed(await next.runEnds(1), batch);
    });
  }
});
