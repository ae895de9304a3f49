import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { chown, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { postgresIdentity } from '../../../src/db/embedded-binaries.js';
import { plainDirectory } from '../../support/campaign.js';
import { CampaignSite } from '../../support/campaign-site.js';
import { OwnPostgres } from '../../support/own-postgres.js';
import { RunningDaemon } from '../../support/running-daemon.js';
import { missingForSmallDisk, SmallDisk } from '../../support/small-disk.js';
import { describeWherePossible } from '../../support/where-possible.js';

/** Some megabytes more than the batch, which nothing can compress. */
function padded(batch: readonly object[]): object[] {
  return batch.map((record) => ({ ...record, padding: randomBytes(25_000).toString('base64') }));
}

/** @param count undefined: as many as usual */
function limitOpenFiles(pid: number, count = 4096): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${count}:`]);
}

describeWherePossible(missingForSmallDisk(), 'When there is no room, a daemon', function () {
  this.timeout(120_000);

  it('fails the run that does not fit into Postgres, says so, and applies the next when there is', async () => {
    await using postgres = await OwnPostgres.open();
    await using campaign = await CampaignSite.open({ database: await postgres.database() });
    await using disk = await smallTablespace(postgres, '1m');
    await postgres.execute(`alter database ${new URL(campaign.url).pathname.slice(1)} set default_tablespace to small`);
    await using daemon = await RunningDaemon.start(campaign.site);
    const batch = campaign.batch();
    await campaign.drop(padded(batch));
    const failed = await daemon.runEnds(1);
    expect(failed).to.include({ status: 'failed', failureCode: 'database-full' });
    expect(failed.failureMessage).to.match(/no disk space/);
    expect(await campaign.site.directory()).to.deep.equal([]);
    await disk.enlarge('64m');
    await campaign.drop(padded(batch));
    await campaign.expectUndisturbed(await daemon.runEnds(2), batch);
  });

  it('keeps what it applied until Postgres was full, says so to those who follow, and does the rest when there is room', async () => {
    await using postgres = await OwnPostgres.open();
    await using campaign = await CampaignSite.open({ database: await postgres.database() });
    const { site } = campaign;
    await using disk = await smallTablespace(postgres, '600k');
    // What is received is kept chunk by chunk, with what was applied.
    await site.administer('alter table sync.received set tablespace small');
    await using daemon = await RunningDaemon.start(site);
    const batch = campaign.batch();
    await campaign.drop(padded(batch));
    const failed = await daemon.runEnds(1);
    expect(failed).to.include({ status: 'failed', failureCode: 'database-full' });
    const applied = await site.directory();
    expect(applied).to.have.length.within(1, batch.length - 1);
    expect(await site.query(`select from directory.changes where kind = 'add'`)).to.have.length(applied.length);
    await disk.enlarge('64m');
    await campaign.drop(padded(batch));
    const ended = await daemon.runEnds(2);
    const expected = await campaign.reference.sync(batch);
    expect(ended).to.include({ status: 'complete' });
    expect(ended.counts.added).to.equal((expected.counts.added ?? 0) - applied.length);
    expect(await plainDirectory(site.testDatabase.database)).to.deep.equal(
      await plainDirectory(campaign.reference.database),
    );
  });

  it('warns of a file for which the store has none, leaves it where it is, and takes it when there is', async () => {
    await using campaign = await CampaignSite.open();
    await using disk = await SmallDisk.mount(join(campaign.site.folder, 'var', 'store'), '400k');
    await using daemon = await RunningDaemon.start(campaign.site);
    const batch = campaign.batch();
    await campaign.drop(padded(batch));
    await daemon.logged(/the disk is full/);
    expect(await readdir(campaign.dropDirectory)).to.deep.equal(['users.json']);
    expect(await daemon.runs()).to.deep.equal([]);
    await disk.enlarge('64m');
    await campaign.expectUndisturbed(await daemon.runEnds(1), batch);
  });

  it('warns of too many open files, lives, and goes on when it may open more', async () => {
    await using campaign = await CampaignSite.open();
    await using daemon = await RunningDaemon.start(campaign.site);
    await daemon.logged(/is in force now/);
    limitOpenFiles(daemon.pid, await lowestFree(daemon.pid));
    const batch = campaign.batch();
    await campaign.drop(batch);
    await daemon.logged(/too many open files/);
    limitOpenFiles(daemon.pid);
    await campaign.expectUndisturbed(await daemon.runEnds(1), batch);
  });
});

/** Where the daemon may make tables, on a disk of its own. */
async function smallTablespace(postgres: OwnPostgres, size: string): Promise<SmallDisk> {
  const disk = await SmallDisk.mount(join(postgres.directory, 'small'), size);
  const owner = await postgresIdentity();
  if (owner !== undefined) await chown(disk.path, owner.uid, owner.gid);
  await postgres.execute(
    `create tablespace small location '${disk.path}'`,
    'grant create on tablespace small to public',
  );
  return disk;
}

/** The lowest number that no open file has, while a daemon scans: below it none can be opened. */
async function lowestFree(pid: number): Promise<number> {
  let lowest = Infinity;
  for (let look = 0; look < 40; look += 1) {
    const open = new Set(readdirSync(`/proc/${pid}/fd`));
    let free = 0;
    while (open.has(String(free))) free += 1;
    lowest = Math.min(lowest, free);
    await delay(25);
  }
  return lowest;
}
