import { expect } from 'chai';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { principalOfKey } from '../../src/access/keys.js';
import { checkSignIn } from '../../src/access/operators.js';
import { sqlDirectory } from '../../src/app.js';
import type { Database } from '../../src/db/database.js';
import { migrate } from '../../src/db/migrate.js';
import { packageRoot } from '../../src/lib/package-root.js';
import { submitRevert } from '../../src/sync/revert.js';
import { execute } from '../support/database-roles.js';
import { createEmptyDatabase, type TestDatabase } from '../support/postgres.js';
import { APPROVAL, SyncHarness } from '../support/sync.js';

/**
 * Databases as earlier versions left them, dumped from Postgres: three runs of four people, one of whom left, an account made
 * by hand, and a third run that is held. Later ones also have what operators set by then.
 */
const DUMPS = join(packageRoot(), 'test', 'support', 'earlier');

/** What a run of the same people does after the upgrade: those who are pinned since are updated. */
const VERSIONS = [
  { schema: '0002', approved: { added: 1, updated: 1, unchanged: 2 }, blocked: ['bob', 'cy'] },
  { schema: '0004', approved: { added: 1, updated: 2, unchanged: 1 }, blocked: ['bob'] },
  { schema: '0006', approved: { added: 1, updated: 2, unchanged: 1 }, blocked: ['bob'] },
] as const;

const HELD_RUN = 3;

describe('A database of an earlier version', () => {
  for (const { schema, approved, blocked } of VERSIONS) {
    describe(`with the schema of ${schema}`, () => {
      let test: TestDatabase;
      let before: object;

      beforeEach(async () => {
        test = await createEmptyDatabase();
        await execute(test.url, await readFile(join(DUMPS, `${schema}.sql`), 'utf8'));
        before = await contents(test.database);
      });

      afterEach(async () => {
        await test.drop();
      });

      it('is brought up to date with everything that is in it', async () => {
        const applied = await migrate(test.database, sqlDirectory());
        const files = (await readdir(join(sqlDirectory(), 'migrations'))).sort();
        const missing = files.filter((name) => name.slice(0, schema.length) > schema);
        expect(applied.filter((name) => name.startsWith('migrations/'))).to.deep.equal(
          missing.map((name) => `migrations/${name}`),
        );
        expect(await contents(test.database)).to.deep.equal(before);
      });

      it('then applies the run that was held, and the next batch', async () => {
        await migrate(test.database, sqlDirectory());
        await using harness = await SyncHarness.open({ database: test.database });
        await harness.context.store.putPath(join(DUMPS, 'held.json'), Number.MAX_SAFE_INTEGER);
        const held = await harness.execute(HELD_RUN, { approval: APPROVAL });
        expect(held).to.include({ status: 'complete', outcome: 'applied' });
        expect(held.counts).to.include({ ...approved, blocked: 0, rejected: 0 });
        const batch = JSON.parse(await readFile(join(DUMPS, 'held.json'), 'utf8')) as { USERNAME: string }[];
        expect((await harness.sync(batch)).counts).to.include({ unchanged: 4, updated: 0, rejected: 0 });
        const next = await harness.sync(batch.filter(({ USERNAME }) => !['bob', 'cy'].includes(USERNAME)));
        expect(next.counts).to.include({ unchanged: 2, updated: 0, added: 0 });
        expect(await blockedIn(test.database, next.id)).to.deep.equal(blocked);
      });
    });
  }

  it('takes back what a run of the oldest version did', async () => {
    const test = await createEmptyDatabase();
    try {
      await execute(test.url, await readFile(join(DUMPS, '0002.sql'), 'utf8'));
      await migrate(test.database, sqlDirectory());
      await using harness = await SyncHarness.open({ database: test.database });
      const run = await harness.execute(await submitRevert(harness.context, 2, { by: 'test' }));
      expect(run.counts).to.include({ updated: 1, unblocked: 1, rejected: 0 });
    } finally {
      await test.drop();
    }
  });

  it('still lets in its keys and its people', async () => {
    const test = await createEmptyDatabase();
    try {
      await execute(test.url, await readFile(join(DUMPS, '0006.sql'), 'utf8'));
      await migrate(test.database, sqlDirectory());
      const now = new Date();
      const key = await principalOfKey(test.database, 'usersync_xPsDt7VOxdfbKqc3BpnB8qIe15GP9mg5XGSqwuBYMU8', now);
      expect(key?.actor).to.equal('key school office');
      const signIn = { name: 'ida', password: 'correct horse battery', now, address: '127.0.0.1' };
      expect(await checkSignIn(test.database, signIn)).to.include({ role: 'admin' });
    } finally {
      await test.drop();
    }
  });
});

/** All that every version knows, and what people and programs of later ones put beside it. */
async function contents(database: Database): Promise<object> {
  const tables = {
    users: `select username, email, title, name_first, name_last, is_active, in_feed, groups, tags, profile, profile_types
            from directory.users order by id`,
    changes: 'select id, run, username, kind, before, after from directory.changes order by id',
    runs: 'select id, status, outcome, counts, guards, control_id from sync.run order by id',
    files: 'select run_id, name, digest from sync.run_file order by 1, 2',
    control: 'select id, content from sync.control_file order by id',
    log: 'select id, level, code, message, username from sync.run_log order by id',
    received: 'select username, received.* from sync.received order by username',
    overrides: `select username, kind, name, value, reason from sync.override order by id`,
    keys: 'select * from sync.api_key order by id',
    operators: 'select * from sync.operator order by id',
    audit: 'select * from sync.audit order by id',
  };
  const found: Record<string, unknown> = {};
  for (const [name, query] of Object.entries(tables)) {
    const [, table = ''] = /from ([a-z]+\.[a-z_]+)/.exec(query) ?? [];
    const [there] = await database.query<{ there: boolean }>('select to_regclass($1) is not null as there', [table]);
    // What a version does not have is as if it were empty.
    found[name] = there?.there === true ? await database.query(query) : [];
  }
  return found;
}

async function blockedIn(database: Database, run: number): Promise<string[]> {
  const rows = await database.query<{ username: string }>(
    `select username from sync.change where run_id = $1 and kind = 'block' order by username`,
    [run],
  );
  return rows.map(({ username }) => username);
}
