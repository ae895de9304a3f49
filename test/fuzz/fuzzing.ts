import { expect } from 'chai';
import fc from 'fast-check';

/** How long a target is fuzzed for. Without being told a moment, always from the same seed; longer runs find their own. */
const SECONDS = process.env['FUZZ_SECONDS'];
const SEED = process.env['FUZZ_SEED'] ?? (SECONDS === undefined ? '1' : String(Date.now() % 2 ** 31));
const USUAL_SECONDS = 4;
/** As good as no limit: time is up before. */
const MOST_RUNS = 1e9;
/** For the run that is under way when time is up, and for the shrinking of a failure. */
const SPARE_MS = 60_000;

const MOST_SHARE = 2;

const durationMs = Number(SECONDS ?? USUAL_SECONDS) * 1000;

/** For mocha. */
export const FUZZ_TIMEOUT_MS = MOST_SHARE * durationMs + SPARE_MS;

export interface Fuzzing {
  /** What it gets of the usual time: up to `MOST_SHARE` for what is slow. */
  readonly share?: number;
  /** Fewer would show nothing. */
  readonly atLeast: number;
}

/** Tries what may come, one after the other, until time is up. A failure names seed and path, which FUZZ_SEED repeats. */
export async function fuzz<T>(
  what: string,
  { share = 1, atLeast }: Fuzzing,
  arbitrary: fc.Arbitrary<T>,
  check: (value: T) => Promise<void>,
): Promise<void> {
  const seed = Number(SEED);
  let runs = 0;
  let underWay = Promise.resolve();
  const property = fc.asyncProperty(arbitrary, (value) => {
    underWay = check(value).then(() => void (runs += 1));
    return underWay;
  });
  try {
    await fc.assert(property, {
      seed,
      numRuns: MOST_RUNS,
      interruptAfterTimeLimit: durationMs * share,
      markInterruptAsFailure: false,
    });
  } finally {
    // Time may be up in the middle of a run, which is not waited for.
    await Promise.allSettled([underWay]);
  }
  await underWay.catch((cause: unknown) => {
    throw new Error(`the last run of seed ${seed}, after ${runs} others, failed`, { cause });
  });
  // On a busy machine: the least that shows something, however long it takes.
  if (runs < atLeast) await fc.assert(property, { seed, numRuns: atLeast });
  if (SECONDS !== undefined) console.info(`${what}: ${runs} runs from seed ${seed}`);
  expect(runs, `runs of ${what}`).to.be.at.least(atLeast);
}
