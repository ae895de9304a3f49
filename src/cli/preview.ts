import type { Command } from 'commander';
import { createReadStream } from 'node:fs';
import { loadModel } from '../app.js';
import { compileControlFile, type CompiledMapping, type TraceEvent } from '../mapping/compile.js';
import { previewOutcome, previewRejection, withExplanation, type PreviewLine } from '../mapping/preview.js';
import { ReadError, type ReadItem } from '../readers/reader.js';
import { createReader } from '../readers/registry.js';
import { UserSyncError } from '../lib/errors.js';
import { readControlFile } from '../sync/control.js';
import { readText, unreadable } from './check.js';
import { parseCount, parseNamedFiles, type RegisterCommand } from './command.js';
import { PreviewSummary, previewText, type Paint } from './preview-text.js';

interface PreviewOptions {
  control: string;
  model?: string;
  limit?: number;
  explain?: boolean;
}

/** How records are shown: for programs or for a person. */
interface Presentation {
  /** @param events everything that was traced while the record was mapped, when that is to be shown */
  record(line: PreviewLine, events: readonly TraceEvent[] | undefined): string;
  end(): string;
}

export const registerPreview: RegisterCommand = (program, context) => {
  program
    .command('preview')
    .description('map records without a database: readable on a terminal, else one JSON object a line')
    .argument('<NAME=FILE...>', 'files by the names that the control file lists')
    .requiredOption('--control <C>', 'the control file')
    .option('--model <M>', 'the data model; the configured one unless told')
    .option('--limit <N>', 'at most this many records of each file', parseCount)
    .option('--explain', 'say which instruction set each value')
    .action(async (files: string[], options: PreviewOptions, command: Command) => {
      const config = await context.loadConfig(command);
      const model = await loadModel(options.model ?? config.model);
      const control = readControlFile(await readText(options.control), model, `The control file ${options.control}`);
      const events: TraceEvent[] | undefined = options.explain === true ? [] : undefined;
      const trace = events === undefined ? undefined : (event: TraceEvent) => void events.push(event);
      const mapping = compileControlFile(control, model, undefined, trace);
      // Scripts get the same whether they ask for it or not.
      const isForPrograms = context.wantsJson(command) || !context.terminal.isInteractive;
      const presentation = isForPrograms ? ndjson() : text((...styled) => context.terminal.style(...styled));
      const show = async (name: string, item: ReadItem): Promise<void> => {
        if (events !== undefined) events.length = 0;
        await context.terminal.write(presentation.record(previewLine(name, item, mapping), events));
      };
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
          const batches = read(createReadStream(path), context.signal);
          await forFirst(batches, options.limit ?? Infinity, (item) => show(name, item));
        } catch (error) {
          if (error instanceof ReadError)
            throw new ReadError(error.code, `${path}: ${error.message}`, error.place, error);
          throw isSystemError(error) ? unreadable(path, error) : error;
        }
      }
      await context.terminal.write(presentation.end());
    });
};

async function forFirst(
  batches: AsyncIterable<readonly ReadItem[]>,
  limit: number,
  use: (item: ReadItem) => Promise<void>,
): Promise<void> {
  let left = limit;
  for await (const items of batches) {
    for (const item of items) {
      if (left === 0) return;
      left -= 1;
      await use(item);
    }
  }
}

function ndjson(): Presentation {
  return {
    record: (line, events) => `${JSON.stringify(events === undefined ? line : withExplanation(line, events))}\n`,
    end: () => '',
  };
}

function text(paint: Paint): Presentation {
  const summary = new PreviewSummary();
  return {
    record: (line, events) => {
      summary.add(line);
      return `${previewText(line, paint, events).join('\n')}\n\n`;
    },
    end: () => `${summary.text(paint)}\n`,
  };
}

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
