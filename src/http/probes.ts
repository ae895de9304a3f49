import type { FastifyInstance } from 'fastify';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { sqlDirectory } from '../app.js';
import { migrationStatus } from '../db/migrate.js';
import { messageOf, UserSyncError } from '../lib/errors.js';
import { within } from '../lib/within.js';
import { UNLIMITED, type HttpContext } from './context.js';

const ANSWER_MS = 3000;
/** A scan that waits for a database that is away is no reason to end the process: it would wait just as well again. */
const SILENT_SCANS_MS = 10 * 60_000;

/** For whoever starts and stops the process: `/healthz` says whether it lives, `/readyz` whether it can work. */
export function registerProbes(server: FastifyInstance, context: HttpContext): void {
  const { app, daemon, draining } = context;

  server.get('/healthz', UNLIMITED, async (_request, reply) => {
    const stuck = daemon.feeds.filter(({ scanSilenceMs }) => scanSilenceMs > SILENT_SCANS_MS).map(({ feed }) => feed);
    return reply.code(stuck.length === 0 ? 200 : 503).send({ status: stuck.length === 0 ? 'ok' : 'stuck', stuck });
  });

  server.get('/readyz', UNLIMITED, async (_request, reply) => {
    const checks = {
      database: await outcome(checkDatabase(context)),
      directories: await outcome(checkDirectories(context)),
      accepting: draining.aborted ? 'the program is ending' : 'ok',
    };
    const isReady = Object.values(checks).every((check) => check === 'ok');
    if (!isReady) app.logger.warn('Not ready', { checks });
    // Outside, only what is the matter; why is in the log.
    const shown = Object.fromEntries(
      Object.entries(checks).map(([name, text]) => [name, text === 'ok' ? 'ok' : 'failed']),
    );
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ready' : 'not-ready', checks: shown });
  });
}

async function outcome(check: Promise<void>): Promise<string> {
  return check.then(() => 'ok', messageOf);
}

async function checkDatabase({ app, draining }: HttpContext): Promise<void> {
  const tooLate = (): Error => new UserSyncError('database-unreachable', 'The database does not answer.');
  // What is asked while the program ends is answered all the same.
  const signal = draining.aborted ? new AbortController().signal : draining;
  const { pending } = await within(ANSWER_MS, signal, tooLate, () => migrationStatus(app.database, sqlDirectory()));
  if (pending.length > 0) throw new Error(`the schema lacks ${pending.join(', ')}`);
}

async function checkDirectories({ app }: HttpContext): Promise<void> {
  const { dataDir, feeds } = app.config;
  const all = [dataDir, ...Object.values(feeds).map(({ dropDirectory }) => dropDirectory)];
  for (const directory of all) await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
}
