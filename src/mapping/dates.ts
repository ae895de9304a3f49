/**
 * Dates in the letters of Java's `SimpleDateFormat`, read strictly: the whole text must match, every field must be in
 * range, and fields that say the same thing twice (a weekday, am/pm beside a 24-hour clock) must agree.
 *
 * The result is ISO 8601: `2026-11-22` for a format without time of day, `2026-11-22T09:30:00` for one with, and the
 * same moment in UTC with a final `Z` when the format has a time zone. Months and days that the format leaves out are
 * the first ones, as in Java.
 */
export type DateFormat =
  | {
      readonly ok: true;
      readonly parse: DateParser;
      /** What makes the format look like a slip, although it can be read. */
      readonly doubt?: string;
    }
  | { readonly ok: false; readonly problem: string };

/** Undefined when the text is not a date in the format. */
export type DateParser = (text: string) => string | undefined;

export function compileDateFormat(format: string): DateFormat {
  const parts = splitFormat(format);
  if (typeof parts === 'string') return { ok: false, problem: parts };
  const problem = problemOf(parts);
  if (problem !== undefined) return { ok: false, problem };
  const fields = parts.flatMap((part) => (part.kind === 'field' ? [part.field] : []));
  const pattern = new RegExp(`^${parts.map(patternOf).join('')}$`, 'i');
  const hasTime = fields.some((field) => TIME_FIELDS.includes(field));
  const hasZone = fields.includes('zone');
  const parse: DateParser = (text) => parseDate(text, pattern, fields, hasTime || hasZone, hasZone);
  const isSlip = fields.includes('minute') && !fields.includes('hour24') && !fields.includes('hour12');
  return isSlip
    ? { ok: true, parse, doubt: 'the date format has minutes (`mm`) and no hour: the month is `MM`' }
    : { ok: true, parse };
}

type Field =
  | 'year'
  | 'month'
  | 'monthName'
  | 'day'
  | 'weekday'
  | 'hour24'
  | 'hour12'
  | 'half'
  | 'minute'
  | 'second'
  | 'millisecond'
  | 'zone';

type Part =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'field'; readonly field: Field; readonly pattern: string; readonly variableDigits: boolean };

const TIME_FIELDS: readonly Field[] = ['hour24', 'hour12', 'minute', 'second', 'millisecond'];

const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

const SUPPORTED = '`yyyy MM MMM dd HH hh mm ss SSS a Z X EEE`';

/** The parts of a format, or what is wrong with it. */
function splitFormat(format: string): readonly Part[] | string {
  const parts: Part[] = [];
  for (const [token, quoted, letters] of format.matchAll(/'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z]/g)) {
    if (quoted !== undefined) {
      parts.push({ kind: 'literal', text: quoted === '' ? "'" : quoted.replaceAll("''", "'") });
    } else if (letters !== undefined) {
      const field = fieldOf(letters, token.length);
      if (field === undefined) {
        return `\`${token.slice(0, 20)}\` is not supported in a date format: use ${SUPPORTED} and put text in single quotes`;
      }
      parts.push(field);
    } else if (token === "'") {
      return 'a quote in the date format is not closed';
    } else {
      parts.push({ kind: 'literal', text: token });
    }
  }
  return parts;
}

/** A single letter takes one or two digits, a doubled one exactly two, as people mean them. */
function fieldOf(letter: string, count: number): Part | undefined {
  const number = (field: Field): Part | undefined => {
    if (count > 2) return undefined;
    return { kind: 'field', field, pattern: count === 1 ? '(\\d{1,2})' : '(\\d{2})', variableDigits: count === 1 };
  };
  const fixed = (field: Field, pattern: string): Part => ({ kind: 'field', field, pattern, variableDigits: false });
  switch (letter) {
    case 'y':
      // Two digits would need a guess of the century that changes with the clock.
      return count === 4 || count === 1 ? fixed('year', '(\\d{4})') : undefined;
    case 'M':
      if (count <= 2) return number('month');
      if (count > 4) return undefined;
      return fixed('monthName', `(${MONTHS.map((name) => (count === 3 ? name.slice(0, 3) : name)).join('|')})`);
    case 'd':
      return number('day');
    case 'E':
      if (count > 4) return undefined;
      return fixed('weekday', `(${WEEKDAYS.map((name) => (count < 4 ? name.slice(0, 3) : name)).join('|')})`);
    case 'H':
      return number('hour24');
    case 'h':
      return number('hour12');
    case 'm':
      return number('minute');
    case 's':
      return number('second');
    case 'S':
      return count === 3 ? fixed('millisecond', '(\\d{3})') : undefined;
    case 'a':
      return count === 1 ? fixed('half', '(am|pm)') : undefined;
    case 'Z':
      return count === 1 ? fixed('zone', '([+-]\\d{4})') : undefined;
    case 'X':
      return count > 3 ? undefined : fixed('zone', `(Z|[+-]\\d{2}${['', '\\d{2}', ':\\d{2}'][count - 1] ?? ''})`);
    default:
      return undefined;
  }
}

function problemOf(parts: readonly Part[]): string | undefined {
  const fields = parts.flatMap((part) => (part.kind === 'field' ? [part.field] : []));
  if (!fields.includes('year')) return 'the date format has no year (`yyyy`)';
  const repeated = fields.find((field, index) => fields.indexOf(field) !== index);
  if (repeated !== undefined) return `the date format has the ${repeated} twice`;
  if (fields.includes('hour12') && !fields.includes('half')) return '`hh` needs `a`, which says am or pm';
  if (fields.includes('half') && !fields.includes('hour12') && !fields.includes('hour24')) return '`a` needs `hh`';
  const ambiguous = parts.some((part, index) => {
    const next = parts[index + 1];
    return part.kind === 'field' && part.variableDigits && next?.kind === 'field' && next.pattern.startsWith('(\\d');
  });
  if (ambiguous) return 'a field of one or two digits is followed by digits: double its letter, such as `MM`';
  return undefined;
}

function patternOf(part: Part): string {
  return part.kind === 'field' ? part.pattern : part.text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

function parseDate(
  text: string,
  pattern: RegExp,
  fields: readonly Field[],
  hasTime: boolean,
  hasZone: boolean,
): string | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  let year = 0;
  let month = 1;
  let monthByName = 0;
  let day = 1;
  let weekday = -1;
  let hour = 0;
  let hour12 = 0;
  let isPm: boolean | undefined;
  let minute = 0;
  let second = 0;
  let millisecond = -1;
  let offsetMinutes = 0;
  for (let index = 0; index < fields.length; index++) {
    const part = match[index + 1] ?? '';
    switch (fields[index]) {
      case 'year':
        year = Number(part);
        break;
      case 'month':
        month = Number(part);
        break;
      case 'monthName':
        monthByName = MONTHS.findIndex((name) => name.startsWith(part.toLowerCase())) + 1;
        break;
      case 'day':
        day = Number(part);
        break;
      case 'weekday':
        weekday = WEEKDAYS.findIndex((name) => name.startsWith(part.toLowerCase()));
        break;
      case 'hour24':
        hour = Number(part);
        break;
      case 'hour12':
        hour12 = Number(part);
        if (hour12 < 1 || hour12 > 12) return undefined;
        break;
      case 'half':
        isPm = part.toLowerCase() === 'pm';
        break;
      case 'minute':
        minute = Number(part);
        break;
      case 'second':
        second = Number(part);
        break;
      case 'millisecond':
        millisecond = Number(part);
        break;
      case 'zone': {
        const offset = offsetOf(part);
        if (offset === undefined) return undefined;
        offsetMinutes = offset;
        break;
      }
      case undefined:
        break;
    }
  }
  if (monthByName > 0) {
    if (fields.includes('month') && month !== monthByName) return undefined;
    month = monthByName;
  }
  if (hour12 > 0) {
    const asHour24 = (hour12 % 12) + (isPm === true ? 12 : 0);
    if (fields.includes('hour24') && hour !== asHour24) return undefined;
    hour = asHour24;
  } else if (isPm !== undefined && isPm !== hour >= 12) {
    return undefined;
  }
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  if (weekday >= 0 && weekday !== weekdayOf(year, month, day)) return undefined;
  const date = `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`;
  if (!hasTime) return date;
  const fraction = millisecond < 0 ? '' : `.${padded(millisecond, 3)}`;
  const local = `${date}T${padded(hour, 2)}:${padded(minute, 2)}:${padded(second, 2)}${fraction}`;
  return hasZone ? inUtc(local, offsetMinutes, fraction !== '') : local;
}

function offsetOf(part: string): number | undefined {
  if (part === 'Z' || part === 'z') return 0;
  const digits = part.replace(':', '');
  const hours = Number(digits.slice(1, 3));
  const minutes = Number(digits.slice(3) || '0');
  if (hours > 18 || minutes > 59) return undefined;
  return (digits.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

/** Undefined for the few hours before year 1 or after year 9999 that a zone can reach. */
function inUtc(local: string, offsetMinutes: number, withFraction: boolean): string | undefined {
  const iso = new Date(Date.parse(`${local}Z`) - offsetMinutes * 60_000).toISOString();
  if (!/^\d{4}-/.test(iso) || iso.startsWith('0000')) return undefined;
  return withFraction ? iso : `${iso.slice(0, 19)}Z`;
}

function daysOf(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** 0 is Sunday. By way of `setUTCFullYear`, since `Date.UTC` takes years below 100 for the 1900s. */
function weekdayOf(year: number, month: number, day: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCDay();
}

function padded(value: number, digits: number): string {
  if (digits === 2) return value < 10 ? `0${value}` : `${value}`;
  return String(value).padStart(digits, '0');
}
