import { expect } from 'chai';
import { join } from 'node:path';
import { sqlDirectory } from '../../src/app.js';
import { Database } from '../../src/db/database.js';
import { Queries } from '../../src/db/queries.js';
import { eventually } from '../support/eventually.js';
import { Gate } from '../support/gate.js';
import { SyncHarness, person } from '../support/sync.js';

/** Much less than what is waited for here. */
const CONNECT_MS = 300;

/** Answers late, so that whoever waits meanwhile waits for longer than a server may take to let somebody in. */
const LATE = 'select 1 as one from pg_sleep(1)';

describe('The connections of a process', function () {
  this.timeout(60_000);

  let harness: SyncHarness;
  let database: Database;

  /** An engine with few connections. */
  async function withPool(poolSize: number): Promise<SyncHarness> {
    harness = await SyncHarness.open();
    const { url } = harness.testDatabase;
    database = new Database({ url, poolSize, connectMs: CONNECT_MS }, Queries.load(join(sqlDirectory(), 'sync')));
    return harness.onDatabase(database);
  }

  afterEach(async () => {
    await database.close();
    await harness[Symbol.asyncDispose]();
  });

  it('are waited for while all are in use, which is not taken for a server that is away', async () => {
    await withPool(2);
    const answers = await Promise.all([LATE, LATE, 'select 1 as one'].map((query) => database.query(query)));
    expect(answers).to.deep.equal([[{ one: 1 }], [{ one: 1 }], [{ one: 1 }]]);
  });

  it('do not run out when a batch is planned on more than there are, and others get theirs meanwhile', async () => {
    const few = await withPool(4);
    await using gate = await Gate.at('changes', harness.testDatabase.administrator.url);
    // A page each in the staging table, so that there is work for five.
    const batch = Array.from({ length: 5100 }, (_, index) => person(`user${index}`, { STAMP: 'x'.repeat(7000) }));
    const run = few.sync(batch, { settings: { concurrency: 64, chunkSize: 5000 } });
    await Promise.race([gate.reached(), run]);
    expect(await database.query(LATE)).to.deep.equal([{ one: 1 }]);
    await gate.open();
    expect((await run).counts).to.include({ added: batch.length });
  });

  it('do not run out when several feeds apply on more than there are, and others get theirs meanwhile', async () => {
    const few = await withPool(4);
    const { administrator } = harness.testDatabase;
    const feeds = ['a', 'b', 'c'];
    const submitted: number[] = [];
    for (const feed of feeds) {
      await few.sync([person(`first-of-${feed}`)], { feed });
      const batch = Array.from({ length: 9 }, (_, index) => person(`${index}-of-${feed}`));
      submitted.push(await few.submit(batch, { feed }));
    }
    const runs = await administrator.database.transaction(async (blocking) => {
      await blocking.query('lock table directory.account in exclusive mode');
      const started = submitted.map((run) => few.execute(run, { settings: { concurrency: 9, chunkSize: 1 } }));
      await eventually('changes that wait to be applied', async () => {
        const waiting = await blocking.query(
          `select from pg_locks where relation = 'directory.account'::regclass and not granted`,
        );
        return waiting.length > 1 || undefined;
      });
      expect(await database.query(LATE)).to.deep.equal([{ one: 1 }]);
      return started;
    });
    for (const { counts } of await Promise.all(runs)) expect(counts).to.include({ added: 9, blocked: 1 });
  });
});
