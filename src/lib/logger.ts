import { createRequire } from 'node:module';
import type winston from 'winston';
import {
  formatJson,
  formatText,
  loggableFields,
  LOG_LEVELS,
  safeText,
  type LogEntry,
  type LogLevel,
} from './log-format.js';

export type { LogEntry, LogLevel } from './log-format.js';

/** Names and facts beside the message: `run`, `feed`, `stage`, counts, an `error`. Never values of records. */
export type LogFields = Readonly<Record<string, unknown>>;

/** info = an operator cares; warn = recovered by itself; error = needs someone. */
export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to every line. */
  child(fields: LogFields): Logger;
}

export interface RootLogger extends Logger {
  /** Waits until everything is written; what is logged afterwards is dropped. May be called twice. */
  close(): Promise<void>;
}

export interface LoggerOptions {
  /** The least important level that is written; `info` unless told. */
  readonly level?: LogLevel;
  /** `auto` (unless told): text for a terminal, JSON lines otherwise. */
  readonly format?: 'auto' | 'text' | 'json';
  /** Standard error unless told, since standard output belongs to the commands' results. */
  readonly stream?: NodeJS.WritableStream;
  readonly now?: () => Date;
  /** Most likely nothing is logged: what writes is loaded with the first line. */
  readonly isQuiet?: boolean;
}

const require = createRequire(import.meta.url);

/** Logs to a stream through winston. The process's stream is never closed with the logger. */
export function createLogger(options: LoggerOptions = {}): RootLogger {
  const stream = options.stream ?? process.stderr;
  const asJson = options.format === 'json' || (options.format !== 'text' && !isTerminal(stream));
  const colour = !asJson && hasColours(stream);
  const now = options.now ?? (() => new Date());
  const least = LOG_LEVELS.indexOf(options.level ?? 'info');
  const open = (): winston.Logger =>
    winstonTo(stream, (line) => (asJson ? formatJson(line) : formatText(line, colour)));
  let root = options.isQuiet === true ? undefined : open();
  surviveBrokenStream(stream);
  let closing: Promise<void> | undefined;
  return {
    ...scopedLogger({}, (level, message, fields) => {
      if (closing !== undefined || LOG_LEVELS.indexOf(level) > least) return;
      root ??= open();
      // As one field: winston would mix fields named `message` or `level` into the line's own.
      root.log({ level, message: '', entry: entryOf(now(), level, message, fields) });
    }),
    close: () =>
      (closing ??= new Promise((resolve) => {
        if (root === undefined) return resolve();
        root.once('finish', () => resolve());
        root.end();
      })),
  };
}

/** What is written was chosen before. */
function winstonTo(stream: NodeJS.WritableStream, formatted: (line: LogEntry) => string): winston.Logger {
  const { createLogger: create, format, transports } = require('winston') as typeof winston;
  return create({
    level: 'debug',
    format: format.printf(({ entry }) => formatted(entry as LogEntry)),
    transports: [new transports.Stream({ stream, eol: '\n' })],
  });
}

/** A logger that forgets everything. */
export const nullLogger: Logger = scopedLogger({}, () => undefined);

/** A logger that keeps its lines, for tests that ask what was logged. */
export interface MemoryLogger extends Logger {
  readonly entries: readonly LogEntry[];
}

export function memoryLogger(now: () => Date = () => new Date()): MemoryLogger {
  const entries: LogEntry[] = [];
  const logger = scopedLogger({}, (level, message, fields) => entries.push(entryOf(now(), level, message, fields)));
  return { ...logger, entries };
}

type Write = (level: LogLevel, message: string, fields: LogFields) => void;

function scopedLogger(scope: LogFields, write: Write): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void =>
      write(level, message, { ...scope, ...fields });
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    child: (fields) => scopedLogger({ ...scope, ...fields }, write),
  };
}

function entryOf(at: Date, level: LogLevel, message: string, fields: LogFields): LogEntry {
  return { timestamp: at.toISOString(), level, message: safeText(message), fields: loggableFields(fields) };
}

type MaybeTerminal = NodeJS.WritableStream & { readonly isTTY?: boolean; hasColors?: () => boolean };

function isTerminal(stream: MaybeTerminal): boolean {
  return stream.isTTY === true;
}

/** Node's own answer heeds NO_COLOR, FORCE_COLOR and what the terminal can do. */
function hasColours(stream: MaybeTerminal): boolean {
  return isTerminal(stream) && stream.hasColors?.() === true;
}

const guarded = new WeakSet<NodeJS.WritableStream>();

/** A closed terminal or log pipe must not take down a daemon that is writing to its database. */
function surviveBrokenStream(stream: NodeJS.WritableStream): void {
  if (guarded.has(stream)) return;
  guarded.add(stream);
  stream.on('error', () => undefined);
}
