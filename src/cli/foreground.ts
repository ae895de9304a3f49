import type { App } from '../app.js';
import { Reports } from '../daemon/reports.js';
import { findRun, type RunRow } from '../db/runs.js';
import { UserSyncError } from '../lib/errors.js';
import { printable } from '../lib/printable.js';
import type { Approval } from '../sync/context.js';
import { cancelRun } from '../sync/decide.js';
import { executeRun } from '../sync/pipeline.js';
import { reportRun } from '../sync/run-report.js';
import { commandLine } from './author.js';
import { EXIT, type CommandContext } from './command.js';
import { ProgressLine } from './progress-line.js';
import { printRun } from './run-text.js';
import { localTime } from './runs.js';
import type { Terminal } from './terminal.js';

/** How long a command waits at its end until people are told. */
const DELIVERY_MS = 10_000;

export function approvalInAdvance({ approve }: { readonly approve?: boolean }): Approval | undefined {
  if (approve !== true) return undefined;
  return { ...commandLine(), reason: 'given in advance with --approve', withoutBlocks: false };
}

/**
 * Executes a run with a live progress line, prints it at the end, sets the exit code by how it ended, and tells those who
 * are told of the feed's runs.
 */
export async function runInForeground(
  context: CommandContext,
  app: App,
  runId: number,
  approval: Approval | undefined,
  json: boolean,
): Promise<void> {
  const { terminal } = context;
  const author = commandLine();
  const progress = new ProgressLine(terminal);
  const feed = (await findRun(app.database, runId))?.feed ?? 'default';
  const ended: RunRow[] = [];
  let failure: unknown;
  let run: RunRow | undefined;
  try {
    run = await executeRun(app.sync, runId, {
      settings: await app.feedSettings(feed),
      actor: author.by,
      signal: context.signal,
      onProgress: progress.update,
      onLeftBehind: (other) => void ended.push(other),
      ...(approval === undefined ? {} : { approval }),
    });
  } catch (error) {
    failure = error;
    run = await findRun(app.database, runId);
  } finally {
    progress.end();
  }
  for (const { id, status } of ended) {
    terminal.note(`Run ${id} had been left behind by a process that ended, and came first: it is ${status}.`);
  }
  if (run !== undefined && (failure === undefined || run.status === 'failed')) ended.push(run);
  try {
    // Nobody else would take up a run that could not begin.
    if (run?.status === 'ready') await cancelRun(app.database, runId, author);
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
  } finally {
    await tellPeople(context, app, ended);
  }
}

/** As the daemon does, and waits for it, as the command ends then. Ctrl-C ends the wait, if it did not end the run. */
async function tellPeople(context: CommandContext, app: App, ended: readonly RunRow[]): Promise<void> {
  const logger = context.logger(app.config, 'warn');
  try {
    const reports = new Reports(app, logger);
    for (const { id } of ended) await reports.tellEnd(id);
    await reports.close(DELIVERY_MS, context.signal.aborted ? undefined : context.signal);
  } finally {
    await logger.close();
  }
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
