import { expect } from 'chai';
import { Lease } from '../../src/db/lease.js';
import { people, Site } from '../support/cli.js';

describe('Approving while another process works on the feed', function () {
  this.timeout(60_000);

  it('puts the approval on record, says who applies it, and leaves the run held until then', async () => {
    await using site = await Site.open();
    await site.sync(people(30));
    const { database } = site.testDatabase;
    const lease = await Lease.acquire(database, { id: 1, name: 'default' }, 'elsewhere:1:x', 60_000);
    const { code, stdout } = await site.call('approve', '1', '--reason', 'looks right');
    expect(stdout).to.include('the daemon that looks after the feed applies it next');
    expect(code).to.equal(0);
    const runs = await site.query('select status, approved_by, approval_reason from sync.run');
    expect(runs).to.deep.equal([{ status: 'held', approved_by: 'command line', approval_reason: 'looks right' }]);
    await lease?.release();
    const again = await site.call('approve', '1', '--reason', 'nobody did');
    expect(again.code).to.equal(0);
    expect(await site.query('select status from sync.run')).to.deep.equal([{ status: 'complete' }]);
  });
});
