import fc from 'fast-check';

/**
 * Fine enough: since 2016 every zone is a multiple of 15 minutes from UTC, and changes at such a time. All but
 * Antarctica/Casey, which put its clocks on at one minute past midnight in 2020, 2021 and 2022.
 */
export const STEP_MS = 5 * 60_000;
export const DAY_MS = 24 * 60 * 60_000;

export interface Moment {
  readonly at: number;
  /** What a clock on the wall shows, in milliseconds as if it were UTC. */
  readonly wall: number;
}

/** What the clock shows at every step of a time: the naive model knows no rule of any zone, it only looks. */
export function moments(timeZone: string, from: number, to: number): Moment[] {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  const found: Moment[] = [];
  for (let at = Math.ceil(from / STEP_MS) * STEP_MS; at <= to; at += STEP_MS) {
    found.push({ at, wall: Date.parse(`${format.format(at).replace(' ', 'T')}Z`) });
  }
  return found;
}

/** Any zone, and often those with changes of an hour, of half an hour, at midnight, or over it. */
export const anyZone = fc.oneof(
  fc.constantFrom(
    'Europe/London',
    'America/New_York',
    'Australia/Lord_Howe',
    'America/Nuuk',
    'Africa/Cairo',
    'Asia/Beirut',
    'America/Havana',
    'Africa/Casablanca',
  ),
  fc.constantFrom(...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'Antarctica/Casey')),
);

/** An instant near a change of the zone's clock if it has any in that year, else any of the year. */
export function instantNear(timeZone: string, year: number, change: number, minutes: number): number {
  const start = Date.UTC(year, 0, 1);
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  const offsetAt = (day: number): string => format.format(start + day * DAY_MS).split('GMT')[1] ?? '';
  const days = Array.from({ length: 365 }, (_, day) => day).filter((day) => offsetAt(day) !== offsetAt(day + 1));
  const day = days[change % Math.max(1, days.length)] ?? change % 365;
  return start + day * DAY_MS + minutes * 60_000;
}
