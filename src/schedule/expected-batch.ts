import { WEEKDAYS, type Weekday } from '../config/weekdays.js';
import { startOfDay, WallClock } from './wall-clock.js';

/** When a feed should have a batch: `expect` of its configuration. */
export interface Expectation {
  /** Time of day, `HH:MM`. */
  readonly by: string;
  readonly days: readonly Weekday[];
  readonly timeZone: string;
}

export interface BatchHistory {
  readonly now: Date;
  /** Since when the feed exists: deadlines up to then do not count. */
  readonly since: Date;
  /** When a batch was last taken in. */
  readonly lastBatchAt: Date | null;
  /** The deadline for which an alarm was last raised. */
  readonly alarmedFor: Date | null;
}

export interface ExpectedBatch {
  /** The last deadline that has passed; null when none has. */
  readonly last: Date | null;
  readonly next: Date;
  /** No batch has come for the last deadline yet. */
  readonly isOverdue: boolean;
  /** An alarm is to be raised for the last deadline: it is overdue, and there was none. */
  readonly isAlarmDue: boolean;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/**
 * A batch counts for a deadline when it came on the deadline's day, or this long before the deadline: so one of the
 * evening counts for the next morning, and one that was late in the morning does not count for the morning after it.
 */
const EARLY_MS = DAY_MS / 2;
/** Deadlines are a week apart at most, and a day that was skipped at the date line makes it two. */
const REACH_DAYS = 15;

/**
 * Whether a feed waits for a batch that should be here. Pure: what was alarmed for is kept by the caller, so there is
 * one alarm a deadline, also if the program was not running when it passed.
 */
export function expectedBatch(expectation: Expectation, history: BatchHistory): ExpectedBatch {
  const { now, since, lastBatchAt, alarmedFor } = history;
  const clock = new WallClock(expectation.timeZone);
  const deadlines = deadlinesAround(expectation, clock, now.getTime());
  const next = deadlines.find(({ at }) => at > now.getTime());
  if (next === undefined) throw new RangeError('There is no next deadline: a day of the week must be given.');
  const last = deadlines.findLast(({ at }) => at <= now.getTime() && at > since.getTime());
  const isOverdue = last !== undefined && (lastBatchAt === null || lastBatchAt.getTime() < last.countsFrom);
  return {
    last: last === undefined ? null : new Date(last.at),
    next: new Date(next.at),
    isOverdue,
    isAlarmDue: isOverdue && (alarmedFor === null || alarmedFor.getTime() < last.at),
  };
}

interface Deadline {
  readonly at: number;
  /** Batches from then on count for it. */
  readonly countsFrom: number;
}

/** In order. At daylight-saving changes, a time that does not exist is the moment of the jump; of one that comes twice, the first. */
function deadlinesAround({ by, days }: Expectation, clock: WallClock, now: number): Deadline[] {
  const [hours = 0, minutes = 0] = by.split(':').map(Number);
  const today = startOfDay(clock.wallAt(now));
  const deadlines: Deadline[] = [];
  for (let day = today - REACH_DAYS * DAY_MS; day <= today + REACH_DAYS * DAY_MS; day += DAY_MS) {
    if (!days.includes(weekdayOf(day))) continue;
    const at = clock.firstInstant(day + (hours * 60 + minutes) * 60_000);
    if (at === undefined) continue;
    deadlines.push({ at, countsFrom: Math.min(at - EARLY_MS, clock.firstInstant(day) ?? at) });
  }
  return deadlines;
}

function weekdayOf(day: number): Weekday {
  // getUTCDay counts from Sunday.
  return WEEKDAYS[(new Date(day).getUTCDay() + 6) % 7] ?? 'mon';
}
