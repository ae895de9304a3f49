import { createTask, parse, type ParsedFields, type ScheduledTask } from 'node-cron';
import { messageOf, UserSyncError } from '../lib/errors.js';
import { startOfDay, WallClock } from './wall-clock.js';

const MINUTE_MS = 60 * 1000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const HOURS_OF_A_DAY = 24;
/** 29 February may be eight years away (1896–1904, 2096–2104). */
const MAX_DAYS = 8 * 366 + 1;

/**
 * When a job is due, in a time zone.
 *
 * node-cron says what an expression means: it parses, validates, and tells whether a day is one of the expression's. When
 * the next time is, is computed here, since node-cron 4.6 does neither hold at daylight-saving changes nor let tests hold
 * its clock. Measured: a daily job at a time that does not exist is left out that day (01:30 Europe/London on 2026-03-29,
 * 02:30 America/New_York on 2026-03-08, 02:15 Australia/Lord_Howe on 2026-10-04), and a job of every 20 minutes stops
 * for an hour when clocks go back (New York 2026-11-01, 05:40Z to 07:00Z; half an hour on Lord Howe Island).
 *
 * The rules are those of cron(8) of Debian:
 * - A job of certain hours is due once for each of its times. One that is jumped over is due at the jump; several such,
 *   once together. One that comes twice is due the first time.
 * - A job of every hour goes by the time that passes: it is due whenever the clock shows one of its times.
 */
export class CronSchedule {
  /** A job of every hour, such as one of every ten minutes. */
  readonly isContinuous: boolean;
  readonly #fields: ParsedFields;
  readonly #clock: WallClock;
  /** Never started. In UTC, so that a wall time is asked for as it stands. */
  readonly #calendar: ScheduledTask;

  /** @throws {UserSyncError} `invalid-schedule` */
  constructor(expression: string, timeZone: string) {
    this.#clock = new WallClock(timeZone);
    try {
      this.#fields = sorted(parse(expression));
      this.#calendar = createTask(expression, () => undefined, { timezone: 'UTC' });
    } catch (error) {
      throw new UserSyncError('invalid-schedule', `"${expression}" is no cron expression: ${messageOf(error)}`);
    }
    // Else node-cron keeps it for ever.
    void this.#calendar.destroy();
    this.isContinuous = this.#fields.hour.length === HOURS_OF_A_DAY;
  }

  /** The first time after `instant` (milliseconds since 1970); undefined when there is none in the next eight years. */
  next(instant: number): number | undefined {
    return this.isContinuous ? this.#nextContinuous(instant) : this.#nextOfHours(instant);
  }

  #nextOfHours(instant: number): number | undefined {
    let slot = this.#slotAfter(this.#clock.wallAt(instant));
    while (slot !== undefined) {
      const due = this.#clock.firstInstant(slot);
      if (due !== undefined && due > instant) return due;
      slot = this.#slotAfter(slot);
    }
    return undefined;
  }

  /** Goes from one change of the clock to the next, since wall times only count up in between. */
  #nextContinuous(instant: number): number | undefined {
    let at: number | undefined = instant;
    let due: number | undefined;
    while (at !== undefined) {
      const wall = this.#clock.wallAt(at);
      if (at !== instant && this.#isSlot(wall)) return at;
      const slot = this.#slotAfter(wall);
      if (slot === undefined) return undefined;
      due = at + slot - wall;
      at = this.#changeBetween(at, due);
    }
    return due;
  }

  #changeBetween(from: number, to: number): number | undefined {
    for (let at = from; at < to; at += DAY_MS) {
      const change = this.#clock.firstChange(at, Math.min(to, at + DAY_MS));
      if (change !== undefined) return change;
    }
    return undefined;
  }

  #isSlot(wall: number): boolean {
    const day = startOfDay(wall);
    return this.#isOneOfItsDays(day) && this.#slotOnDay(day, wall - 1) === wall;
  }

  /** The first wall time after `wall` that the expression names, whether the clock ever shows it or not. */
  #slotAfter(wall: number): number | undefined {
    let day = startOfDay(wall);
    for (let days = 0; days < MAX_DAYS; days += 1, day += DAY_MS) {
      const slot = this.#isOneOfItsDays(day) ? this.#slotOnDay(day, wall) : undefined;
      if (slot !== undefined) return slot;
    }
    return undefined;
  }

  #slotOnDay(day: number, wall: number): number | undefined {
    const { hour: hours, minute: minutes, second: seconds } = this.#fields;
    for (const hour of hours) {
      const startOfHour = day + hour * HOUR_MS;
      if (startOfHour + HOUR_MS <= wall) continue;
      for (const minute of minutes) {
        const startOfMinute = startOfHour + minute * MINUTE_MS;
        if (startOfMinute + MINUTE_MS <= wall) continue;
        for (const second of seconds) {
          const slot = startOfMinute + second * 1000;
          if (slot > wall) return slot;
        }
      }
    }
    return undefined;
  }

  #isOneOfItsDays(day: number): boolean {
    const { hour, minute, second } = this.#fields;
    const time = (hour[0] ?? 0) * HOUR_MS + (minute[0] ?? 0) * MINUTE_MS + (second[0] ?? 0) * 1000;
    return this.#calendar.match(new Date(day + time));
  }
}

function sorted(fields: ParsedFields): ParsedFields {
  const ascending = (values: readonly number[]): number[] => [...new Set(values)].sort((a, b) => a - b);
  return {
    ...fields,
    hour: ascending(fields.hour),
    minute: ascending(fields.minute),
    second: ascending(fields.second),
  };
}
