import type { Command } from 'commander';
import { loadLanguage } from '../app.js';
import { generateControlFile } from '../mapping/generate.js';
import type { RegisterCommand } from './command.js';

export const registerGenerate: RegisterCommand = (program, context) => {
  program
    .command('generate')
    .description('print a starting control file for the model: every name, with TODO for what only you know')
    .option('--model <M>', 'the data model; the configured one unless told')
    .action(async (options: { model?: string }, command: Command) => {
      const config = await context.loadConfig(command);
      const { language } = await loadLanguage(config, options.model);
      const control = generateControlFile(language.model);
      if (context.wantsJson(command)) context.terminal.json(control);
      else context.terminal.print(JSON.stringify(control, undefined, 2));
    });
};
