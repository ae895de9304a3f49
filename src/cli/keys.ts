import { InvalidArgumentError, Option, type Command } from 'commander';
import { createKey, isInForce, revokeKey } from '../access/keys.js';
import { listApiKeys, type ApiKeyRow } from '../db/api-keys.js';
import { SCOPES, type Scope } from '../domain/access.js';
import { printable } from '../lib/printable.js';
import { commandLine } from './author.js';
import { parseDay, type RegisterCommand } from './command.js';
import { localTime } from './runs.js';

interface CreateOptions {
  readonly name: string;
  readonly scope: Scope;
  readonly feed?: string;
  readonly expires?: Date;
}

/** Keys for scripts that upload files or ask for runs over HTTP. */
export const registerKeys: RegisterCommand = (program, context) => {
  const { terminal } = context;
  const keys = program.command('keys').description('API keys for scripts');

  keys
    .command('create')
    .description('make a key; its secret is shown this once')
    .requiredOption('--name <N>', 'what uses it')
    .addOption(new Option('--scope <S>', 'what it may do').choices([...SCOPES]).default('upload'))
    .option('--feed <F>', 'the only feed that it is for')
    .option('--expires <D>', 'the last day on which it works, such as 2027-01-31', parseDay)
    .action(async ({ name, scope, feed, expires }: CreateOptions, command: Command) => {
      await context.withApp(command, async ({ database }) => {
        const key = { name, scope, feed: feed ?? null, expiresAt: expires ?? null };
        const created = await createKey(database, key, commandLine());
        if (context.wantsJson(command)) return terminal.json(created);
        terminal.print(`Key ${created.id} for ${printable(name)} (${scope}). Keep it now, it is not shown again:`);
        terminal.print();
        terminal.print(`  ${created.secret}`);
      });
    });

  keys
    .command('list')
    .description('all keys, newest first, without their secrets')
    .action(async (_options: unknown, command: Command) => {
      await context.withApp(command, async ({ database }) => {
        const rows = await listApiKeys(database);
        if (context.wantsJson(command)) {
          for (const row of rows) terminal.json(row);
          return;
        }
        if (rows.length === 0) return terminal.print('No keys yet. `user-sync keys create --name N` makes one.');
        terminal.table(
          ['KEY', 'NAME', 'SCOPE', 'FEED', 'STATE', 'LAST USED', 'MADE'],
          rows.map((row) => [
            String(row.id),
            printable(row.name),
            row.scope,
            printable(row.feed ?? 'every feed'),
            stateOf(row),
            row.lastUsedAt === null ? 'never' : localTime(row.lastUsedAt),
            `${localTime(row.createdAt)} by ${printable(row.createdBy)}`,
          ]),
          [0],
        );
      });
    });

  keys
    .command('revoke')
    .description('a key that no longer works')
    .argument('<ID>', 'the key, as `keys list` numbers it', parseKeyId)
    .action(async (id: number, _options: unknown, command: Command) => {
      await context.withApp(command, async ({ database }) => {
        const revoked = await revokeKey(database, id, commandLine());
        if (context.wantsJson(command)) terminal.json(revoked);
        else terminal.print(`Key ${id} (${printable(revoked.name)}) works no longer.`);
      });
    });
};

function stateOf(key: ApiKeyRow): string {
  if (key.revokedAt !== null) return 'revoked';
  if (!isInForce(key, new Date())) return 'expired';
  return key.expiresAt === null ? 'in force' : `until ${localTime(key.expiresAt)}`;
}

function parseKeyId(text: string): number {
  const id = Number(text);
  if (Number.isSafeInteger(id) && id > 0) return id;
  throw new InvalidArgumentError('Write the number of a key, such as 3.');
}
