import type { Command } from 'commander';
import { sqlDirectory, withDatabase } from '../app.js';
import { migrate, migrationStatus } from '../db/migrate.js';
import { grantDaemon } from '../db/rights.js';
import type { RegisterCommand } from './command.js';

export const registerMigrate: RegisterCommand = (program, context) => {
  const { terminal } = context;
  program
    .command('migrate')
    .description('bring the database schema up to date')
    .option('--status', 'only say what would be done')
    .option('--grant-to <role>', 'also let this role run the daemon, with the rights that it needs and no others')
    .action(async (options: { status?: boolean; grantTo?: string }, command: Command) => {
      const json = context.wantsJson(command);
      const config = await context.loadConfig(command);
      const logger = context.logger(config);
      await withDatabase(config, logger, async (database) => {
        if (options.status === true) {
          const status = await migrationStatus(database, sqlDirectory());
          if (json) terminal.json(status);
          else {
            for (const name of status.applied) terminal.print(`applied  ${name}`);
            for (const name of status.pending) terminal.print(`pending  ${name}`);
          }
          return;
        }
        const applied = await migrate(database, sqlDirectory());
        const { grantTo } = options;
        if (grantTo !== undefined) await grantDaemon(database, grantTo);
        if (json) {
          terminal.json({ applied, ...(grantTo === undefined ? {} : { grantedTo: grantTo }) });
          return;
        }
        if (applied.length === 0) terminal.print('The schema is up to date.');
        for (const name of applied) terminal.print(`applied  ${name}`);
        if (grantTo !== undefined) terminal.print(`The role "${grantTo}" may run the daemon.`);
      });
      await logger.close();
    });
};
