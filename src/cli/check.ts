import type { Command } from 'commander';
import { readFile } from 'node:fs/promises';
import { loadLanguage } from '../app.js';
import { UserSyncError, messageOf, type Problem } from '../lib/errors.js';
import { validateControl } from '../sync/control.js';
import { EXIT, type RegisterCommand } from './command.js';
import { printable } from '../lib/printable.js';

export const registerCheck: RegisterCommand = (program, context) => {
  const { terminal } = context;
  program
    .command('check')
    .description('validate a control file: every problem with pointer, line and column')
    .argument('<CONTROL>', 'the control file')
    .option('--model <M>', 'the data model; the configured one unless told')
    .action(async (path: string, options: { model?: string }, command: Command) => {
      const config = await context.loadConfig(command);
      const { language } = await loadLanguage(config, options.model);
      const text = await readText(path);
      const { control, problems } = validateControl(text, language);
      if (control === null) context.exitCode = EXIT.usage;
      if (context.wantsJson(command)) {
        terminal.json({ valid: control !== null, problems });
        return;
      }
      for (const problem of problems) {
        const style = problem.severity === 'error' ? 'red' : 'yellow';
        terminal.print(
          `${printable(path)}:${place(problem)} ${terminal.style(problem.severity, style)} ${printable(`${problem.pointer || '(document)'}: ${problem.message}`)} [${problem.code}]`,
        );
      }
      const errors = problems.filter((problem) => problem.severity === 'error').length;
      const warnings = problems.length - errors;
      const verdict = control === null ? `has ${errors} error${errors === 1 ? '' : 's'}` : 'is valid';
      terminal.print(
        `${printable(path)} ${verdict}${warnings === 0 ? '' : `, ${warnings} warning${warnings === 1 ? '' : 's'}`}`,
      );
    });
};

/** `4:33:` as editors and terminals make a link of it; nothing when the place is not known. */
function place({ line, column }: Problem): string {
  return line === undefined ? '' : `${line}:${column ?? 1}:`;
}

/** @throws UserSyncError `file-unreadable` */
export async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw unreadable(path, error);
  });
}

/** Whether a file that is only wanted to be compared is there, and has another content. */
export async function differsFrom(path: string, content: string): Promise<boolean> {
  const text = await readText(path).catch(() => undefined);
  return text !== undefined && text !== content;
}

/** An error of the file system in words that say what to do. */
export function unreadable(path: string, error: unknown): UserSyncError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const reason =
    code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder, not a file' : messageOf(error);
  return new UserSyncError('file-unreadable', `Reading ${path}: ${reason}. Check the name and the permissions.`, {
    kind: 'usage',
    cause: error,
  });
}
