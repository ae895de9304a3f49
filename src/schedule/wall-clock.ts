import { UserSyncError } from '../lib/errors.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * What the clock on a wall shows in a time zone. A _wall time_ is what it shows, written in milliseconds as if it were
 * UTC: a number to calculate with that is no instant. The zone's rules come from Node's ICU, through Intl.
 */
export class WallClock {
  readonly #format: Intl.DateTimeFormat;

  /** @throws {UserSyncError} `invalid-schedule` for a zone that does not exist */
  constructor(timeZone: string) {
    try {
      this.#format = new Intl.DateTimeFormat('en-US', {
        timeZone,
        calendar: 'gregory',
        numberingSystem: 'latn',
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      });
    } catch (error) {
      throw new UserSyncError('invalid-schedule', `There is no time zone "${timeZone}".`, { cause: error });
    }
  }

  /** The wall time at an instant (milliseconds since 1970). */
  wallAt(instant: number): number {
    return instant + this.offsetAt(instant);
  }

  /** How many milliseconds the clock is ahead of UTC. */
  offsetAt(instant: number): number {
    const second = Math.floor(instant / 1000) * 1000;
    const parts = this.#format.formatToParts(second);
    const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.find((one) => one.type === type)?.value);
    const [hour, minute, rest] = [part('hour'), part('minute'), part('second')];
    return Date.UTC(part('year'), part('month') - 1, part('day'), hour, minute, rest) - second;
  }

  /**
   * The first instant at which the clock shows this wall time, or is past it. So a time that comes twice, when clocks go
   * back, is the first of the two; a time that is jumped over, when clocks go forward, is the moment of the jump.
   * Undefined if the whole day was jumped over, as on a side of the date line that was left.
   */
  firstInstant(wall: number): number | undefined {
    // No zone is further from UTC than that, and none changes twice within two days.
    const offsets = [this.offsetAt(wall - DAY_MS), this.offsetAt(wall + DAY_MS)];
    const [early, late] = [wall - Math.max(...offsets), wall - Math.min(...offsets)];
    if (this.wallAt(early) === wall) return early;
    if (this.wallAt(late) === wall) return late;
    const jump = firstWhere(early, late, (instant) => this.wallAt(instant) > wall);
    const touched = [this.wallAt(jump - 1), this.wallAt(jump)].map(startOfDay);
    return touched.includes(startOfDay(wall)) ? jump : undefined;
  }

  /** The first instant after `from`, up to `to`, at which the clock is set; undefined when it is not. At most a day. */
  firstChange(from: number, to: number): number | undefined {
    const offset = this.offsetAt(from);
    return this.offsetAt(to) === offset
      ? undefined
      : firstWhere(from, to, (instant) => this.offsetAt(instant) !== offset);
  }
}

/** The wall time at which its day begins. */
export function startOfDay(wall: number): number {
  return Math.floor(wall / DAY_MS) * DAY_MS;
}

/** The first of `from + 1 … to` where `holds`, which stays true once it is. */
function firstWhere(from: number, to: number, holds: (instant: number) => boolean): number {
  let [before, after] = [from, to];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (holds(middle)) after = middle;
    else before = middle;
  }
  return after;
}
