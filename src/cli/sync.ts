import type { Command } from 'commander';
import type { App } from '../app.js';
import { findControlFile } from '../db/control-history.js';
import { findRun, listRuns, type RunRow } from '../db/runs.js';
import { isEnd } from '../domain/run.js';
import { UserSyncError } from '../lib/errors.js';
import type { Approval } from '../sync/context.js';
import { cancelRun } from '../sync/decide.js';
import { executeRun } from '../sync/pipeline.js';
import { reportRun } from '../sync/run-report.js';
import { submitBatch } from '../sync/submit.js';
import { differsFrom, readText } from './check.js';
import { EXIT, parseNamedFiles, type CommandContext, type RegisterCommand } from './command.js';
import { ProgressLine } from './progress-line.js';
import { printRun } from './run-text.js';
import { localTime } from './runs.js';
import { printable } from '../lib/printable.js';
import { type Terminal } from './terminal.js';

const SOURCE = 'command line';

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
          feed: options.feed,
          files: named,
          ...(await controlFor(app, options, terminal)),
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
  const feed = (await findRun(app.database, runId))?.feed ?? 'default';
  const underWay = await listRuns(app.database, { feed, statuses: ['planning', 'applying'], limit: 1 });
  let failure: unknown;
  let run: RunRow | undefined;
  try {
    run = await executeRun(app.sync, runId, {
      settings: await app.feedSettings(feed),
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
  for (const { id } of underWay) {
    const other = await findRun(app.database, id);
    if (other !== undefined && isEnd(other.status)) {
      terminal.note(`Run ${id} had been left behind by a process that ended, and came first: it is ${other.status}.`);
    }
  }
  // Nobody else would take up a run that could not begin.
  if (run?.status === 'ready') await cancelRun(app.database, runId, SOURCE);
  // A run that failed says why itself; anything else was wrong before it began.
  if (run === undefined || (failure !== undefined && run.status !== 'failed')) {
    if (failure instanceof UserSyncError && failure.code === 'feed-busy') await tellWhoWorks(app, feed, terminal);
    throw failure;
  }
  const report = await reportRun(app.database, run);
  if (json) terminal.json(report);
  else printRun(terminal, report);
  if (run.status === 'held') context.exitCode = EXIT.held;
  else if (run.status !== 'complete') context.exitCode = EXIT.failed;
}

/** For an operator who wonders whether that process still lives: one that died loses the feed when its time is over. */
async function tellWhoWorks(app: App, feed: string, terminal: Terminal): Promise<void> {
  const [lease] = await app.database.query<{ holder: string; until: Date }>(
    `select lease_holder as holder, lease_expires_at as until from sync.feed
     where name = $1 and lease_holder is not null and lease_expires_at is not null`,
    [feed],
  );
  if (lease === undefined) return;
  const [host = '', pid = ''] = lease.holder.split(':');
  terminal.note(
    printable(
      `Process ${pid} on ${host} has the feed until ${localTime(lease.until)}, and longer if it lives; a sync after that finishes what it left.`,
    ),
  );
}
