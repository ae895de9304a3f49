import { expect } from 'chai';
import { cp, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { Site, people, type SiteOptions, type Synced } from '../support/cli.js';
import { fencesOf, readDocuments } from '../support/docs-markdown.js';
import { InstalledPostgres, missingForInstalledPostgres } from '../support/installed-postgres.js';
import { Shell } from '../support/tutorial.js';
import { describeWherePossible } from '../support/where-possible.js';

const page = readDocuments().get('docs/operations.md') ?? '';

/** The commands that the page shows, by what they have in them. */
function commandsWith(text: string): string {
  const fence = fencesOf(page).find((one) => one.info === 'sh' && one.text.includes(text));
  if (fence === undefined) throw new Error(`docs/operations.md shows no commands with ${text}`);
  return fence.text.trimEnd();
}

const OPTIONS: SiteOptions = { feed: { autoApply: false } };

describeWherePossible(missingForInstalledPostgres(), 'A backup with pg_dump', () => {
  let server: InstalledPostgres;
  /** Twenty people are in its directory, and a run that adds one more is held. */
  let site: Site;

  before(async () => {
    server = await InstalledPostgres.open();
    site = await Site.open({ ...OPTIONS, database: await server.createDatabase('users') });
    await site.sync(people(20), '--approve');
    expect((await site.sync(people(21))).code).to.equal(3);
    await type(site, commandsWith('pg_dump'));
  });

  after(async () => {
    await site[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  it('is restored as docs/operations.md says, with everybody, held runs and the last batch', async () => {
    await using restored = await emptySite('whole');
    await cp(join(site.folder, 'backup'), join(restored.folder, 'backup'), { recursive: true });
    const printed = await type(restored, commandsWith('pg_restore'));
    expect(printed).not.to.match(/error/i);
    expect(printed).to.match(/feed default +run 2 waits for a decision/);
    expect(await restored.directory()).to.deep.equal(await site.directory());
    const { code, stderr } = await restored.call('approve', '2', '--reason', 'restored');
    expect(code, stderr).to.equal(0);
    expect(outcome(await restored.sync(people(21)))).to.deep.include({ outcome: 'nothing-new' });
    expect((await restored.directory()).length).to.equal(21);
  });

  it('needs the store for runs that must be read again, and for nothing else', async () => {
    await using restored = await emptySite('lean');
    const dump = join(site.folder, 'lean.dump');
    const [exclude = ''] = /--exclude-table-data='[^']*'/.exec(page) ?? [];
    await type(site, `pg_dump ${exclude} --format=custom --file=${dump} "$DATABASE_URL"`);
    await type(restored, `pg_restore --no-owner --exit-on-error --dbname="$DATABASE_URL" ${dump}`);
    const refused = await restored.call('approve', '2', '--reason', 'without its file');
    expect(refused.code, refused.stderr).to.equal(1);
    expect(refused.stdout).to.contain('Send the batch again');
    expect(outcome(await restored.sync(people(20)))).to.deep.include({ outcome: 'nothing-new', unchanged: 20 });
    const later = await restored.sync(people(23), '--approve');
    expect(outcome(later)).to.deep.include({ outcome: 'applied', added: 3, unchanged: 20 });
  });

  async function emptySite(database: string): Promise<Site> {
    return Site.open({ ...OPTIONS, database: await server.createDatabase(database) });
  }

  /** Types commands in a site's folder; everything that they print. */
  async function type(at: Site, commands: string): Promise<string> {
    await using shell = new Shell(at.folder, {
      PATH: [server.binaries, await at.programFolder(), process.env['PATH'] ?? ''].join(delimiter),
      DATABASE_URL: at.testDatabase.url,
    });
    return shell.run(commands);
  }
});

describe('A backup of the embedded database', () => {
  it('is a copy of dataDir, as docs/operations.md says', async () => {
    await using site = await Site.open({ database: 'embedded' });
    await site.sync(people(5), '--approve');
    await using shell = new Shell(site.folder, { PATH: process.env['PATH'] });
    expect(await shell.run(commandsWith('backup-of-var'))).to.equal('');
    await rm(join(site.folder, 'var'), { recursive: true });
    await shell.run('mv backup-of-var var');
    expect(outcome(await site.sync(people(5)))).to.deep.include({ outcome: 'nothing-new', unchanged: 5 });
  });
});

function outcome({ report, stderr }: Synced): object {
  if (report === undefined) throw new Error(stderr);
  return { outcome: report.outcome, ...report.counts };
}
