import type { Command } from 'commander';
import type { App } from '../app.js';
import { findControlFile } from '../db/control-history.js';
import { submitBatch } from '../sync/submit.js';
import { differsFrom, readText } from './check.js';
import { commandLine } from './author.js';
import { parseNamedFiles, type RegisterCommand } from './command.js';
import { approvalInAdvance, runInForeground } from './foreground.js';
import { localTime } from './runs.js';
import { printable } from '../lib/printable.js';
import { type Terminal } from './terminal.js';

interface SyncOptions {
  feed: string;
  control?: string;
  approve?: boolean;
  dryRun?: boolean;
  force?: boolean;
}

export const registerSync: RegisterCommand = (program, context) => {
  const { terminal } = context;
  program
    .command('sync')
    .description('one whole run in the foreground: read the files, compare, and bring the directory in step')
    .argument('<NAME=FILE...>', 'the files of the batch, by the names that the control file lists')
    .option('--feed <F>', 'the feed that the batch belongs to', 'default')
    .option('--control <C>', 'a control file to put in force for the feed first')
    .option('--approve', 'apply also when a guard would hold the run')
    .option('--dry-run', 'plan only: say what would change')
    .option('--force', 'look at every user again, also when nothing seems to have changed')
    .action(async (files: string[], options: SyncOptions, command: Command) => {
      const json = context.wantsJson(command);
      const named = parseNamedFiles(files);
      await context.withApp(command, async (app) => {
        const runId = await submitBatch(app.sync, {
          ...commandLine(),
          feed: options.feed,
          files: named,
          ...(await controlFor(app, options, terminal)),
          dryRun: options.dryRun ?? false,
          force: options.force ?? false,
          signal: context.signal,
        });
        await runInForeground(context, app, runId, approvalInAdvance(options), json);
      });
    });
};

/** The control file to put in force: the one given, or the feed's configured one while it has none. */
async function controlFor(
  app: App,
  options: SyncOptions,
  terminal: Terminal,
): Promise<{ control?: { text: string; what: string } }> {
  if (options.control !== undefined) return { control: await readControl(options.control) };
  const configured = app.config.feeds[options.feed]?.control;
  if (configured === undefined) return {};
  const inForce = await findControlFile(app.database, options.feed, 'current');
  if (inForce === undefined) return { control: await readControl(configured) };
  if (await differsFrom(configured, inForce.content)) {
    terminal.note(
      printable(
        `${configured} is not the control file in force, which came ${localTime(inForce.createdAt)} by ${inForce.source}. ` +
          'To put it in force, give it with --control.',
      ),
    );
  }
  return {};
}

async function readControl(path: string): Promise<{ text: string; what: string }> {
  return { text: await readText(path), what: `The control file ${path}` };
}
