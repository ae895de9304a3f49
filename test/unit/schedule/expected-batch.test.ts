import { expect } from 'chai';
import fc from 'fast-check';
import { WEEKDAYS, type Weekday } from '../../../src/config/weekdays.js';
import { expectedBatch, type BatchHistory, type Expectation } from '../../../src/schedule/expected-batch.js';
import { anyZone, DAY_MS, instantNear, moments, STEP_MS } from './naive-clock.js';

const WORKDAYS: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri'];
const MORNING: Expectation = { by: '06:30', days: WORKDAYS, timeZone: 'Europe/London' };

function history(now: string, lastBatchAt: string | null, change: Partial<BatchHistory> = {}): BatchHistory {
  return {
    now: new Date(now),
    since: new Date('2020-01-01T00:00Z'),
    lastBatchAt: lastBatchAt === null ? null : new Date(lastBatchAt),
    alarmedFor: null,
    ...change,
  };
}

function isOverdue(now: string, lastBatchAt: string | null, expectation = MORNING): boolean {
  return expectedBatch(expectation, history(now, lastBatchAt)).isOverdue;
}

// Wednesday 25 November 2026; London is on UTC.
describe('An expected batch', () => {
  it('is overdue once its time has passed without it', () => {
    expect(isOverdue('2026-11-25T06:29:59Z', '2026-11-24T05:58Z')).to.equal(false);
    expect(isOverdue('2026-11-25T06:30:00Z', '2026-11-24T05:58Z')).to.equal(true);
    expect(isOverdue('2026-11-25T06:30:00Z', '2026-11-25T05:58Z')).to.equal(false);
    expect(isOverdue('2026-11-25T06:30:00Z', null)).to.equal(true);
  });

  it('is no longer overdue when it comes late', () => {
    expect(isOverdue('2026-11-25T09:01Z', '2026-11-25T09:00Z')).to.equal(false);
  });

  it('may come the evening before, and a late one does not stand for the next', () => {
    expect(isOverdue('2026-11-25T07:00Z', '2026-11-24T22:00Z')).to.equal(false);
    expect(isOverdue('2026-11-25T07:00Z', '2026-11-24T18:30Z')).to.equal(false);
    expect(isOverdue('2026-11-25T07:00Z', '2026-11-24T09:00Z')).to.equal(true);
  });

  it('may come at any time of the day of a deadline in the evening', () => {
    const evening = { ...MORNING, by: '23:00' };
    expect(isOverdue('2026-11-25T23:30Z', '2026-11-25T00:00Z', evening)).to.equal(false);
    expect(isOverdue('2026-11-25T23:30Z', '2026-11-24T23:59Z', evening)).to.equal(true);
  });

  it('is only expected on its days', () => {
    const saturday = expectedBatch(MORNING, history('2026-11-28T12:00Z', '2026-11-27T06:00Z'));
    expect(saturday.isOverdue).to.equal(false);
    expect(saturday.last).to.deep.equal(new Date('2026-11-27T06:30Z'));
    expect(saturday.next).to.deep.equal(new Date('2026-11-30T06:30Z'));
    const weekly = expectedBatch({ ...MORNING, days: ['wed'] }, history('2026-11-25T06:30Z', null));
    expect(weekly.next).to.deep.equal(new Date('2026-12-02T06:30Z'));
  });

  it('does not count for deadlines before the feed existed', () => {
    const young = history('2026-11-25T08:00Z', null, { since: new Date('2026-11-25T07:00Z') });
    expect(expectedBatch(MORNING, young)).to.deep.equal({
      last: null,
      next: new Date('2026-11-26T06:30Z'),
      isOverdue: false,
      isAlarmDue: false,
    });
  });

  it('raises one alarm a deadline, however often it is asked and whatever was slept through', () => {
    const alarmAt = (now: string, alarmedFor: string | null): boolean =>
      expectedBatch(
        MORNING,
        history(now, '2026-11-20T06:00Z', { alarmedFor: alarmedFor === null ? null : new Date(alarmedFor) }),
      ).isAlarmDue;
    expect(alarmAt('2026-11-25T06:31Z', null)).to.equal(true);
    expect(alarmAt('2026-11-25T06:32Z', '2026-11-25T06:30Z')).to.equal(false);
    expect(alarmAt('2026-11-26T06:29Z', '2026-11-25T06:30Z')).to.equal(false);
    expect(alarmAt('2026-11-26T06:31Z', '2026-11-25T06:30Z')).to.equal(true);
    expect(alarmAt('2026-11-29T20:00Z', '2026-11-25T06:30Z')).to.equal(true);
  });

  const daily = (by: string, timeZone: string): Expectation => ({ by, days: WEEKDAYS, timeZone });
  const changes = [
    ['that does not exist is the moment of the jump', '01:30', 'Europe/London', '2026-03-29T01:00Z'],
    ['that does not exist is the moment of the jump', '02:30', 'America/New_York', '2026-03-08T07:00Z'],
    ['that does not exist is the moment of the jump', '02:15', 'Australia/Lord_Howe', '2026-10-03T15:30Z'],
    ['that comes twice is the first of the two', '01:30', 'Europe/London', '2026-10-25T00:30Z'],
    ['that comes twice is the first of the two', '01:30', 'America/New_York', '2026-11-01T05:30Z'],
    ['that comes twice is the first of the two', '01:45', 'Australia/Lord_Howe', '2026-04-04T14:45Z'],
  ] as const;

  for (const [rule, by, timeZone, deadline] of changes) {
    it(`has a deadline ${rule}: ${by} in ${timeZone}`, () => {
      const at = new Date(deadline);
      const before = new Date(at.getTime() - 1).toISOString();
      const after = new Date(at.getTime() + 3 * 3_600_000).toISOString();
      expect(expectedBatch(daily(by, timeZone), history(before, null)).next).to.deep.equal(at);
      const passed = expectedBatch(daily(by, timeZone), history(after, null));
      expect(passed.last).to.deep.equal(at);
      expect(passed.next.getTime() - at.getTime()).to.be.within(22 * 3_600_000, 26 * 3_600_000);
    });
  }

  it('is what one finds by looking at the clock all the time', () => {
    fc.assert(
      fc.property(
        anyZone,
        fc.integer({ min: 2016, max: 2035 }),
        fc.nat(),
        fc.integer({ min: -4320, max: 4320 }),
        fc.integer({ min: 0, max: DAY_MS / STEP_MS - 1 }),
        fc.subarray([...WEEKDAYS], { minLength: 1 }),
        fc.integer({ min: 0, max: 4320 }),
        (timeZone, year, change, offset, step, days, agoMinutes) => {
          const now = instantNear(timeZone, year, change, offset);
          const minutes = (step * STEP_MS) / 60_000;
          const by = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');
          const lastBatchAt = now - agoMinutes * 60_000;
          const found = expectedBatch(
            { by, days, timeZone },
            { now: new Date(now), since: new Date(0), lastBatchAt: new Date(lastBatchAt), alarmedFor: null },
          );
          const naive = naiveDeadlines(timeZone, now, minutes * 60_000, days);
          const last = naive.findLast(({ at }) => at <= now)!;
          expect(found.next.getTime()).to.equal(naive.find(({ at }) => at > now)?.at);
          expect(found.last?.getTime()).to.equal(last.at);
          expect(found.isOverdue).to.equal(lastBatchAt < last.countsFrom);
        },
      ),
      { numRuns: 60 },
    );
  });
});

function naiveDeadlines(
  timeZone: string,
  now: number,
  timeMs: number,
  days: readonly Weekday[],
): { at: number; countsFrom: number }[] {
  const seen = moments(timeZone, now - 9 * DAY_MS, now + 9 * DAY_MS);
  const first = (wall: number): number => seen.find((moment) => moment.wall >= wall)?.at ?? Number.NaN;
  const dates = [...new Set(seen.map(({ wall }) => wall - (wall % DAY_MS)))].slice(1, -1);
  return dates
    .filter((date) => days.includes(WEEKDAYS[(new Date(date).getUTCDay() + 6) % 7]!))
    .map((date) => ({
      at: first(date + timeMs),
      countsFrom: Math.min(first(date), first(date + timeMs) - DAY_MS / 2),
    }));
}
