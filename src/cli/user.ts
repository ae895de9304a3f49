import type { Command } from 'commander';
import { noteAudit } from '../db/audit.js';
import { valueText } from '../domain/value-text.js';
import { lookUpPerson, type Account, type Person } from '../sync/person.js';
import { commandLine } from './author.js';
import type { CommandContext, RegisterCommand } from './command.js';
import { localTime } from './runs.js';
import { printable } from '../lib/printable.js';
import { type Terminal } from './terminal.js';

export const registerUser: RegisterCommand = (program, context: CommandContext) => {
  const { terminal } = context;
  program
    .command('user')
    .description('everything known of one person: account, what was received, what each run did')
    .argument('<USERNAME_OR_EMAIL>', 'in any case')
    .action(async (who: string, _options: unknown, command: Command) => {
      await context.withApp(command, async (app) => {
        const person = await lookUpPerson(app.sync, who);
        await noteAudit(app.database, commandLine(), { action: 'person-looked-up', subject: subjectOf(person, who) });
        if (context.wantsJson(command)) terminal.json(person);
        else printPerson(terminal, person);
      });
    });
};

/** The books have usernames, and no addresses of people. */
function subjectOf({ account }: Person, who: string): string {
  return account === null ? who.toLowerCase() : (account.username ?? `account ${account.id}`);
}

function printPerson(terminal: Terminal, person: Person): void {
  const heading = (text: string): void => {
    terminal.print();
    terminal.print(terminal.style(text, 'bold'));
  };
  if (person.account === null) terminal.print('No account: this user was never taken in.');
  else printAccount(terminal, person.account, person);
  if (person.received !== null) {
    const { run, file, line, record, accepted, raw } = person.received;
    heading('Received');
    terminal.print(`  run ${run}, ${file} line ${line}, record ${record}${accepted ? '' : ', rejected'}`);
    terminal.print(`  ${printable(raw.replaceAll(/\s*\n\s*/g, ' '))}`);
  }
  if (person.errors.length > 0) {
    heading('Errors');
    for (const error of person.errors) {
      terminal.print(`  run ${error.run}  ${error.code ?? ''}  ${printable(error.message)}${given(error)}`);
    }
  }
  if (person.changes.length > 0) {
    heading('Changes');
    for (const change of person.changes) {
      const when = change.at === null ? '' : localTime(change.at);
      const outcome = change.applied ? '' : ` (${change.status}, not applied)`;
      terminal.print(`  run ${change.run}  ${when}  ${change.kind}${outcome}`);
      if (change.before !== null) {
        terminal.print(`    before ${printable(JSON.stringify(change.before))}`);
        terminal.print(`    after  ${printable(JSON.stringify(change.after))}`);
      }
    }
  }
}

/** The field and what stood in it, where one is to blame. */
function given({ source, value }: Person['errors'][number]): string {
  return value === null ? '' : printable(` [${source ?? ''}: ${value}]`);
}

function printAccount(terminal: Terminal, account: Account, person: Person): void {
  const line = (name: string, value: string): void => {
    terminal.print(`  ${name.padEnd(12)}${printable(value)}`);
  };
  const name = [account.title, account.name_first, account.name_last].filter((part) => part !== null).join(' ');
  terminal.print(terminal.style(printable(`${name} <${account.email}>`), 'bold'));
  line('username', account.username ?? '(none: this account was made by hand, the sync leaves it alone)');
  line('account', `${account.id}, ${account.is_active ? 'active' : 'blocked'}`);
  if (account.feed !== null) {
    const since = person.sync === null ? '' : ` since run ${person.sync.since.run}`;
    line('feed', `${account.feed}: ${account.in_feed ? 'in the feed' : 'not in the feed'}${since}`);
  }
  if (person.sync?.inError === true) line('in error', 'the last record had errors; it is tried again in the next run');
  if (person.sync?.missing != null) {
    const { since, runs } = person.sync.missing;
    line('leaving', `missing from the feed since ${localTime(since)}, in ${runs} ${runs === 1 ? 'run' : 'runs'}`);
  }
  for (const { kind, name, value, reason, by, until } of person.overrides) {
    const what =
      kind === 'protect' ? 'protected: not blocked' : `${name ?? ''} pinned to ${valueText(value) || '(none)'}`;
    line('override', `${what}${until === null ? '' : ` until ${localTime(until)}`}, by ${by}: ${reason}`);
  }
  line('groups', account.groups.join(', ') || '(none)');
  line('types', account.profile_types.join(', ') || '(none)');
  for (const [tag, value] of Object.entries(account.tags)) line('tag', `${tag} = ${String(value)}`);
  for (const [dictionary, values] of Object.entries(account.dictionaries)) {
    for (const [key, value] of Object.entries(values)) line(dictionary, `${key} = ${valueText(value)}`);
  }
  printAttributes(terminal, account.profile);
  for (const { ref, types, attributes } of person.objects) {
    terminal.print(`  object ${ref}: ${printable(types.join(', '))}`);
    printAttributes(terminal, attributes, '  ');
  }
}

function printAttributes(terminal: Terminal, attributes: Readonly<Record<string, unknown>>, indent = ''): void {
  for (const [attribute, values] of Object.entries(attributes)) {
    terminal.print(`${indent}  ${printable(`${attribute} = ${valueText(values)}`)}`);
  }
}
