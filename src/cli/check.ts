import type { Command } from 'commander';
import { readFile } from 'node:fs/promises';
import { loadModel } from '../app.js';
import { UserSyncError, describeProblem, messageOf } from '../lib/errors.js';
import { validateControl } from '../sync/control.js';
import { EXIT, type RegisterCommand } from './command.js';
import { printable } from './terminal.js';

export const registerCheck: RegisterCommand = (program, context) => {
  const { terminal } = context;
  program
    .command('check')
    .description('validate a control file: every problem with pointer, line and column')
    .argument('<CONTROL>', 'the control file')
    .option('--model <M>', 'the data model; the configured one unless told')
    .action(async (path: string, options: { model?: string }, command: Command) => {
      const config = await context.loadConfig(command);
      const model = await loadModel(options.model ?? config.model);
      const text = await readText(path);
      const { control, problems } = validateControl(text, model);
      if (control === null) context.exitCode = EXIT.usage;
      if (context.wantsJson(command)) {
        terminal.json({ valid: control !== null, problems });
        return;
      }
      for (const problem of problems) {
        const style = problem.severity === 'error' ? 'red' : 'yellow';
        terminal.print(
          `${printable(path)}:${terminal.style(problem.severity, style)} ${printable(describeProblem(problem))} [${problem.code}]`,
        );
      }
      const errors = problems.filter((problem) => problem.severity === 'error').length;
      const warnings = problems.length - errors;
      const verdict = control === null ? `${errors} error${errors === 1 ? '' : 's'}` : 'is valid';
      terminal.print(
        `${printable(path)}: ${verdict}${warnings === 0 ? '' : `, ${warnings} warning${warnings === 1 ? '' : 's'}`}`,
      );
    });
};

/** @throws UserSyncError `file-unreadable` */
export async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new UserSyncError(
      'file-unreadable',
      `Reading ${path}: ${messageOf(error)}. Check the name and the permissions.`,
      {
        kind: 'usage',
        cause: error,
      },
    );
  });
}
