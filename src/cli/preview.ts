import type { Command } from 'commander';
import { createReadStream } from 'node:fs';
import { loadModel } from '../app.js';
import { compileControlFile, type CompiledMapping } from '../mapping/compile.js';
import { previewOutcome, previewRejection, type PreviewLine } from '../mapping/preview.js';
import { ReadError, type ReadItem } from '../readers/reader.js';
import { createReader } from '../readers/registry.js';
import { UserSyncError } from '../lib/errors.js';
import { readControlFile } from '../sync/control.js';
import { readText, unreadable } from './check.js';
import { parseCount, parseNamedFiles, type RegisterCommand } from './command.js';

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
      const named = parseNamedFiles(files);
      for (const { name, path } of named) {
        const entry = control.files.find((file) => file.name === name);
        if (entry === undefined)
          throw unknownFile(
            name,
            control.files.map((file) => file.name),
          );
        const read = createReader({ read: entry.read, ...entry.options }, config.limits);
        try {
          await previewFile(name, read(createReadStream(path), context.signal), options.limit ?? Infinity, mapping);
        } catch (error) {
          if (error instanceof ReadError)
            throw new ReadError(error.code, `${path}: ${error.message}`, error.place, error);
          throw isSystemError(error) ? unreadable(path, error) : error;
        }
      }
    });

  async function previewFile(
    name: string,
    batches: AsyncIterable<readonly ReadItem[]>,
    limit: number,
    mapping: CompiledMapping,
  ): Promise<void> {
    let left = limit;
    for await (const items of batches) {
      for (const item of items) {
        if (left === 0) return;
        left -= 1;
        await context.terminal.write(`${JSON.stringify(previewLine(name, item, mapping))}\n`);
      }
    }
  }
};

function previewLine(name: string, item: ReadItem, mapping: CompiledMapping): PreviewLine {
  if (item.kind === 'record') return previewOutcome(name, item.position, mapping.map(item.value));
  const username = item.value === undefined ? null : mapping.readUsername(item.value);
  return previewRejection(name, item.position, username, [item.error]);
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

function unknownFile(name: string, expected: readonly string[]): UserSyncError {
  return new UserSyncError(
    'unknown-file',
    `The control file has no file named ${name}. It lists: ${expected.join(', ')}.`,
    {
      kind: 'usage',
    },
  );
}
