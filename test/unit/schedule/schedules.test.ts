import { expect } from 'chai';
import { mock } from 'node:test';
import { memoryLogger, type MemoryLogger } from '../../../src/lib/logger.js';
import { Schedules, type Job } from '../../../src/schedule/schedules.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

interface Bench {
  readonly schedules: Schedules;
  readonly logger: MemoryLogger;
  /** What the held clock showed when the job ran. */
  readonly runs: string[];
  /** Sets the clock and lets the schedules look at it. */
  readonly set: (time: string) => Promise<void>;
  /** Lets the clock run to a time, minute by minute. */
  readonly passTo: (time: string) => Promise<void>;
}

function bench(start: string, cron: string, timeZone = 'UTC'): Bench {
  let now = Date.parse(start);
  const clock = (): Date => new Date(now);
  const logger = memoryLogger(clock);
  const schedules = new Schedules({ logger, now: clock });
  const runs: string[] = [];
  schedules.add({ name: 'job', cron, timeZone, run: async () => void runs.push(clock().toISOString().slice(0, 16)) });
  const set = async (time: number): Promise<void> => {
    now = time;
    schedules.tick();
    await schedules.idle();
  };
  return {
    schedules,
    logger,
    runs,
    set: (time) => set(Date.parse(time)),
    passTo: async (time) => {
      while (now < Date.parse(time)) await set(now + MINUTE_MS);
    },
  };
}

describe('Schedules', () => {
  it('run a job when its time has come, once', async () => {
    const { runs, set } = bench('2026-11-25T06:00Z', '30 6 * * *');
    await set('2026-11-25T06:29:59Z');
    expect(runs).to.deep.equal([]);
    await set('2026-11-25T06:30:02Z');
    await set('2026-11-25T06:30:03Z');
    await set('2026-11-26T06:29Z');
    expect(runs).to.deep.equal(['2026-11-25T06:30']);
    await set('2026-11-26T06:30Z');
    expect(runs).to.deep.equal(['2026-11-25T06:30', '2026-11-26T06:30']);
  });

  const changes = [
    ['Europe/London', '30 1 * * *', '2026-03-27T12:00Z'],
    ['Europe/London', '30 1 * * *', '2026-10-23T12:00Z'],
    ['America/New_York', '30 2 * * *', '2026-03-06T12:00Z'],
    ['America/New_York', '30 1 * * *', '2026-10-30T12:00Z'],
    ['Australia/Lord_Howe', '15 2 * * *', '2026-10-02T12:00Z'],
    ['Australia/Lord_Howe', '45 1 * * *', '2026-04-03T12:00Z'],
  ] as const;

  for (const [timeZone, cron, start] of changes) {
    it(`neither repeat nor skip a daily job at the change of ${timeZone} after ${start}`, async () => {
      const { runs, passTo } = bench(start, cron, timeZone);
      await passTo(new Date(Date.parse(start) + 72 * HOUR_MS).toISOString());
      expect(runs).to.have.length(3);
      const local = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' });
      expect(new Set(runs.map((run) => local.format(new Date(`${run}Z`)))).size).to.equal(3);
    });
  }

  it('run once for all times that a clock jumped over', async () => {
    const { runs, set } = bench('2026-11-25T06:00Z', '0 * * * *');
    await set('2026-11-25T11:42Z');
    await set('2026-11-25T11:43Z');
    expect(runs).to.deep.equal(['2026-11-25T11:42']);
    const daily = bench('2026-11-25T06:00Z', '30 6 * * *');
    await daily.set('2036-11-25T11:42Z');
    expect(daily.runs).to.deep.equal(['2036-11-25T11:42']);
  });

  it('do not repeat a daily job when the clock goes back by hours', async () => {
    const { runs, set, passTo } = bench('2026-11-25T06:00Z', '30 6 * * *');
    await passTo('2026-11-25T08:00Z');
    await set('2026-11-25T05:00Z');
    await passTo('2026-11-26T07:00Z');
    expect(runs).to.deep.equal(['2026-11-25T06:30', '2026-11-26T06:30']);
  });

  it('go by the new time when the clock goes back by more than a day', async () => {
    const { runs, set, passTo } = bench('2027-11-25T06:00Z', '30 6 * * *');
    await passTo('2027-11-25T07:00Z');
    await set('2026-11-25T05:00Z');
    await passTo('2026-11-25T07:00Z');
    expect(runs).to.deep.equal(['2027-11-25T06:30', '2026-11-25T06:30']);
  });

  it('go on with a frequent job when the clock goes back, without doing it twice', async () => {
    const { runs, set, passTo } = bench('2026-11-25T10:31Z', '*/10 * * * *');
    await passTo('2026-11-25T10:40Z');
    await set('2026-11-25T10:39:30Z');
    await set('2026-11-25T10:40Z');
    await passTo('2026-11-25T10:50Z');
    expect(runs).to.deep.equal(['2026-11-25T10:40', '2026-11-25T10:50']);
    await set('2026-11-25T07:45Z');
    await passTo('2026-11-25T08:10Z');
    expect(runs.slice(2)).to.deep.equal(['2026-11-25T08:00', '2026-11-25T08:10']);
  });

  it('do not make up for what passed before they started', async () => {
    const { schedules, runs, set } = bench('2026-11-25T06:00Z', '30 6 * * *');
    await set('2026-11-25T06:29Z');
    const later = bench('2026-11-25T06:31Z', '30 6 * * *');
    await later.set('2026-11-25T06:32Z');
    expect([...runs, ...later.runs]).to.deep.equal([]);
    expect(schedules.nextRun('job')).to.deep.equal(new Date('2026-11-25T06:30Z'));
    expect(later.schedules.nextRun('job')).to.deep.equal(new Date('2026-11-26T06:30Z'));
  });

  it('do not start a job that is still running', async () => {
    const { schedules, logger, job, finish } = slowJob('0 * * * *');
    schedules.tick();
    job.clock = Date.parse('2026-11-25T07:00Z');
    schedules.tick();
    job.clock = Date.parse('2026-11-25T08:00Z');
    schedules.tick();
    expect(job.starts).to.equal(1);
    expect(logger.entries.map(({ level, fields }) => [level, fields['job']])).to.deep.equal([['warn', 'slow']]);
    finish();
    await schedules.idle();
    job.clock = Date.parse('2026-11-25T09:00Z');
    schedules.tick();
    expect(job.starts).to.equal(2);
    finish();
    await schedules.idle();
  });

  it('run a job at once when asked, and join it when it is running', async () => {
    const { schedules, job, finish } = slowJob('0 0 1 1 *');
    const both = Promise.all([schedules.runOnce('slow'), schedules.runOnce('slow')]);
    expect(job.starts).to.equal(1);
    finish();
    await both;
    expect(() => schedules.nextRun('other')).to.throw('no job other');
  });

  it('log the error of a job, and run it again', async () => {
    const { schedules, logger, job, fail } = slowJob('0 * * * *');
    const first = schedules.runOnce('slow');
    fail(new Error('broken'));
    await first;
    expect(logger.entries.map(({ level, fields }) => [level, fields['job']])).to.deep.equal([['error', 'slow']]);
    const second = schedules.runOnce('slow');
    expect(job.starts).to.equal(2);
    fail(new Error('broken'));
    await second;
  });

  it('log a job that throws before it waits for anything', async () => {
    const logger = memoryLogger();
    const schedules = new Schedules({ logger, now: () => new Date(0) });
    const run = (): never => {
      throw new Error('broken');
    };
    schedules.add({ name: 'job', cron: '* * * * *', run });
    await schedules.runOnce('job');
    expect(logger.entries.map(({ level }) => level)).to.deep.equal(['error']);
  });

  it('tell running jobs to end when they stop, and wait for them', async () => {
    const { schedules, logger, job } = slowJob('0 * * * *');
    void schedules.runOnce('slow');
    await Promise.all([schedules.stop(), schedules.stop()]);
    expect(job.signal?.aborted).to.equal(true);
    expect(logger.entries.map(({ level }) => level)).to.deep.equal(['debug']);
  });

  it('refuse a second job of the same name, and an expression that is none', () => {
    const { schedules } = bench('2026-11-25T06:00Z', '30 6 * * *');
    const job: Job = { name: 'job', cron: '30 6 * * *', run: () => Promise.resolve() };
    expect(() => schedules.add(job)).to.throw('a job job already');
    expect(() => schedules.add({ ...job, name: 'other', cron: 'whenever' })).to.throw('no cron expression');
  });

  describe('that are started', () => {
    afterEach(() => mock.timers.reset());

    it('look at the clock by themselves when a job is due, and no more when they are stopped', async () => {
      mock.timers.enable({ apis: ['setTimeout'] });
      let now = Date.parse('2026-11-25T06:29:50Z');
      let looks = 0;
      let runs = 0;
      const clock = (): Date => new Date((looks += 1) && now);
      const schedules = new Schedules({ logger: memoryLogger(), now: clock });
      schedules.add({ name: 'job', cron: '30 * * * *', run: async () => void (runs += 1) });
      const pass = (ms: number): void => {
        now += ms;
        mock.timers.tick(ms);
      };
      for (const round of [1, 2]) {
        schedules.start();
        schedules.start();
        pass(9_999);
        expect(runs).to.equal(round - 1);
        pass(1);
        expect(runs).to.equal(round);
        await schedules.stop();
        await schedules.stop();
        looks = 0;
        pass(HOUR_MS - 10_000);
        expect(looks).to.equal(0);
      }
    });

    it('notice within half a minute that the clock has jumped', () => {
      mock.timers.enable({ apis: ['setTimeout'] });
      let now = Date.parse('2026-11-25T06:00Z');
      let runs = 0;
      const schedules = new Schedules({ logger: memoryLogger(), now: () => new Date(now) });
      schedules.add({ name: 'job', cron: '30 6 * * *', run: async () => void (runs += 1) });
      schedules.start();
      now += 5 * HOUR_MS;
      mock.timers.tick(30_000);
      expect(runs).to.equal(1);
      return schedules.stop();
    });
  });
});

interface SlowJob {
  clock: number;
  starts: number;
  signal: AbortSignal | undefined;
}

/** A job that runs until it is told to finish or fail, or that the program ends. */
function slowJob(cron: string): {
  schedules: Schedules;
  logger: MemoryLogger;
  job: SlowJob;
  finish: () => void;
  fail: (error: Error) => void;
} {
  const job: SlowJob = { clock: Date.parse('2026-11-25T06:30Z'), starts: 0, signal: undefined };
  let settle = { finish: (): void => undefined, fail: (_error: Error): void => undefined };
  const logger = memoryLogger();
  const schedules = new Schedules({ logger, now: () => new Date(job.clock) });
  const run = (signal: AbortSignal): Promise<void> => {
    job.starts += 1;
    job.signal = signal;
    return new Promise((finish, fail) => {
      settle = { finish, fail };
      signal.addEventListener('abort', () => fail(new Error('stopped')), { once: true });
    });
  };
  schedules.add({ name: 'slow', cron, run });
  return { schedules, logger, job, finish: () => settle.finish(), fail: (error) => settle.fail(error) };
}
