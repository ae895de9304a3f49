import { expect } from 'chai';
import { delimiter, join } from 'node:path';
import { Site } from '../support/cli.js';
import { findingsIn } from '../support/findings.js';
import { missingForSmallDisk, SmallDisk } from '../support/small-disk.js';
import { Shell } from '../support/tutorial.js';
import { describeWherePossible } from '../support/where-possible.js';

/** What doctor finds when a shell calls it, after other commands. */
async function afterwards(site: Site, commands = ''): Promise<ReturnType<typeof findingsIn>> {
  await using shell = new Shell(site.folder, {
    PATH: [await site.programFolder(), process.env['PATH'] ?? ''].join(delimiter),
    DATABASE_URL: site.testDatabase.url,
  });
  await shell.run(commands);
  return findingsIn(await shell.run('user-sync doctor --json'));
}

describe('doctor, of the machine', () => {
  it('warns of a process that may not open enough files', async () => {
    await using site = await Site.open();
    expect((await afterwards(site, 'ulimit -n 1024')).get('open files')?.ok).to.equal(true);
    expect((await afterwards(site, 'ulimit -n 300')).get('open files')).to.deep.equal({
      ok: false,
      message: 'only 300 allowed: LimitNOFILE=1024 in the unit, or ulimit -n.',
    });
  });

  it('warns of a clock that differs from that of the database', async () => {
    await using site = await Site.open();
    expect((await afterwards(site)).get('clock')?.ok).to.equal(true);
    const database = new URL(site.testDatabase.url).pathname.slice(1);
    await site.administer('create schema elsewhere');
    await site.administer(
      `create function elsewhere.clock_timestamp() returns timestamptz language sql
       return pg_catalog.clock_timestamp() + interval '1 hour'`,
    );
    await site.administer('grant usage on schema elsewhere to public');
    await site.administer(`alter database ${database} set search_path = elsewhere, pg_catalog`);
    const found = (await afterwards(site)).get('clock');
    expect(found?.ok).to.equal(false);
    expect(found?.message).to.match(/^differs by 36\d\d s from the database's: keep both in step with NTP$/);
  });
});

describeWherePossible(missingForSmallDisk(), 'doctor, of the machine', () => {
  it('warns of too little room for batches', async () => {
    await using site = await Site.open();
    const path = join(site.folder, 'var');
    await using disk = await SmallDisk.mount(path, '100m');
    const findings = await afterwards(site);
    for (const check of ['data directory', 'drop of default']) {
      expect(findings.get(check)?.ok, check).to.equal(false);
      expect(findings.get(check)?.message).to.match(/ only \d+ MiB free\. A batch needs several times its size\.$/);
    }
    await disk.enlarge('2g');
    expect((await afterwards(site)).get('data directory')).to.deep.include({ ok: true });
  });

  it('warns of too few watches for files, which scans make up for', async () => {
    await using site = await Site.open();
    for (const [check, name, few] of [
      ['file watcher', 'max_user_watches', '100'],
      ['file watchers', 'max_user_instances', '8'],
    ] as const) {
      await site.write(name, `${few}\n`);
      // For this shell alone.
      const hide = `exec unshare --mount bash\nmount --bind ${name} /proc/sys/fs/inotify/${name}`;
      const found = (await afterwards(site, hide)).get(check);
      expect(found?.ok, found?.message).to.equal(false);
      expect(found?.message).to.match(new RegExp(`^${name} is only ${few}: sysctl fs\\.inotify\\.${name}=\\d+\\.`));
    }
  });
});
