import { expect } from 'chai';
import type { Connection } from '../../src/db/database.js';
import { stageTable } from '../../src/db/queries.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';

/** Large and many: Postgres, which has not counted them, goes by the size of the table and expects several of each. */
const ROWS = 60_000;

async function planOf(connection: Connection, statement: string, params: readonly unknown[]): Promise<string> {
  const rows = await connection.query<{ 'QUERY PLAN': string }>(`explain ${statement}`, params);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

describe('Just after many users came, before Postgres has counted them,', () => {
  let test: TestDatabase;

  before(async () => {
    test = await createTestDatabase();
    // Postgres must not count them in the middle.
    for (const table of ['directory.object', 'sync.feed_user']) {
      await test.administrator.database.query(`alter table ${table} set (autovacuum_enabled = false)`);
    }
  });

  after(async () => {
    await test.drop();
  });

  it('objects are looked for by their owner', async () => {
    const stage = stageTable(1);
    const plan = await test.database.withConnection(async (connection) => {
      await connection.query(
        `insert into directory.object (types, origin, attributes, owner)
         select '{std:type:book}', 'book/0', jsonb_build_object('text', repeat('-', 1000)), number
         from generate_series(1, ${ROWS}) as number`,
      );
      await connection.run('plan/make-candidates', [], stage);
      await connection.query('begin');
      await connection.run('plan/make-dependents');
      const found = await planOf(connection, test.database.queryText('plan/place-dependents', stage), [
        'book',
        ['std:type:book'],
      ]);
      await connection.query('rollback');
      return found;
    });
    expect(plan.match(/ on object_owner /g)).to.have.length(2);
    // By its key only the one that a record loaded: without a condition it would be read from its beginning.
    expect(plan.match(/using object_pkey on object .*/g)).to.have.length(1);
    expect(plan).to.match(/using object_pkey on object .*\n +Index Cond: \(ref = /);
  });

  it('what a run planned and did not apply is looked for by its place in the plan', async () => {
    const { database } = test;
    await database.query(
      `insert into sync.change (run_id, ordinal, kind, username, after)
       select 1, number, 'add', 'user' || number, jsonb_build_object('text', repeat('-', 500))
       from generate_series(0, ${ROWS - 1}) as number`,
    );
    await test.administrator.database.query(
      `insert into sync.feed (name) values ('default');
       insert into sync.run (id, feed_id, source) overriding system value select 1, id, 'test' from sync.feed;
       insert into sync.chunk (run_id, first_ordinal, last_ordinal, is_block, applied_at)
       select 1, number * 300, number * 300 + 299, false, now() from generate_series(0, ${ROWS / 300 - 1}) as number`,
    );
    const plan = (): Promise<string> =>
      database.withConnection((connection) => planOf(connection, database.queryText('apply/withhold-unapplied'), [1]));
    const before = await plan();
    await test.administrator.database.query('analyze sync.change, sync.chunk');
    for (const found of [before, await plan()]) {
      expect(found).to.match(/change_pkey.*\n +Index Cond: \(\(run_id = .* AND \(ordinal >= .* AND \(ordinal <= /);
      expect(found).to.match(/change_pkey.*\n +Index Cond: \(\(run_id = .* AND \(ordinal = ANY /);
      expect(found).not.to.include('Seq Scan on change');
    }
  });

  it('records are looked for by their username', async () => {
    const plan = await test.database.withConnection(async (connection) => {
      await connection.query(
        `insert into sync.feed_user (username, feed_id, account_id, digest, in_feed, since_run, changed_run, record_digest, given)
         select 'user' || number, 1, number, gen_random_uuid(), true, 1, 1, gen_random_uuid(), '\\x00'
         from generate_series(1, ${ROWS}) as number`,
      );
      const usernames = Array.from({ length: 500 }, (_, index) => `user${index}`);
      const digests = usernames.map(() => '00000000-0000-0000-0000-000000000000');
      return planOf(connection, test.database.queryText('lookup/recognise'), [1, usernames, digests]);
    });
    expect(plan).to.match(/Index Scan using feed_user_pkey on feed_user .*\n +Index Cond: \(username = asked/);
    expect(plan).not.to.include('Seq Scan');
  });
});
