import { expect } from 'chai';
import { runTotals } from '../../src/db/run-totals.js';
import { SyncHarness, APPROVAL, person } from '../support/sync.js';

/** An error on a value that no user needs. */
const WRONG_VALUE = { HOMEPAGE: 'no url at all' };

describe('Rejected records', () => {
  it('are counted by what rejects them, each once, and nothing else is', async () => {
    await using shipped = await SyncHarness.open({ guards: { 'first-run': 'on' } });
    const harness = shipped.withControl((text) => text.replace('"staff":', '"guest": "no group", "staff":'));
    await harness.sync([person('theirs')], { feed: 'other', approval: APPROVAL });
    await harness.rows(
      `insert into directory.account (email, name_first, name_last) values ('hand@example.org', 'A', 'B')`,
    );
    await harness.administer(`alter table directory.account add constraint no_nine check (name_last <> 'NINE')`);
    const batch = [
      person('ada'),
      person('accepted', WRONG_VALUE),
      person('mail', { ...WRONG_VALUE, EMAIL: 'none' }),
      // Found before the value that is wrong.
      person('group', { ROLE: 'guest', ...WRONG_VALUE }),
      person('ada', WRONG_VALUE),
      // Rejected, and a duplicate.
      person('mail', { EMAIL: 'none' }),
      person('nobody', { ...WRONG_VALUE, USERNAME: '' }),
      person('theirs', WRONG_VALUE),
      person('hand', WRONG_VALUE),
      person('nine', WRONG_VALUE),
      person('deep', { DEEP: 'deep' }),
      person('large', { LARGE: 'large' }),
    ];
    const text = JSON.stringify(batch)
      .replace('"deep"}', `${'['.repeat(100)}${']'.repeat(100)}}`)
      .replace('"large"}', '1e400}');
    const held = await harness.sync(text);
    expect(held.status).to.equal('held');
    const run = await harness.execute(held.id, { approval: APPROVAL });
    const rejected = {
      database: 1,
      'duplicate-username': 1,
      'invalid-number': 1,
      'missing-username': 1,
      'missing-value': 2,
      'not-owned': 1,
      'other-feed': 1,
      'too-deep': 1,
      'unknown-group': 1,
    };
    expect(await rejectedIn(harness)).to.deep.equal(rejected);
    expect(run.counts.rejected).to.equal(Object.values(rejected).reduce((sum, count) => sum + count, 0));
    expect(run.errors).to.be.greaterThan(run.counts.rejected);
    const failed = await harness.sync('[{').catch((error: unknown) => error);
    expect(failed).to.have.property('code', 'truncated-file');
    expect(await rejectedIn(harness)).to.deep.equal(rejected);
    // Without anything new nothing is read, and nothing rejected once more.
    await harness.sync([person('ada')], { approval: APPROVAL });
    expect((await harness.sync([person('ada')])).outcome).to.equal('nothing-new');
    expect(await rejectedIn(harness)).to.deep.equal(rejected);
  });
});

async function rejectedIn({ database }: SyncHarness): Promise<Record<string, number>> {
  const { rejected } = await runTotals(database);
  return Object.fromEntries(
    rejected.filter(({ feed }) => feed === 'default').map(({ reason, records }) => [reason, records]),
  );
}
