import type { Command } from 'commander';
import type { App } from '../app.js';
import { findRun, type RunRow } from '../db/runs.js';
import type { Approval } from '../sync/context.js';
import { cancelRun } from '../sync/decide.js';
import { executeRun } from '../sync/pipeline.js';
import { reportRun } from '../sync/run-report.js';
import { submitBatch } from '../sync/submit.js';
import { readText } from './check.js';
import { EXIT, parseNamedFiles, type CommandContext, type RegisterCommand } from './command.js';
import { ProgressLine } from './progress-line.js';
import { printRun } from './run-text.js';

const SOURCE = 'command line';

interface SyncOptions {
  feed: string;
  control?: string;
  approve?: boolean;
  dryRun?: boolean;
  force?: boolean;
}

export const registerSync: RegisterCommand = (program, context) => {
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
          feed: options.feed,
          files: named,
          ...(await controlFor(app, options)),
          dryRun: options.dryRun ?? false,
          force: options.force ?? false,
          source: SOURCE,
          signal: context.signal,
        });
        const approval: Approval = { by: SOURCE, reason: 'given in advance with --approve', withoutBlocks: false };
        await runInForeground(context, app, runId, options.approve === true ? approval : undefined, json);
      });
    });
};

/** The control file to put in force: the one given, or the feed's configured one while it has none. */
async function controlFor(app: App, options: SyncOptions): Promise<{ control?: { text: string; what: string } }> {
  if (options.control !== undefined) return { control: await readControl(options.control) };
  const configured = app.config.feeds[options.feed]?.control;
  if (configured === undefined) return {};
  const [feed] = await app.database.query<{ has: boolean }>(
    'select control_id is not null as has from sync.feed where name = $1',
    [options.feed],
  );
  return feed?.has === true ? {} : { control: await readControl(configured) };
}

async function readControl(path: string): Promise<{ text: string; what: string }> {
  return { text: await readText(path), what: `The control file ${path}` };
}

/** Executes a run with a live progress line, prints it at the end, and sets the exit code by how it ended. */
export async function runInForeground(
  context: CommandContext,
  app: App,
  runId: number,
  approval: Approval | undefined,
  json: boolean,
): Promise<void> {
  const { terminal } = context;
  const progress = new ProgressLine(terminal);
  const found = await findRun(app.database, runId);
  let failure: unknown;
  let run: RunRow | undefined;
  try {
    run = await executeRun(app.sync, runId, {
      settings: app.feedSettings(found?.feed ?? 'default'),
      actor: SOURCE,
      signal: context.signal,
      onProgress: progress.update,
      ...(approval === undefined ? {} : { approval }),
    });
  } catch (error) {
    failure = error;
    run = await findRun(app.database, runId);
  } finally {
    progress.end();
  }
  // Nobody else would take up a run that could not begin.
  if (run?.status === 'ready') await cancelRun(app.database, runId, SOURCE);
  // A run that failed says why itself; anything else was wrong before it began.
  if (run === undefined || (failure !== undefined && run.status !== 'failed')) throw failure;
  const report = await reportRun(app.database, run);
  if (json) terminal.json(report);
  else printRun(terminal, report);
  if (run.status === 'held') context.exitCode = EXIT.held;
  else if (run.status !== 'complete') context.exitCode = EXIT.failed;
}
