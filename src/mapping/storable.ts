import type { JsonValue } from '../domain/record.js';

/** Which values Postgres can keep, and how the others are shown. */

/** Postgres takes neither the null character nor half of a surrogate pair, in text or in jsonb. */
const UNSTORABLE = /\0|\p{Surrogate}/u;

/** For the error list: anything longer helps nobody to find the record. */
const SHOWN_LENGTH = 200;

/** The nesting that readers let through; deeper values come from nowhere else. */
const MAX_DEPTH = 100;

export function isStorableText(text: string): boolean {
  return !UNSTORABLE.test(text);
}

export type Unstorable = 'null-character' | 'invalid-number' | 'too-deep';

/** What keeps a JSON value, with all in it, from being stored exactly. */
export function whyUnstorable(value: JsonValue, depth = 0): Unstorable | undefined {
  if (typeof value === 'string') return isStorableText(value) ? undefined : 'null-character';
  if (typeof value === 'number') return isExactNumber(value) ? undefined : 'invalid-number';
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth >= MAX_DEPTH) return 'too-deep';
  for (const [key, member] of Object.entries(value)) {
    const why = isStorableText(key) ? whyUnstorable(member, depth + 1) : 'null-character';
    if (why !== undefined) return why;
  }
  return undefined;
}

/** Beyond 2^53 the number in the file may have been another one. */
export function isExactNumber(value: number): boolean {
  return Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
}

/** The value of a source field as it is shown in an error list: cut short, and storable. */
export function shownValue(value: JsonValue): string {
  const text = typeof value === 'string' ? value.slice(0, SHOWN_LENGTH + 1) : jsonOf(value);
  const cut = text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
  return cut.replace(/\0|\p{Surrogate}/gu, '\ufffd');
}

function jsonOf(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return String(value);
  // What could be large or deep is named instead: writing it out to cut it short would cost more than it tells.
  const members = Object.values(value);
  const isSmall = members.length <= 20 && members.every((member) => typeof member !== 'object' || member === null);
  if (!isSmall) return Array.isArray(value) ? `(a list of ${members.length})` : `(an object of ${members.length})`;
  return JSON.stringify(value);
}
