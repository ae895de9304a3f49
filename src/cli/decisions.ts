import type { Command } from 'commander';
import { findRun } from '../db/runs.js';
import { assertHeld, cancelRun, requestApproval } from '../sync/decide.js';
import { submitReapply, submitRevert } from '../sync/revert.js';
import { reportRun, summariseRun } from '../sync/run-report.js';
import { UserSyncError } from '../lib/errors.js';
import { parseRunId, type RegisterCommand } from './command.js';
import { commandLine } from './author.js';
import { approvalInAdvance, runInForeground } from './foreground.js';

export const registerDecisions: RegisterCommand = (program, context) => {
  const { terminal } = context;
  program
    .command('approve')
    .description('apply a held run')
    .argument('<ID>', 'the run', parseRunId)
    .option('--without-blocks', 'leave out the blocks: those users stay planned for the next run')
    .requiredOption('--reason <T>', 'why it is right; kept with the run')
    .action(async (id: number, options: { withoutBlocks?: boolean; reason: string }, command: Command) => {
      await context.withApp(command, async (app) => {
        await assertHeld(app.database, id);
        const approval = { ...commandLine(), reason: options.reason, withoutBlocks: options.withoutBlocks ?? false };
        const isBusy = await runInForeground(context, app, id, approval, context.wantsJson(command)).then(
          () => false,
          (error: unknown) => {
            if (error instanceof UserSyncError && error.code === 'feed-busy') return true;
            throw error;
          },
        );
        if (!isBusy) return;
        await requestApproval(app.database, id, approval);
        const run = await findRun(app.database, id);
        if (context.wantsJson(command) && run !== undefined) terminal.json(await reportRun(app.database, run));
        else terminal.print(`Run ${id} is approved: the daemon that looks after the feed applies it next.`);
      });
    });

  program
    .command('reapply')
    .description("a new run of an earlier run's files and control file")
    .argument('<ID>', 'the earlier run', parseRunId)
    .option('--approve', 'apply also when a guard would hold the run')
    .action(async (id: number, options: { approve?: boolean }, command: Command) => {
      await context.withApp(command, async (app) => {
        const runId = await submitReapply(app.sync, id, commandLine());
        await runInForeground(context, app, runId, approvalInAdvance(options), context.wantsJson(command));
      });
    });

  program
    .command('revert')
    .description('a new run that takes back what a run changed; guards apply')
    .argument('<ID>', 'the run to take back', parseRunId)
    .option('--approve', 'apply also when a guard would hold the run')
    .action(async (id: number, options: { approve?: boolean }, command: Command) => {
      await context.withApp(command, async (app) => {
        const runId = await submitRevert(app.sync, id, commandLine());
        await runInForeground(context, app, runId, approvalInAdvance(options), context.wantsJson(command));
      });
    });

  program
    .command('cancel')
    .description('stop a run; what it has applied stays applied')
    .argument('<ID>', 'the run', parseRunId)
    .action(async (id: number, _options: unknown, command: Command) => {
      await context.withApp(command, async (app) => {
        await cancelRun(app.database, id, commandLine());
        const run = await findRun(app.database, id);
        if (run === undefined) return;
        if (context.wantsJson(command)) terminal.json(summariseRun(run));
        else if (run.status === 'cancelled') terminal.print(`Run ${id} is cancelled.`);
        else terminal.print(`Run ${id} stops after the chunks in flight. What it has applied stays applied.`);
      });
    });
};
