import { Option, type Command } from 'commander';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { addOperator, removeOperator } from '../access/operators.js';
import { listOperators } from '../db/operators.js';
import { ROLES, type Role } from '../domain/access.js';
import { printable } from '../lib/printable.js';
import { commandLine } from './author.js';
import type { RegisterCommand } from './command.js';
import { localTime } from './runs.js';

/** People who may sign in to the web page. */
export const registerAdmins: RegisterCommand = (program, context) => {
  const { terminal } = context;
  const admins = program.command('admins').description('people who may sign in to the web page');

  admins
    .command('add')
    .description('let somebody sign in; the password is asked for, or read from stdin')
    .argument('<NAME>', 'what they sign in with')
    .addOption(new Option('--role <R>', 'what they may do').choices([...ROLES]).default('admin'))
    .action(async (name: string, { role }: { role: Role }, command: Command) => {
      await context.withApp(command, async ({ database }) => {
        const password = await readPassword(context.signal);
        const { id } = await addOperator(database, { name, role, password }, commandLine());
        if (context.wantsJson(command)) terminal.json({ id, name, role });
        else terminal.print(`${printable(name)} may sign in as ${role}.`);
      });
    });

  admins
    .command('remove')
    .description('somebody may no longer sign in, and is signed out')
    .argument('<NAME>', 'in any case')
    .action(async (name: string, _options: unknown, command: Command) => {
      await context.withApp(command, async ({ database }) => {
        const removed = await removeOperator(database, name, commandLine());
        if (context.wantsJson(command)) terminal.json({ id: removed.id, name: removed.name, removed: true });
        else terminal.print(`${printable(removed.name)} may no longer sign in.`);
      });
    });

  admins
    .command('list')
    .description('who may sign in')
    .action(async (_options: unknown, command: Command) => {
      await context.withApp(command, async ({ database }) => {
        const people = await listOperators(database);
        if (context.wantsJson(command)) {
          for (const person of people) terminal.json(person);
          return;
        }
        if (people.length === 0) return terminal.print('Nobody yet. `user-sync admins add NAME` adds the first one.');
        terminal.table(
          ['NAME', 'ROLE', 'SINCE', ''],
          people.map(({ name, role, createdAt, lockedUntil }) => [
            printable(name),
            role,
            localTime(createdAt),
            lockedUntil !== null && lockedUntil > new Date() ? `locked until ${localTime(lockedUntil)}` : '',
          ]),
        );
      });
    });
};

/** Asked for without being shown on a terminal; else the first line of stdin. */
async function readPassword(signal: AbortSignal): Promise<string> {
  const isAsked = process.stdin.isTTY;
  // What readline would repeat goes nowhere.
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silence, terminal: isAsked });
  if (isAsked) process.stderr.write('Password: ');
  try {
    if (isAsked) return await lines.question('', { signal });
    for await (const line of lines) return line;
    return '';
  } finally {
    lines.close();
    if (isAsked) process.stderr.write('\n');
  }
}
