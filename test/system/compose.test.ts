import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/lib/package-root.js';
import { Site } from '../support/cli.js';
import { environmentOf, readCompose } from '../support/compose.js';
import { InstalledPostgres, missingForInstalledPostgres } from '../support/installed-postgres.js';
import { testDatabase } from '../support/postgres.js';
import { Shell } from '../support/tutorial.js';
import { describeWherePossible } from '../support/where-possible.js';

const VARIABLES = { POSTGRES_PASSWORD: 'ofTheOwner1', USER_SYNC_PASSWORD: "of the daemon's role" };

describeWherePossible(missingForInstalledPostgres(), 'The database of compose.yaml', () => {
  it('is made by its owner, and used by a daemon whose role owns nothing', async () => {
    await using server = await InstalledPostgres.open();
    const { services } = readCompose();
    const { postgres, migrate, 'user-sync': daemon } = services;
    const made = environmentOf(postgres!, VARIABLES);
    const { POSTGRES_USER: owner = '', POSTGRES_DB: name = '' } = made;
    // As the image of Postgres does, which then runs the script.
    await server.execute(`create role ${owner} login superuser`, `create database ${name} owner ${owner}`);
    const { hostname, port } = new URL(server.url(owner, name));
    const path = [server.binaries, process.env['PATH'] ?? ''].join(delimiter);
    await promisify(execFile)(join(packageRoot(), 'config', 'container', 'postgres', 'roles.sh'), {
      env: { ...made, PATH: path, PGHOST: hostname, PGPORT: port },
    });

    const here = (url = ''): { role: string; url: string } => {
      const { username, pathname } = new URL(url);
      return { role: username, url: server.url(username, pathname.slice(1)) };
    };
    const asOwner = here(environmentOf(migrate!, VARIABLES)['DATABASE_URL']);
    const asDaemon = here(environmentOf(daemon!, { ...VARIABLES, USER_SYNC_PASSWORD: 'x' })['DATABASE_URL']);
    expect([asOwner.role, asDaemon.role]).to.deep.equal([owner, 'user_sync_daemon']);
    const database = testDatabase(asDaemon.url, asOwner.url, 2, () => Promise.resolve());
    await using site = await Site.open({ database });
    await using shell = new Shell(site.folder, {
      PATH: [await site.programFolder(), path].join(delimiter),
      DATABASE_URL: asOwner.url,
    });
    expect(await shell.run(`user-sync ${migrate!.command!.join(' ')}; echo ended with $?`)).to.match(/ended with 0$/);
    const { code, stdout } = await site.call('doctor');
    expect(code, stdout).to.equal(0);
    expect(stdout).to.not.include('more than it needs');
    const [role] = await site.query<{ can: boolean }>(
      `select rolsuper or rolcreaterole or rolcreatedb as can from pg_roles where rolname = current_user`,
    );
    expect(role).to.deep.equal({ can: false });
  });
});
