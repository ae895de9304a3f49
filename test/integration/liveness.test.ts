import { expect } from 'chai';
import { join } from 'node:path';
import { sqlDirectory } from '../../src/app.js';
import { Database } from '../../src/db/database.js';
import { CopyInto } from '../../src/db/copy.js';
import { Queries } from '../../src/db/queries.js';
import { isRetryable } from '../../src/db/sqlstate.js';
import { OwnPostgres } from '../support/own-postgres.js';

const LIVENESS = { patienceMs: 600, answerMs: 300, attempts: 2 };

describe('A Postgres that is frozen', function () {
  this.timeout(60_000);

  it('does not hold up a query or a COPY for ever, and is used again when it is back', async () => {
    await using server = await OwnPostgres.open();
    const database = new Database(
      { url: server.url, poolSize: 4, liveness: LIVENESS },
      Queries.load(join(sqlDirectory(), 'sync')),
    );
    try {
      await database.query('create table lines (line text)');
      const failures = await database.withConnection(async (connection) => {
        await connection.client.query('begin');
        const copy = new CopyInto(connection, 'copy lines from stdin');
        await copy.write(new TextEncoder().encode('one\n'));
        server.freeze();
        const query = database.query('select 1').then(
          () => undefined,
          (error: unknown) => error,
        );
        const end = copy.end().then(
          () => undefined,
          (error: unknown) => error,
        );
        return Promise.all([query, end]);
      });
      for (const failure of failures) expect(isRetryable(failure), String(failure)).to.equal(true);
      server.thaw();
      expect(await database.query('select count(*) as count from lines')).to.deep.equal([{ count: 0 }]);
    } finally {
      server.thaw();
      await database.close();
    }
  });

  it('is told from one that only takes its time', async () => {
    await using server = await OwnPostgres.open();
    const database = new Database(
      { url: server.url, poolSize: 4, liveness: { ...LIVENESS, answerMs: 2000 } },
      Queries.load(join(sqlDirectory(), 'sync')),
    );
    try {
      expect(await database.query('select 1 as one from pg_sleep(3)')).to.deep.equal([{ one: 1 }]);
    } finally {
      await database.close();
    }
  });
});
