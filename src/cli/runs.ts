import type { Command } from 'commander';
import type { App } from '../app.js';
import { findRun, listRuns, unknownRun } from '../db/runs.js';
import { number } from '../domain/number-text.js';
import { describeKind } from '../domain/run.js';
import { UserSyncError } from '../lib/errors.js';
import { reportRun, summariseRun } from '../sync/run-report.js';
import { parseCount, parseRunId, type RegisterCommand } from './command.js';
import { printRun, styledStatus } from './run-text.js';
import { printable } from '../lib/printable.js';

export const registerRuns: RegisterCommand = (program, context) => {
  const { terminal } = context;
  program
    .command('runs')
    .description('list runs, newest first')
    .option('--feed <F>', 'only those of one feed')
    .option('--limit <N>', 'at most this many', parseCount, 20)
    .action(async (options: { feed?: string; limit: number }, command: Command) => {
      await context.withApp(command, async (app) => {
        const runs = await listRuns(app.database, options);
        if (runs.length === 0 && options.feed !== undefined) await assertFeed(app, options.feed);
        if (context.wantsJson(command)) {
          for (const run of runs) terminal.json(summariseRun(run));
          return;
        }
        if (runs.length === 0) {
          terminal.print('No runs yet. `user-sync sync --control control.json NAME=FILE` makes the first one.');
          return;
        }
        terminal.table(
          [
            'RUN',
            'FEED',
            'STATUS',
            'RECORDS',
            'ADDED',
            'UPDATED',
            'BLOCKED',
            'UNBLOCKED',
            'UNCHANGED',
            'REJECTED',
            'WHEN',
            '',
          ],
          runs.map((run) => [
            String(run.id),
            printable(run.feed),
            styledStatus(terminal, run.status),
            ...[
              run.counts.records,
              run.counts.added,
              run.counts.updated,
              run.counts.blocked,
              run.counts.unblocked,
              run.counts.unchanged,
              run.counts.rejected,
            ].map(number),
            localTime(run.createdAt),
            describeKind(run.kind, run.ofRun) ?? '',
          ]),
          [0, 3, 4, 5, 6, 7, 8, 9],
        );
      });
    });

  program
    .command('run')
    .description('one run with its counts, guards and files')
    .argument('<ID>', 'the run', parseRunId)
    .action(async (id: number, _options: unknown, command: Command) => {
      await context.withApp(command, async (app) => {
        const run = await findRun(app.database, id);
        if (run === undefined) throw unknownRun(id);
        const report = await reportRun(app.database, run);
        if (context.wantsJson(command)) {
          terminal.json(report);
          return;
        }
        printRun(terminal, report);
        terminal.print();
        terminal.table(
          ['FILE', 'BYTES', 'SHA-256', 'RECEIVED AS'],
          report.files.map((file) => [
            printable(file.name),
            number(file.fileSize),
            file.digest.slice(0, 16),
            printable(file.filename),
          ]),
          [1],
        );
        terminal.print();
        terminal.print(`  created ${localTime(run.createdAt)} from ${printable(run.source)}`);
      });
    });
};

/**
 * A feed that nobody has heard of is a slip of the pen, not one without runs.
 *
 * @throws UserSyncError `feed-unknown`
 */
async function assertFeed(app: App, name: string): Promise<void> {
  const rows = await app.database.query<{ name: string }>('select name from sync.feed order by id');
  const known = [...new Set([...rows.map((row) => row.name), ...Object.keys(app.config.feeds)])];
  if (known.includes(name)) return;
  throw new UserSyncError('feed-unknown', `There is no feed "${name}". There are: ${known.join(', ')}.`, {
    kind: 'usage',
  });
}

/** In the reader's time zone, sortable. */
export function localTime(date: Date): string {
  const pad = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}
