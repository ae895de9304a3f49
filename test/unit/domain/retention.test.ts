import { expect } from 'chai';
import fc from 'fast-check';
import { removableFiles, type RetentionRule, type RunWithFiles } from '../../../src/domain/retention.js';
import { isEnd, RUN_STATUSES } from '../../../src/domain/run.js';

const NOW = new Date('2026-11-25T12:00Z');
const DAY_MS = 24 * 60 * 60 * 1000;

function run(number: number, daysAgo: number, change: Partial<RunWithFiles> = {}): RunWithFiles {
  return {
    run: number,
    feed: 'hr',
    status: 'failed',
    outcome: null,
    applied: false,
    createdAt: new Date(NOW.getTime() - daysAgo * DAY_MS),
    digests: [`file-${number}`],
    ...change,
  };
}

function removed(runs: readonly RunWithFiles[], rule: RetentionRule): string[] {
  return removableFiles(runs, () => rule, NOW);
}

describe('Retention', () => {
  const TIGHT: RetentionRule = { runs: 1, days: 10 };

  it('lets files go that are neither of the last runs nor of the last days', () => {
    const runs = [run(1, 40), run(2, 30), run(3, 20), run(4, 9), run(5, 8)];
    expect(removed(runs, TIGHT)).to.deep.equal(['file-1', 'file-2', 'file-3']);
    expect(removed(runs, { runs: 3, days: 10 })).to.deep.equal(['file-1', 'file-2']);
    expect(removed(runs, { runs: 3, days: 35 })).to.deep.equal(['file-1']);
    expect(removed(runs, { runs: 9, days: 0 })).to.deep.equal([]);
    expect(removed(runs, { runs: 1, days: 0 })).to.deep.equal(['file-1', 'file-2', 'file-3', 'file-4']);
  });

  it('keeps files of runs that have not ended, however old', () => {
    for (const status of RUN_STATUSES) {
      const runs = [run(1, 99, { status }), run(2, 98)];
      expect(removed(runs, TIGHT), status).to.deep.equal(isEnd(status) ? ['file-1'] : []);
    }
  });

  it('keeps the files of the last applied batch, however old', () => {
    const applied = { status: 'complete', outcome: 'applied', applied: true } as const;
    const runs = [
      run(1, 99, applied),
      run(2, 98, { ...applied, outcome: 'nothing-to-change' }),
      run(3, 97, { status: 'complete', outcome: 'dry-run' }),
      run(4, 96, { ...applied, outcome: 'nothing-new', digests: ['file-2'] }),
      run(5, 95),
      run(6, 94),
    ];
    expect(removed(runs, TIGHT)).to.deep.equal(['file-1', 'file-3', 'file-5']);
  });

  it('keeps a file as long as any run of any feed needs it', () => {
    const runs = [
      run(1, 99, { digests: ['shared', 'own'] }),
      run(2, 1),
      run(3, 98, { feed: 'students', digests: ['shared'] }),
    ];
    expect(removed(runs, TIGHT)).to.deep.equal(['own']);
  });

  it('counts the runs feed by feed, each by its own rule', () => {
    const runs = [run(1, 99), run(2, 98, { feed: 'students' }), run(3, 97, { feed: 'students' }), run(4, 96)];
    const rules: Record<string, RetentionRule> = { hr: { runs: 2, days: 0 }, students: { runs: 1, days: 0 } };
    expect(removableFiles(runs, (feed) => rules[feed], NOW)).to.deep.equal(['file-2']);
  });

  it('touches nothing of a feed about which nothing is said', () => {
    expect(removableFiles([run(1, 999), run(2, 998)], () => undefined, NOW)).to.deep.equal([]);
  });

  it('never lets a file go that a rule keeps, and keeps none that no rule does', () => {
    const anyRun = fc.record({
      feed: fc.constantFrom('hr', 'students'),
      status: fc.constantFrom(...RUN_STATUSES),
      outcome: fc.constantFrom('applied', 'nothing-new', null),
      applied: fc.boolean(),
      createdAt: fc.integer({ min: 0, max: 60 }).map((days) => new Date(NOW.getTime() - days * DAY_MS)),
      digests: fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(fc.array(anyRun, { maxLength: 12 }), fc.nat(4), fc.nat(60), (given, more, days) => {
        const runs = given.map((one, index): RunWithFiles => ({ ...one, run: index + 1 }));
        const rule = { runs: more + 1, days };
        const needed = runs.filter((one) => {
          const later = runs.filter((other) => other.feed === one.feed && other.run > one.run);
          const isBatch = (other: RunWithFiles): boolean => other.applied && other.outcome !== 'nothing-new';
          return (
            later.length < rule.runs ||
            !isEnd(one.status) ||
            NOW.getTime() - one.createdAt.getTime() < days * DAY_MS ||
            (isBatch(one) && !later.some(isBatch))
          );
        });
        const kept = new Set(needed.flatMap(({ digests }) => digests));
        const all = [...new Set(runs.flatMap(({ digests }) => digests))].sort();
        expect(removed(runs, rule)).to.deep.equal(all.filter((digest) => !kept.has(digest)));
      }),
    );
  });
});
