#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { CommandContext, EXIT, type RegisterCommand } from './cli/command.js';
import { registerAdmins } from './cli/admins.js';
import { registerCheck } from './cli/check.js';
import { registerDecisions } from './cli/decisions.js';
import { registerDemo } from './cli/demo.js';
import { registerDoctor } from './cli/doctor.js';
import { registerGenerate } from './cli/generate.js';
import { registerInit } from './cli/init.js';
import { registerKeys } from './cli/keys.js';
import { registerLog } from './cli/log.js';
import { registerMigrate } from './cli/migrate.js';
import { registerPlan } from './cli/plan.js';
import { registerPreview } from './cli/preview.js';
import { registerRuns } from './cli/runs.js';
import { registerServe } from './cli/serve.js';
import { registerSync } from './cli/sync.js';
import { registerOverrides } from './cli/overrides.js';
import { ReaderGoneError, Terminal } from './cli/terminal.js';
import { registerUser } from './cli/user.js';
import { UserSyncError, messageOf } from './lib/errors.js';
import { packageVersion } from './lib/package-root.js';
import { printable } from './lib/printable.js';

const COMMANDS: readonly RegisterCommand[] = [
  registerDemo,
  registerInit,
  registerServe,
  registerSync,
  registerCheck,
  registerGenerate,
  registerPreview,
  registerRuns,
  registerPlan,
  registerLog,
  registerDecisions,
  registerUser,
  registerOverrides,
  registerKeys,
  registerAdmins,
  registerMigrate,
  registerDoctor,
];

/** The only place that listens to signals and sets the exit code. */
async function main(): Promise<void> {
  const { stdout, stderr } = process;
  const terminal = new Terminal({ stdout, stderr });
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // The second one means it.
      if (stop.signal.aborted) process.exit(EXIT.failed);
      stop.abort(
        new UserSyncError('interrupted', `Interrupted by ${signal}. What was applied stays; run again to go on.`),
      );
    });
  }
  const context = new CommandContext(terminal, stop.signal);
  try {
    await buildProgram(context).parseAsync(process.argv);
    process.exitCode = context.exitCode;
  } catch (error) {
    process.exitCode = report(error, terminal);
    // Whatever does not end by itself must not keep a service manager waiting.
    if (error instanceof UserSyncError && error.code === 'stop-timeout') process.exit();
  }
}

function buildProgram(context: CommandContext): Command {
  const program = new Command('user-sync')
    .description('Keeps a user database in Postgres in step with the source systems that know who exists.')
    .version(packageVersion())
    .option('--config <FILE>', 'the configuration (else USER_SYNC_CONFIG, else ./user-sync.yaml, else defaults)')
    .option('--json', 'machine output on stdout: one document, or one object a line for lists')
    .showHelpAfterError('(user-sync COMMAND --help tells more)');
  for (const register of COMMANDS) register(program, context);
  for (const command of withSubcommands(program)) {
    command.exitOverride();
    // So that global options may stand before or behind the command's name.
    if (command !== program) {
      command.option('--config <FILE>', 'the configuration').option('--json', 'machine output on stdout');
    }
  }
  return program;
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

/** Says what went wrong, once and in words; gives the exit code. */
function report(error: unknown, terminal: Terminal): number {
  if (error instanceof ReaderGoneError) return EXIT.done;
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  const code = error instanceof UserSyncError ? ` [${error.code}]` : '';
  terminal.note(`user-sync: ${messageOf(error).split('\n').map(printable).join('\n')}${code}`);
  if (error instanceof Error && 'syscall' in error) terminal.note('`user-sync doctor` checks directories and rights.');
  else if (!(error instanceof UserSyncError) && error instanceof Error) terminal.note(error.stack ?? '');
  return error instanceof UserSyncError && error.kind === 'usage' ? EXIT.usage : EXIT.failed;
}

await main();
