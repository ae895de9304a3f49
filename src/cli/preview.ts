import type { Command } from 'commander';
import { createReadStream } from 'node:fs';
import { loadModel } from '../app.js';
import { compileControlFile } from '../mapping/compile.js';
import { previewOutcome, previewRejection, type PreviewLine } from '../mapping/preview.js';
import { createReader } from '../readers/registry.js';
import { UserSyncError } from '../lib/errors.js';
import { readControlFile } from '../sync/control.js';
import { readText } from './check.js';
import { parseCount, parseNamedFile, type RegisterCommand } from './command.js';

interface PreviewOptions {
  control: string;
  model?: string;
  limit?: number;
}

export const registerPreview: RegisterCommand = (program, context) => {
  program
    .command('preview')
    .description('map records without a database: one JSON object a line')
    .argument('<NAME=FILE...>', 'files by the names that the control file lists')
    .requiredOption('--control <C>', 'the control file')
    .option('--model <M>', 'the data model; the configured one unless told')
    .option('--limit <N>', 'at most this many records of each file', parseCount)
    .action(async (files: string[], options: PreviewOptions, command: Command) => {
      const config = await context.loadConfig(command);
      const model = await loadModel(options.model ?? config.model);
      const control = readControlFile(await readText(options.control), model, `The control file ${options.control}`);
      const mapping = compileControlFile(control, model);
      const named = files.map(parseNamedFile);
      for (const { name, path } of named) {
        const entry = control.files.find((file) => file.name === name);
        if (entry === undefined)
          throw unknownFile(
            name,
            control.files.map((file) => file.name),
          );
        const read = createReader({ read: entry.read, ...entry.options }, config.limits);
        let left = options.limit ?? Infinity;
        reading: for await (const items of read(createReadStream(path), context.signal)) {
          for (const item of items) {
            if (left === 0) break reading;
            left -= 1;
            const line: PreviewLine =
              item.kind === 'record'
                ? previewOutcome(name, item.position, mapping.map(item.value))
                : previewRejection(
                    name,
                    item.position,
                    item.value === undefined ? null : mapping.readUsername(item.value),
                    [item.error],
                  );
            await context.terminal.write(`${JSON.stringify(line)}\n`);
          }
        }
      }
    });
};

function unknownFile(name: string, expected: readonly string[]): UserSyncError {
  return new UserSyncError(
    'unknown-file',
    `The control file has no file named ${name}. It lists: ${expected.join(', ')}.`,
    {
      kind: 'usage',
    },
  );
}
