import { expect } from 'chai';
import { stageTable } from '../../src/db/queries.js';
import { createTestDatabase } from '../support/postgres.js';

/** Large and many: Postgres, which has not counted them, goes by the size of the table and expects several of each owner. */
const OBJECTS = 60_000;

describe('Objects of users', () => {
  it('are looked for by their owner, also when Postgres knows nothing of them yet', async () => {
    const test = await createTestDatabase();
    try {
      const plan = await test.database.withConnection(async (connection) => {
        const stage = stageTable(1);
        await connection.query(
          `insert into directory.object (types, origin, attributes, owner)
           select '{std:type:book}', 'book/0', jsonb_build_object('text', repeat('-', 1000)), number from generate_series(1, ${OBJECTS}) as number`,
        );
        await connection.run('plan/make-candidates', [], stage);
        await connection.query('begin');
        await connection.run('plan/make-dependents');
        const rows = await connection.query<{ 'QUERY PLAN': string }>(
          `explain ${test.database.queryText('plan/place-dependents', stage)}`,
          ['book', ['std:type:book']],
        );
        await connection.query('rollback');
        return rows.map((row) => row['QUERY PLAN']).join('\n');
      });
      expect(plan.match(/ on object_owner /g)).to.have.length(2);
      // By its key only the one that a record loaded: without a condition it would be read from its beginning.
      expect(plan.match(/using object_pkey on object .*/g)).to.have.length(1);
      expect(plan).to.match(/using object_pkey on object .*\n +Index Cond: \(ref = /);
    } finally {
      await test.drop();
    }
  });
});
