import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import { ensureFeed } from '../../src/db/feeds.js';
import { Lease, leaseHolder } from '../../src/db/lease.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { WAITED_FOR_HERE } from '../support/lock-waits.js';

describe('The lease of a feed', () => {
  let test: TestDatabase;

  beforeEach(async () => {
    test = await createTestDatabase();
  });

  afterEach(async () => {
    await test.drop();
  });

  it('is held by one process at a time, and free again when released', async () => {
    const feed = await ensureFeed(test.database, 'default');
    const first = await Lease.acquire(test.database, feed, 'one', 60_000);
    expect(await Lease.acquire(test.database, feed, 'two', 60_000)).to.equal(undefined);
    const other = await ensureFeed(test.database, 'other');
    const ofOther = await Lease.acquire(test.database, other, 'two', 60_000);
    expect(ofOther).to.not.equal(undefined);
    await first?.release();
    const second = await Lease.acquire(test.database, feed, 'two', 60_000);
    expect(second?.token).to.be.greaterThan(first?.token ?? Infinity);
    await second?.release();
    await ofOther?.release();
  });

  it('is taken at once from a process of this machine that is gone, not from one that lives', async () => {
    const feed = await ensureFeed(test.database, 'default');
    const gone = spawnSync(process.execPath, ['--eval', '']).pid;
    await Lease.acquire(test.database, feed, `${hostname()}:${gone}:x`, 60_000);
    const second = await Lease.acquire(test.database, feed, leaseHolder(), 60_000);
    expect(second).to.not.equal(undefined);
    expect(await Lease.acquire(test.database, feed, 'two', 60_000)).to.equal(undefined);
    await second?.release();
    await Lease.acquire(test.database, feed, `another-machine:${gone}:x`, 60_000);
    expect(await Lease.acquire(test.database, feed, 'two', 60_000)).to.equal(undefined);
  });

  it('stops who overslept inside the transaction that would write', async () => {
    const feed = await ensureFeed(test.database, 'default');
    const asleep = await Lease.acquire(test.database, feed, 'one', 60_000);
    await test.database.query(`update sync.feed set lease_expires_at = now() - interval '1 second'`);
    const successor = await Lease.acquire(test.database, feed, 'two', 60_000);
    expect(successor).to.not.equal(undefined);
    const write = test.database.transaction(async (connection) => {
      await asleep?.assertHeld(connection);
      await connection.query(`insert into directory.account (email) values ('late@example.org')`);
    });
    expect(await write.catch((error: unknown) => error)).to.have.property('code', 'lease-lost');
    // Its heartbeat and its release are no harm to the successor.
    await asleep?.renew(60_000);
    await asleep?.release();
    const [row] = await test.database.query<{ holder: string }>('select lease_holder as holder from sync.feed');
    expect(row?.holder).to.equal('two');
    expect(await test.database.query('select * from directory.account')).to.have.length(0);
    await successor?.release();
  });

  it('cannot be taken over while a transaction under it is still writing', async () => {
    const feed = await ensureFeed(test.database, 'default');
    const first = await Lease.acquire(test.database, feed, 'one', 60_000);
    await test.database.query(`update sync.feed set lease_expires_at = now() - interval '1 second'`);
    const order: string[] = [];
    let takeOver: Promise<Lease | undefined> | undefined;
    await test.database.transaction(async (connection) => {
      await first?.assertHeld(connection);
      takeOver = Lease.acquire(test.database, feed, 'two', 60_000).then((lease) => {
        order.push('taken over');
        return lease;
      });
      // The successor waits for our commit, and the heartbeat does not.
      for (let waits = false; !waits;) {
        const [row] = await test.database.query<{ waits: boolean }>(
          `select exists (${WAITED_FOR_HERE} and locktype = 'advisory') as waits`,
        );
        waits = row?.waits === true;
      }
      await first?.renew(-1000);
      order.push('written');
    });
    await takeOver?.then((lease) => lease?.release());
    expect(order[0]).to.equal('written');
    await first?.release();
  });
});
