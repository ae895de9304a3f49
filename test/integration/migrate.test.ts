import { expect } from 'chai';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sqlDirectory } from '../../src/app.js';
import { migrate, migrationStatus } from '../../src/db/migrate.js';
import { createEmptyDatabase, type TestDatabase } from '../support/postgres.js';
import { temporaryFolder } from '../support/temporary-folder.js';

describe('Migrating', () => {
  let test: TestDatabase;

  beforeEach(async () => {
    test = await createEmptyDatabase();
  });

  afterEach(async () => {
    await test.drop();
  });

  /** A copy of the SQL of this version, to change. */
  async function withSql(work: (directory: string) => Promise<void>): Promise<void> {
    await using folder = await temporaryFolder();
    await cp(sqlDirectory(), folder.path, { recursive: true });
    await work(folder.path);
  }

  it('says what is to be done, does it once, and then has nothing to do', async () => {
    const before = await migrationStatus(test.database, sqlDirectory());
    expect(before.applied).to.deep.equal([]);
    expect(await migrate(test.database, sqlDirectory())).to.deep.equal(before.pending);
    expect(await migrate(test.database, sqlDirectory())).to.deep.equal([]);
    expect(await migrationStatus(test.database, sqlDirectory())).to.deep.equal({
      applied: before.pending,
      pending: [],
    });
  });

  it('is done by one process when several begin at once', async () => {
    const results = await Promise.all([1, 2, 3].map(() => migrate(test.database, sqlDirectory())));
    expect(results.filter((applied) => applied.length > 0)).to.have.length(1);
  });

  it('refuses a database that a newer version has migrated', async () => {
    await migrate(test.database, sqlDirectory());
    await test.database.query(`insert into sync.migration (name, checksum) values ('migrations/9999-later.sql', 'x')`);
    const error = await migrate(test.database, sqlDirectory()).catch((thrown: unknown) => thrown);
    expect(error).to.have.property('code', 'schema-newer');
  });

  it('refuses a migration whose text was changed after it was applied', async () => {
    await migrate(test.database, sqlDirectory());
    await withSql(async (directory) => {
      const path = join(directory, 'migrations', '0001-directory.sql');
      await writeFile(path, `${await readFile(path, 'utf8')}\n-- more`);
      const error = await migrate(test.database, directory).catch((thrown: unknown) => thrown);
      expect(error).to.have.property('code', 'migration-changed');
    });
  });

  it('makes views and functions anew when their text changed', async () => {
    await migrate(test.database, sqlDirectory());
    await withSql(async (directory) => {
      const path = join(directory, 'views', 'directory.sql');
      await writeFile(path, `${await readFile(path, 'utf8')}\ncomment on view directory.users is 'changed';`);
      expect(await migrate(test.database, directory)).to.deep.equal(['views/directory.sql']);
    });
    const [view] = await test.database.query<{ comment: string }>(
      `select obj_description('directory.users'::regclass) as comment`,
    );
    expect(view?.comment).to.equal('changed');
  });

  it('changes nothing at all when one of the files fails, and names the file', async () => {
    await withSql(async (directory) => {
      await writeFile(
        join(directory, 'migrations', '0003-broken.sql'),
        'create table sync.half (id int); select 1 / 0;',
      );
      const error = await migrate(test.database, directory).catch((thrown: unknown) => thrown);
      expect(error).to.have.property('code', 'migration-failed');
      expect(error).to.have.property('message').that.includes('migrations/0003-broken.sql');
    });
    const { applied } = await migrationStatus(test.database, sqlDirectory());
    expect(applied).to.deep.equal([]);
  });
});
