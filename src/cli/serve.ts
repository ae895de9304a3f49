import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { App } from '../app.js';
import { UserSyncError } from '../lib/errors.js';
import { createLogger } from '../lib/logger.js';
import { packageVersion } from '../lib/package-root.js';
import type { RegisterCommand } from './command.js';
import { listen } from './http-server.js';

/** How long chunks in flight and reports may take when the program is told to end. */
const GRACE_MS = 30_000;

export const registerServe: RegisterCommand = (program, context) => {
  program
    .command('serve')
    .description('the daemon: takes in what is dropped, runs it, and tells people')
    .action(async (_options: unknown, command: Command) => {
      const config = await context.loadConfig(command);
      const logger = createLogger(config.log);
      let isStuck = false;
      let app: App | undefined;
      try {
        app = await App.open(config, logger);
        const { Daemon } = await import('../daemon/daemon.js');
        const daemon = new Daemon(app);
        const server = await listen({ app, daemon, version: packageVersion() });
        daemon.start();
        if (!context.signal.aborted) await once(context.signal, 'abort');
        logger.info('Ending: nothing new is taken up, chunks in flight are finished');
        server.drain();
        const ended = daemon
          .stop()
          .then(() => server.close())
          .then(() => true);
        const inTime = await Promise.race([ended, delay(GRACE_MS, false, { ref: false })]);
        isStuck = !inTime;
        if (isStuck) throw stopTimeout();
        logger.info('Ended');
      } finally {
        // Connections to a database that does not answer cannot be closed; the process ends all the same.
        if (!isStuck) await app?.close();
        await logger.close();
      }
    });
};

function stopTimeout(): UserSyncError {
  return new UserSyncError(
    'stop-timeout',
    `Not ended within ${GRACE_MS / 1000} seconds: the database does not answer. The next start goes on with the run.`,
  );
}
