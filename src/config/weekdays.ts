import { z } from 'zod';

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

export type Weekday = (typeof WEEKDAYS)[number];

const DAY = `(?:${WEEKDAYS.join('|')})`;
const RANGE = `${DAY}(?:-${DAY})?`;
const DAYS = new RegExp(`^${RANGE}(?:\\s*,\\s*${RANGE})*$`);

/** `mon-fri`, `sat,sun`, `fri-mon` (over the weekend): parsed to the days in the order of the week. */
export const weekdaysSchema = z
  .string()
  .regex(DAYS, {
    error: `must be days or ranges of days out of ${WEEKDAYS.join(' ')}, such as mon-fri or mon,wed,sat-sun`,
  })
  .transform(expandDays);

function expandDays(text: string): Weekday[] {
  const found = new Set<string>();
  for (const range of text.split(',')) {
    const [from = '', to = from] = range.trim().split('-');
    for (let day = indexOfDay(from); ; day = (day + 1) % WEEKDAYS.length) {
      found.add(WEEKDAYS[day] ?? '');
      if (day === indexOfDay(to)) break;
    }
  }
  return WEEKDAYS.filter((day) => found.has(day));
}

function indexOfDay(name: string): number {
  return WEEKDAYS.findIndex((day) => day === name);
}
