import type { Command } from 'commander';
import { endOverride, pinValue, PINNABLE_NAMES, protectUser, type OverrideOptions } from '../sync/overrides.js';
import { adoptAccount } from '../sync/adopt.js';
import { commandLine } from './author.js';
import { parseDay, type RegisterCommand } from './command.js';
import { printable } from '../lib/printable.js';

interface Options {
  reason?: string;
  until?: Date;
  end?: boolean;
}

/** What operators decide about one user. */
export const registerOverrides: RegisterCommand = (program, context) => {
  const { terminal } = context;
  const say = (command: Command, document: object, sentence: string): void => {
    if (context.wantsJson(command)) terminal.json(document);
    else terminal.print(printable(sentence));
  };

  program
    .command('protect')
    .description('keep a user from being blocked while missing from the feed')
    .argument('<USERNAME>', 'in any case')
    .option('--reason <T>', 'why; kept with the user')
    .option('--until <D>', 'the day on which it ends by itself, such as 2027-01-31', parseDay)
    .option('--end', 'end the protection now')
    .action(async (username: string, options: Options, command: Command) => {
      await context.withApp(command, async ({ sync }) => {
        if (options.end === true) await endOverride(sync, username, { kind: 'protect', name: null }, commandLine());
        else await protectUser(sync, username, decision(options, command));
        const now = options.end === true ? 'no longer protected' : 'protected: a run does not block this user';
        say(command, { username, protected: options.end !== true }, `${username} is ${now}.`);
      });
    });

  program
    .command('override')
    .description(`pin values of a user, whatever the feed says: ${PINNABLE_NAMES.join(', ')}`)
    .argument('<USERNAME>', 'in any case')
    .argument('<NAME=VALUE...>', 'names and values; only names with --end. Codes of groups are separated by commas')
    .option('--reason <T>', 'why; kept with the user')
    .option('--until <D>', 'the day on which it ends by itself, such as 2027-01-31', parseDay)
    .option('--end', 'end the pins of these names now')
    .action(async (username: string, pins: string[], options: Options, command: Command) => {
      await context.withApp(command, async ({ sync }) => {
        for (const pin of pins) {
          const [name = '', ...rest] = pin.split('=');
          if (options.end === true) await endOverride(sync, username, { kind: 'pin', name }, commandLine());
          else if (rest.length === 0) command.error(`error: '${pin}' lacks a value: write ${name}=VALUE`);
          else await pinValue(sync, username, { name, text: rest.join('=') }, decision(options, command));
        }
        const names = pins.map((pin) => pin.split('=')[0] ?? '');
        const verb = options.end === true ? 'no longer pinned' : 'pinned';
        say(
          command,
          { username, names, pinned: options.end !== true },
          `${names.join(', ')} of ${username}: ${verb}, from the next run on.`,
        );
      });
    });

  program
    .command('adopt')
    .description('hand an existing account to a feed, so that its record no longer collides')
    .argument('<USERNAME>', 'the username that the feed knows the person by')
    .option('--email <E>', 'the address of an account made by hand')
    .option('--feed <F>', 'the feed', 'default')
    .action(async (username: string, { email, feed }: { email?: string; feed: string }, command: Command) => {
      await context.withApp(command, async ({ sync }) => {
        const adoption = { ...commandLine(), username, feed, ...(email === undefined ? {} : { email }) };
        const account = await adoptAccount(sync, adoption);
        say(
          command,
          { username, feed, account },
          `Account ${account} is ${username} of feed ${feed} now. The next run brings it in step.`,
        );
      });
    });
};

function decision({ reason, until }: Options, command: Command): OverrideOptions {
  if (reason === undefined) command.error("error: required option '--reason <T>' not specified");
  return { ...commandLine(), reason, ...(until === undefined ? {} : { until }) };
}
