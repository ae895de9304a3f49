import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { sqlDirectory } from '../../src/app.js';
import { Database } from '../../src/db/database.js';
import { openEmbeddedPostgres } from '../../src/db/embedded.js';
import { CopyInto } from '../../src/db/copy.js';
import { Queries } from '../../src/db/queries.js';
import { isRetryable } from '../../src/db/sqlstate.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { chmod } from 'node:fs/promises';

const LIVENESS = { patienceMs: 600, answerMs: 300, attempts: 2 };

/** The server and all its processes: each connection has one. */
function processesOf(directory: string): number[] {
  const all = execFileSync('ps', ['-eo', 'pid,ppid,args'], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((match) => match !== null);
  const server = all.find(([, , , args]) => args?.includes(`-D ${directory}`) || args?.includes(directory));
  if (server === undefined) throw new Error(`no Postgres runs on ${directory}`);
  const root = Number(server[1]);
  return [root, ...all.filter(([, , parent]) => Number(parent) === root).map(([, pid]) => Number(pid))];
}

function signal(pids: readonly number[], name: 'SIGSTOP' | 'SIGCONT'): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It ended meanwhile.
    }
  }
}

describe('A Postgres that is frozen', function () {
  this.timeout(60_000);

  it('does not hold up a query or a COPY for ever, and is used again when it is back', async () => {
    await using folder = await temporaryFolder();
    await chmod(folder.path, 0o755);
    const directory = join(folder.path, 'postgres');
    const server = await openEmbeddedPostgres(directory);
    const database = new Database(
      { url: server.url, poolSize: 4, liveness: LIVENESS },
      Queries.load(join(sqlDirectory(), 'sync')),
    );
    let frozen: number[] = [];
    try {
      await database.query('create table lines (line text)');
      const failures = await database.withConnection(async (connection) => {
        await connection.client.query('begin');
        const copy = new CopyInto(connection, 'copy lines from stdin');
        await copy.write(new TextEncoder().encode('one\n'));
        frozen = processesOf(directory);
        signal(frozen, 'SIGSTOP');
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
      signal(frozen, 'SIGCONT');
      frozen = [];
      expect(await database.query('select count(*) as count from lines')).to.deep.equal([{ count: 0 }]);
    } finally {
      signal(frozen, 'SIGCONT');
      await database.close();
      await server.close();
    }
  });

  it('is told from one that only takes its time', async () => {
    await using folder = await temporaryFolder();
    await chmod(folder.path, 0o755);
    const server = await openEmbeddedPostgres(join(folder.path, 'postgres'));
    const database = new Database(
      { url: server.url, poolSize: 4, liveness: LIVENESS },
      Queries.load(join(sqlDirectory(), 'sync')),
    );
    try {
      expect(await database.query('select 1 as one from pg_sleep(3)')).to.deep.equal([{ one: 1 }]);
    } finally {
      await database.close();
      await server.close();
    }
  });
});
