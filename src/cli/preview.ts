import type { Command } from 'commander';
import { createReadStream } from 'node:fs';
import { loadLanguage } from '../app.js';
import { compileControlFile, type TraceEvent } from '../mapping/compile.js';
import { FieldsSeen } from '../mapping/fields-seen.js';
import { withExplanation, type PreviewLine } from '../mapping/preview.js';
import { readControlFile } from '../sync/control.js';
import { previewLine, previewRecords, type PreviewFile } from '../sync/preview.js';
import { readText, unreadable } from './check.js';
import { parseCount, parseNamedFiles, type NamedFile, type RegisterCommand } from './command.js';
import { printable } from '../lib/printable.js';
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
    .option('--limit <N>', 'at most this many records of each file (with a record processor: in all)', parseCount)
    .option('--explain', 'say which instruction set each value')
    .action(async (files: string[], options: PreviewOptions, command: Command) => {
      const config = await context.loadConfig(command);
      const { language } = await loadLanguage(config, options.model);
      const control = readControlFile(await readText(options.control), language, `The control file ${options.control}`);
      const events: TraceEvent[] | undefined = options.explain === true ? [] : undefined;
      const trace = events === undefined ? undefined : (event: TraceEvent) => void events.push(event);
      const mapping = compileControlFile(control, language.model, undefined, trace, language.filters);
      // Scripts get the same whether they ask for it or not.
      const isForPrograms = context.wantsJson(command) || !context.terminal.isInteractive;
      const presentation = isForPrograms ? ndjson() : text((...styled) => context.terminal.style(...styled));
      const records = previewRecords({
        files: parseNamedFiles(files).map(fileOf),
        control,
        language,
        limits: config.limits,
        signal: context.signal,
        warn: (message) => {
          context.terminal.note(printable(message));
        },
        most: options.limit ?? Infinity,
      });
      const fields = new FieldsSeen(control);
      for await (const record of records) {
        if (record.item.kind === 'record') fields.add(record.item.value);
        if (events !== undefined) events.length = 0;
        await context.terminal.write(presentation.record(previewLine(record, mapping), events));
      }
      await context.terminal.write(presentation.end());
      for (const hint of fields.hints()) context.terminal.note(printable(hint));
    });
};

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

function fileOf({ name, path }: NamedFile): PreviewFile {
  return {
    name,
    what: path,
    async *bytes() {
      try {
        yield* createReadStream(path) as AsyncIterable<Uint8Array>;
      } catch (error) {
        throw unreadable(path, error);
      }
    },
  };
}
