import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { person, Site } from '../../support/cli.js';
import { eventually } from '../../support/eventually.js';
import { RunningDaemon } from '../../support/running-daemon.js';

/** What the two files of a batch have, day by day. */
const DAYS = [1, 2, 3].map((day) => ({
  users: JSON.stringify([person(1, { JOB_TITLE: `Reader ${day}` })]),
  roles: JSON.stringify([person(2, { JOB_TITLE: `Dean ${day}` })]),
}));
/** Senders may keep the time of their own file. */
const THEIR_TIME = new Date('2026-11-25T03:00:00Z');

describe('A file that was recorded, and was not removed before the daemon was killed', function () {
  this.timeout(60_000);

  for (const [when, leave] of [
    ['before it was removed', () => Promise.resolve()],
    ['while it was removed', aside],
  ] as const) {
    it(`is of no other batch than its own when it is told again: ${when}`, async () => {
      // The run has begun by the time at which the file has settled again.
      await using site = await Site.open({ feed: { settleMs: 1000, scanIntervalMs: 200, guards: 'off' } });
      const files = { users: { read: 'json' }, roles: { read: 'json' } };
      await site.write('control.json', JSON.stringify({ ...(await site.control()), files }));
      const drop = join(site.folder, 'var', 'drop', 'default');
      const [first, second, third] = DAYS as [Day, Day, Day];
      const isEmpty = (): Promise<true> =>
        eventually('an empty directory', async () => (await readdir(drop)).length === 0 || undefined);

      await using killed = await RunningDaemon.start(site);
      await mkdir(drop, { recursive: true });
      await put(drop, 'users', first.users);
      await killed.logged(/^Received users.json/);
      await isEmpty();
      const lock = await lockLog(site);
      try {
        await put(drop, 'roles', first.roles);
        await eventually('the record', async () => (await site.query('select from sync.run where queued'))[0]);
        await killed.kill();
      } finally {
        await lock.end();
      }
      expect(await readdir(drop)).to.deep.equal(['roles.json']);
      await leave(drop);

      await using daemon = await RunningDaemon.start(site);
      expect((await daemon.runEnds(1)).status).to.equal('complete');
      await isEmpty();
      for (const [index, { users, roles }] of [second, { ...third, roles: second.roles }].entries()) {
        await put(drop, 'users', users);
        await isEmpty();
        await put(drop, 'roles', roles);
        await isEmpty();
        expect((await daemon.runEnds(index + 2)).status).to.equal('complete');
      }
      expect(await batches(site)).to.deep.equal([
        { users: digest(first.users), roles: digest(first.roles) },
        { users: digest(second.users), roles: digest(second.roles) },
        // The same bytes on purpose, with the same time.
        { users: digest(third.users), roles: digest(second.roles) },
      ]);
    });
  }
});

type Day = (typeof DAYS)[number];

/** As it is in the moment before it is gone. */
async function aside(drop: string): Promise<void> {
  await mkdir(join(drop, '.user-sync-killed'));
  await rename(join(drop, 'roles.json'), join(drop, '.user-sync-killed', 'roles.json'));
}

async function put(drop: string, name: string, content: string): Promise<void> {
  const written = join(drop, `.${name}`);
  await writeFile(written, content);
  await utimes(written, THEIR_TIME, THEIR_TIME);
  await rename(written, join(drop, `${name}.json`));
}

/** Holds the daemon where a file is on record, and the run's log is to say so. */
async function lockLog(site: Site): Promise<Client> {
  const client = new Client({ connectionString: site.testDatabase.administrator.url });
  await client.connect();
  await client.query('begin; lock table sync.run_log in exclusive mode');
  return client;
}

function digest(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

async function batches(site: Site): Promise<object[]> {
  const rows = await site.query<{ files: object }>(
    `select jsonb_object_agg(name, digest) as files from sync.run_file group by run_id order by run_id`,
  );
  return rows.map(({ files }) => files);
}
