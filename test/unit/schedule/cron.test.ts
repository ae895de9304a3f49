import { expect } from 'chai';
import fc from 'fast-check';
import { getTasks } from 'node-cron';
import { CronSchedule } from '../../../src/schedule/cron.js';
import { anyZone, DAY_MS, instantNear, moments, STEP_MS } from './naive-clock.js';

/** The times of an expression from one instant to another, in UTC. */
function timesOf(cron: string, timeZone: string, from: string, to: string): string[] {
  const schedule = new CronSchedule(cron, timeZone);
  const times: string[] = [];
  let at = schedule.next(Date.parse(from));
  while (at !== undefined && at <= Date.parse(to)) {
    times.push(new Date(at).toISOString().replace(':00.000Z', 'Z'));
    at = schedule.next(at);
  }
  return times;
}

describe('A job of certain hours', () => {
  const changes = [
    // The time that is jumped over is due at the jump.
    ['30 1 * * *', 'Europe/London', '2026-03-28', ['2026-03-28T01:30Z', '2026-03-29T01:00Z', '2026-03-30T00:30Z']],
    ['30 2 * * *', 'America/New_York', '2026-03-07', ['2026-03-07T07:30Z', '2026-03-08T07:00Z', '2026-03-09T06:30Z']],
    [
      '15 2 * * *',
      'Australia/Lord_Howe',
      '2026-10-02',
      ['2026-10-02T15:45Z', '2026-10-03T15:30Z', '2026-10-04T15:15Z'],
    ],
    // The time that comes twice is due the first time.
    ['30 1 * * *', 'Europe/London', '2026-10-24', ['2026-10-24T00:30Z', '2026-10-25T00:30Z', '2026-10-26T01:30Z']],
    ['30 1 * * *', 'America/New_York', '2026-10-31', ['2026-10-31T05:30Z', '2026-11-01T05:30Z', '2026-11-02T06:30Z']],
    [
      '45 1 * * *',
      'Australia/Lord_Howe',
      '2026-04-03',
      ['2026-04-03T14:45Z', '2026-04-04T14:45Z', '2026-04-05T15:15Z'],
    ],
  ] as const;

  for (const [cron, timeZone, from, expected] of changes) {
    it(`is due once a day around the change of ${timeZone} after ${from}`, () => {
      const to = new Date(Date.parse(from) + 3 * DAY_MS).toISOString();
      expect(timesOf(cron, timeZone, from, to)).to.deep.equal(expected);
    });
  }

  it('is due once for several times that are jumped over, together with one at the jump', () => {
    const times = timesOf('0,20,40 1,2 * * *', 'Europe/London', '2026-03-29T00:00Z', '2026-03-29T03:00Z');
    expect(times).to.deep.equal(['2026-03-29T01:00Z', '2026-03-29T01:20Z', '2026-03-29T01:40Z']);
  });

  it('is not due again while clocks show a time for the second time', () => {
    expect(timesOf('*/30 1 * * *', 'Europe/London', '2026-10-25T01:10Z', '2026-10-26T01:00Z')).to.deep.equal([
      '2026-10-26T01:00Z',
    ]);
  });

  it('is due on a day that begins with a jump, and on one that ends with it', () => {
    const cairo = timesOf('0 0 * * *', 'Africa/Cairo', '2026-04-23T12:00Z', '2026-04-25T12:00Z');
    expect(cairo).to.deep.equal(['2026-04-23T22:00Z', '2026-04-24T21:00Z']);
    const nuuk = timesOf('30 23 * * *', 'America/Nuuk', '2026-03-28T12:00Z', '2026-03-30T12:00Z');
    expect(nuuk).to.deep.equal(['2026-03-29T01:00Z', '2026-03-30T00:30Z']);
  });

  it('is not due on a day that a place at the date line skipped', () => {
    const times = timesOf('30 6 * * *', 'Pacific/Apia', '2011-12-29T00:00Z', '2012-01-01T00:00Z');
    expect(times).to.deep.equal(['2011-12-29T16:30Z', '2011-12-30T16:30Z', '2011-12-31T16:30Z']);
  });

  it('keeps to days of the week and of the month', () => {
    expect(timesOf('30 6 * * mon-fri', 'Europe/London', '2026-11-27T12:00Z', '2026-12-01T12:00Z')).to.deep.equal([
      '2026-11-30T06:30Z',
      '2026-12-01T06:30Z',
    ]);
    expect(timesOf('0 0 29 2 *', 'UTC', '2026-01-01', '2029-01-01')).to.deep.equal(['2028-02-29T00:00Z']);
    expect(timesOf('0 12 L * *', 'UTC', '2026-01-01', '2026-03-01')).to.deep.equal([
      '2026-01-31T12:00Z',
      '2026-02-28T12:00Z',
    ]);
  });
});

describe('A job of every hour', () => {
  const changes = [
    ['Europe/London', '2026-03-29T00:00Z'],
    ['Europe/London', '2026-10-25T00:00Z'],
    ['America/New_York', '2026-03-08T06:00Z'],
    ['America/New_York', '2026-11-01T05:00Z'],
  ] as const;

  for (const [timeZone, from] of changes) {
    it(`goes on every 20 minutes over the change of ${timeZone} after ${from}`, () => {
      const start = Date.parse(from);
      const times = timesOf('*/20 * * * *', timeZone, from, new Date(start + 4 * 3_600_000).toISOString());
      const steps = Array.from({ length: 12 }, (_, step) => new Date(start + (step + 1) * 20 * 60_000));
      expect(times).to.deep.equal(steps.map((at) => at.toISOString().replace(':00.000Z', 'Z')));
    });
  }

  it('keeps to the clock where that changes by half an hour', () => {
    expect(timesOf('0 * * * *', 'Australia/Lord_Howe', '2026-04-04T13:30Z', '2026-04-04T17:00Z')).to.deep.equal([
      '2026-04-04T14:00Z',
      '2026-04-04T15:30Z',
      '2026-04-04T16:30Z',
    ]);
  });

  it('is due again while clocks show the last hour of its day for the second time', () => {
    expect(timesOf('30 * 29 10 *', 'Africa/Cairo', '2026-10-29T19:00Z', '2026-12-01')).to.deep.equal([
      '2026-10-29T19:30Z',
      '2026-10-29T20:30Z',
      '2026-10-29T21:30Z',
    ]);
  });

  it('may have seconds', () => {
    const schedule = new CronSchedule('*/15 * * * * *', 'UTC');
    expect(schedule.next(1)).to.equal(15_000);
    expect(schedule.next(15_000)).to.equal(30_000);
  });
});

describe('Times of any job', () => {
  const minutes = fc.uniqueArray(
    fc.integer({ min: 0, max: 11 }).map((step) => step * 5),
    { minLength: 1, maxLength: 3 },
  );
  const hours = fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { minLength: 1, maxLength: 4 });

  it('are those that one finds by looking at the clock all the time', () => {
    fc.assert(
      fc.property(
        anyZone,
        fc.integer({ min: 2016, max: 2035 }),
        fc.nat(),
        fc.integer({ min: -2880, max: 2880 }),
        minutes,
        fc.option(hours),
        (timeZone, year, change, offset, minute, hour) => {
          const from = instantNear(timeZone, year, change, offset);
          const schedule = new CronSchedule(`${minute.join(',')} ${hour?.join(',') ?? '*'} * * *`, timeZone);
          const expected = naiveTimes(timeZone, from, minute, hour);
          const found: number[] = [];
          for (
            let at = schedule.next(from);
            at !== undefined && found.length < expected.length;
            at = schedule.next(at)
          ) {
            found.push(at);
          }
          expect(found).to.deep.equal(expected);
        },
      ),
      { numRuns: 150 },
    );
  });
});

/** All times in the two days after `from`. */
function naiveTimes(timeZone: string, from: number, minute: number[], hour: number[] | null): number[] {
  const matches = (wall: number): boolean => {
    const time = new Date(wall);
    return minute.includes(time.getUTCMinutes()) && (hour === null || hour.includes(time.getUTCHours()));
  };
  const times: number[] = [];
  let latest = Number.NaN;
  for (const { at, wall } of moments(timeZone, from - 2 * DAY_MS, from + 2 * DAY_MS)) {
    let isDue = hour === null && matches(wall);
    // Of certain hours: whatever the clock comes to show, or passes over, for the first time.
    for (let slot = latest + STEP_MS; hour !== null && slot <= wall; slot += STEP_MS) isDue ||= matches(slot);
    latest = Number.isNaN(latest) ? wall : Math.max(latest, wall);
    if (isDue && at > from) times.push(at);
  }
  return times;
}

describe('A cron expression', () => {
  it('that is none is refused, and so is a zone that does not exist', () => {
    const wrong = [
      ['61 * * * *', 'UTC'],
      ['* * *', 'UTC'],
      ['0 0 31 2 *', 'UTC'],
      ['whenever', 'UTC'],
      ['* * * * *', 'Europe/Nowhere'],
    ] as const;
    for (const [cron, timeZone] of wrong) {
      expect(() => new CronSchedule(cron, timeZone), cron)
        .to.throw()
        .with.property('code', 'invalid-schedule');
    }
  });

  it('leaves nothing behind in node-cron', () => {
    const before = getTasks().size;
    const schedule = new CronSchedule('30 6 * * *', 'UTC');
    expect(schedule.next(0)).to.equal(6.5 * 3_600_000);
    expect(getTasks().size).to.equal(before);
  });
});
