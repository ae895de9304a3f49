import { printable } from './printable.js';
import { serialiseError, summariseError, type SerialisedError } from './serialise-error.js';

/** One line of the log before it is text. */
export interface LogEntry {
  readonly timestamp: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

const MAX_DEPTH = 6;
const MAX_ITEMS = 100;
const MAX_TEXT = 8192;
const SECRET_NAME = /(?:password|passphrase|secret|token|authorization|cookie|api[-_]?key)$/i;
const URL_PASSWORD = /(:\/\/[^\s:@/]*):[^\s/]*@/g;

/**
 * Values as they may be logged: plain data of bounded size, errors without what quotes rows, and no secrets, whether by
 * the name of their field or as the password in a URL.
 */
function loggable(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return safeText(value);
  if (value instanceof Error) return loggable(serialiseError(value), depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (value instanceof URL) return safeText(value.href);
  if (value instanceof Uint8Array) return `<${value.byteLength} bytes>`;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') return `<${typeof value}>`;
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '…';
  if (value instanceof Map) return loggable(Object.fromEntries(value), depth);
  if (value instanceof Set || Array.isArray(value)) {
    return [...value].slice(0, MAX_ITEMS).map((item) => loggable(item, depth + 1));
  }
  return loggableFields(value as Record<string, unknown>, depth);
}

export function loggableFields(fields: Readonly<Record<string, unknown>>, depth = 0): Record<string, unknown> {
  const entries = Object.entries(fields).slice(0, MAX_ITEMS);
  return Object.fromEntries(
    entries
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, SECRET_NAME.test(name) && value !== null ? '***' : loggable(value, depth + 1)]),
  );
}

export function safeText(text: string): string {
  // Masked before it is cut, so that no cut can hide where a password ends.
  const masked = text.slice(0, 2 * MAX_TEXT).replace(URL_PASSWORD, '$1:***@');
  return masked.length > MAX_TEXT ? `${masked.slice(0, MAX_TEXT)}… (${text.length} characters)` : masked;
}

/** One JSON object on one line. Fields named like the line's own three keep their name with `_` behind it. */
export function formatJson(entry: LogEntry): string {
  const { timestamp, level, message } = entry;
  const fields = Object.entries(entry.fields).map(([name, value]) => [
    name === 'timestamp' || name === 'level' || name === 'message' ? `${name}_` : name,
    value,
  ]);
  // A terminal obeys C1 controls, which JSON does not escape.
  return printable(JSON.stringify({ timestamp, level, message, ...Object.fromEntries(fields) }));
}

/** `2026-11-22T08:30:00.000Z info  [run 7 hr stage] message name=value …`, errors with their frames on further lines. */
export function formatText(entry: LogEntry, colour: boolean): string {
  const { run, feed, stage, ...fields } = entry.fields;
  const scope = [run === undefined ? undefined : `run ${asText(run)}`, feed, stage]
    .filter((part) => part !== undefined)
    .map(asText)
    .join(' ');
  const paint = (code: string, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const parts = [
    paint('2', entry.timestamp),
    paint(COLOURS[entry.level], entry.level.padEnd(5)),
    ...(scope === '' ? [] : [paint('36', `[${printable(scope)}]`)]),
    printable(entry.message),
    ...Object.entries(fields).map(([name, value]) => paint('2', `${printable(name)}=`) + asField(value)),
  ];
  const stacks = Object.values(fields).flatMap((value) => (isSerialisedError(value) ? (value.stack ?? []) : []));
  return [parts.join(' '), ...stacks.map((frame) => paint('2', `    ${printable(frame)}`))].join('\n');
}

const COLOURS: Readonly<Record<LogLevel, string>> = { error: '31', warn: '33', info: '32', debug: '34' };

function asField(value: unknown): string {
  if (isSerialisedError(value)) return printable(JSON.stringify(summariseError(value)));
  if (typeof value === 'string') return /^[\w.:/@+-]+$/.test(value) ? value : printable(JSON.stringify(value));
  return printable(JSON.stringify(value) ?? '');
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function isSerialisedError(value: unknown): value is SerialisedError {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    'message' in value &&
    typeof value.message === 'string'
  );
}
