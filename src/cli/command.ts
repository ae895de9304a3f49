import { InvalidArgumentError, type Command } from 'commander';
import { App } from '../app.js';
import type { Config } from '../config/config.js';
import { loadConfig } from '../config/load.js';
import { rightsMissing } from '../db/rights.js';
import { NOT_ALLOWED, sqlState } from '../db/sqlstate.js';
import { UserSyncError } from '../lib/errors.js';
import { createLogger, type LogLevel, type RootLogger } from '../lib/logger.js';
import type { Terminal } from './terminal.js';

/** The program's exit codes. */
export const EXIT = { done: 0, failed: 1, usage: 2, held: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Options that every command understands. */
export interface GlobalOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** What commands share. A command reports how it ended by `exitCode`; errors are thrown. */
export class CommandContext {
  readonly terminal: Terminal;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  exitCode: ExitCode = EXIT.done;

  constructor(terminal: Terminal, signal: AbortSignal) {
    this.terminal = terminal;
    this.signal = signal;
  }

  loadConfig(command: Command): Promise<Config> {
    return loadConfig({ file: command.optsWithGlobals<GlobalOptions>().config });
  }

  wantsJson(command: Command): boolean {
    return command.optsWithGlobals<GlobalOptions>().json === true;
  }

  /** Commands say by their result what happened; beside it only what nobody expected is logged, unless asked for. */
  logger(config: Config, least: LogLevel = 'error'): RootLogger {
    const { level, format } = config.log;
    return createLogger({ format, level: level === 'debug' ? level : least, isQuiet: true });
  }

  /** Opens the app for the time of `work`. */
  async withApp<T>(command: Command, work: (app: App) => Promise<T>): Promise<T> {
    const config = await this.loadConfig(command);
    const logger = this.logger(config);
    try {
      const app = await App.open(config, logger);
      try {
        return await work(app);
      } catch (error) {
        throw sqlState(error) === NOT_ALLOWED ? rightsMissing(error) : error;
      } finally {
        await app.close();
      }
    } finally {
      await logger.close();
    }
  }
}

/** Adds one command to the program. */
export type RegisterCommand = (program: Command, context: CommandContext) => void;

/** @throws UserSyncError `usage` */
export function parseRunId(text: string): number {
  const id = Number(text);
  if (Number.isSafeInteger(id) && id > 0) return id;
  throw new UserSyncError(
    'usage',
    `"${text}" is no run id: a whole number such as 12, as \`user-sync runs\` lists them.`,
    {
      kind: 'usage',
    },
  );
}

/** @throws UserSyncError `usage` */
export function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new UserSyncError('usage', `"${text}" is not a whole number above 0.`, { kind: 'usage' });
}

export interface NamedFile {
  readonly name: string;
  readonly path: string;
}

/**
 * The files of a batch as given to sync and preview.
 *
 * @throws UserSyncError `usage`
 */
export function parseNamedFiles(texts: readonly string[]): NamedFile[] {
  const files = texts.map(parseNamedFile);
  const repeated = files.find(({ name }, index) => files.findIndex((other) => other.name === name) < index);
  if (repeated === undefined) return files;
  throw new UserSyncError('usage', `"${repeated.name}" is given twice: a batch has one file of each name.`, {
    kind: 'usage',
  });
}

function parseNamedFile(text: string): NamedFile {
  const at = text.indexOf('=');
  if (at > 0 && at < text.length - 1) return { name: text.slice(0, at), path: text.slice(at + 1) };
  throw new UserSyncError(
    'usage',
    `"${text}" does not say which file it is: give NAME=FILE, where NAME is listed in the control file's "files".`,
    { kind: 'usage' },
  );
}

/** A day ends when it is over everywhere it is named: at midnight UTC after it. */
export function parseDay(text: string): Date {
  const date = new Date(`${text}T24:00:00Z`);
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || Number.isNaN(date.getTime())) {
    throw new InvalidArgumentError('Write a day as 2027-01-31.');
  }
  return date;
}
