import type { Command } from 'commander';
import { readLog, type RunLogEntry } from '../db/run-log.js';
import { findRun, unknownRun } from '../db/runs.js';
import { parseRunId, type RegisterCommand } from './command.js';
import { localTime } from './runs.js';
import { printable } from '../lib/printable.js';
import { type Style } from './terminal.js';

const LEVEL_STYLE: Readonly<Record<RunLogEntry['level'], Style>> = { info: 'dim', warn: 'yellow', error: 'red' };

export const registerLog: RegisterCommand = (program, context) => {
  const { terminal } = context;
  program
    .command('log')
    .description("a run's log")
    .argument('<ID>', 'the run', parseRunId)
    .option('--errors', 'errors only')
    .option('--user <U>', 'only what concerns this username')
    .action(async (id: number, options: { errors?: boolean; user?: string }, command: Command) => {
      const json = context.wantsJson(command);
      await context.withApp(command, async (app) => {
        if ((await findRun(app.database, id)) === undefined) throw unknownRun(id);
        const filter = {
          errorsOnly: options.errors ?? false,
          ...(options.user === undefined ? {} : { username: options.user.toLowerCase() }),
        };
        let count = 0;
        for await (const entry of readLog(app.database, id, filter)) {
          count += 1;
          await terminal.write(json ? `${JSON.stringify(entry)}\n` : `${text(entry)}\n`);
        }
        if (count === 0 && !json) terminal.print(options.errors === true ? 'No errors.' : 'The log is empty.');
      });
    });

  function text(entry: RunLogEntry): string {
    const level = terminal.style(entry.level.padEnd(5), LEVEL_STYLE[entry.level]);
    const code = entry.code === null ? '' : `${terminal.style(entry.code, 'bold')} `;
    return `${localTime(entry.at)} ${level} ${code}${printable(`${place(entry)}${entry.message}`)}${value(entry)}`;
  }

  function value(entry: RunLogEntry): string {
    if (entry.value === null) return '';
    return ` ${terminal.style(printable(`[${entry.source ?? ''}: ${entry.value}]`), 'dim')}`;
  }
};

/** `users:12 jbloggs ` */
function place(entry: RunLogEntry): string {
  const file = entry.file === null ? '' : `${entry.file}:${entry.line ?? '?'} `;
  return `${file}${entry.username === null ? '' : `${entry.username} `}`;
}
