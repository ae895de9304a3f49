import { expect } from 'chai';
import {
  GUARD_NAMES,
  resolveGuards,
  type GuardChoices,
  type GuardName,
  type GuardResult,
} from '../../../src/domain/guard.js';
import { describeGuard } from '../../../src/domain/guard-text.js';
import { NO_COUNTS, type RunCounts } from '../../../src/domain/run.js';
import { evaluateGuards, type GuardInput } from '../../../src/sync/guards.js';

const LAST: GuardInput['last'] = {
  id: 1,
  counts: { ...NO_COUNTS, records: 1000 },
  valueCounts: { 'profile/phone': 900, 'user/title': 300 },
  recordSeed: null,
  recognised: 0,
  files: { users: { digest: 'x', sizeBytes: 100_000 } },
  controlId: 1,
  modelDigest: 'm',
  isDone: true,
};

interface Given {
  counts?: Partial<RunCounts>;
  guards?: GuardChoices;
  more?: Partial<GuardInput>;
}

function breachedIn({ counts, guards, more }: Given): GuardResult['guard'][] {
  return results({ ...(counts && { counts }), ...(guards && { guards }), ...(more && { more }) })
    .filter((result) => result.breached)
    .map(({ guard }) => guard);
}

function results({ counts, guards, more }: Given): ReturnType<typeof evaluateGuards> {
  return evaluateGuards({
    settings: resolveGuards(guards ?? 'on'),
    counts: { ...NO_COUNTS, records: 1000, ...counts },
    inFeed: 1000,
    withoutUsername: 0,
    valueCounts: { 'profile/phone': 900, 'user/title': 300 },
    files: [{ name: 'users', digest: 'y', sizeBytes: 100_000, originalFilename: 'users.json', source: 'test' }],
    groupLosses: [],
    last: LAST,
    ...more,
  });
}

function file(sizeBytes: number): Partial<GuardInput> {
  return { files: [{ name: 'users', digest: 'y', sizeBytes, originalFilename: 'users.json', source: 'test' }] };
}

/** Just beyond its limits a guard holds; at its share, or below its count, it does not. */
const CASES: readonly [name: string, given: Given, breached: GuardName[]][] = [
  ['an ordinary batch', {}, []],
  ['the first run of a feed', { more: { last: undefined } }, ['first-run']],
  ['10 % blocked', { counts: { blocked: 100 } }, []],
  ['more than 10 % blocked', { counts: { blocked: 101 } }, ['blocked']],
  ['half of the users blocked, but only 4', { counts: { blocked: 4 }, more: { inFeed: 8 } }, []],
  ['half of the users blocked, and 5', { counts: { blocked: 5 }, more: { inFeed: 10 } }, ['blocked']],
  ['75 % updated', { counts: { updated: 750 } }, []],
  ['more than 75 % updated', { counts: { updated: 751 } }, ['updated']],
  ['all of 49 updated', { counts: { updated: 49 }, more: { inFeed: 49 } }, []],
  ['1 % rejected', { counts: { rejected: 10 } }, []],
  ['more than 1 % rejected', { counts: { rejected: 11 } }, ['rejected']],
  ['a record without username while nobody is blocked', { more: { withoutUsername: 1 } }, []],
  [
    'a record without username while somebody is blocked',
    { counts: { blocked: 1 }, more: { withoutUsername: 1 } },
    ['unreadable-usernames'],
  ],
  ['10 % fewer records', { counts: { records: 900 } }, []],
  ['more than 10 % fewer records', { counts: { records: 899 } }, ['record-count']],
  ['more than 10 % more records', { counts: { records: 1101 } }, ['record-count']],
  ['a file larger by 10 %', { more: file(110_000) }, []],
  ['a file larger by more than 10 %', { more: file(110_001) }, ['file-size']],
  ['a file half as large', { more: file(50_000) }, ['file-size']],
  [
    'a file twice as large, by less than 4 KiB',
    { more: { ...file(8000), last: { ...LAST, files: { users: { digest: 'x', sizeBytes: 4000 } } } } },
    [],
  ],
  ['25 % of a group gone', { more: { groupLosses: [{ code: 'g', members: 100, leaving: 25 }] } }, []],
  [
    'more than 25 % of a group gone',
    { more: { groupLosses: [{ code: 'g', members: 100, leaving: 26 }] } },
    ['group-loss'],
  ],
  ['a whole group of 9 gone', { more: { groupLosses: [{ code: 'g', members: 9, leaving: 9 }] } }, []],
  ['a value given by 20 points fewer', { more: { valueCounts: { 'profile/phone': 700, 'user/title': 300 } } }, []],
  [
    'a value given by more than 20 points fewer',
    { more: { valueCounts: { 'profile/phone': 699, 'user/title': 300 } } },
    ['field-emptied'],
  ],
  ['a value that is not given any more at all', { more: { valueCounts: { 'profile/phone': 900 } } }, ['field-emptied']],
  [
    'a batch without records',
    { counts: { records: 0 }, guards: { 'record-count': 'off' }, more: { valueCounts: {} } },
    ['empty'],
  ],
];

describe('Guards', () => {
  for (const [name, given, breached] of CASES) {
    it(`${breached.length === 0 ? 'let' : `(${breached.join(', ')}) hold`} ${name}${breached.length === 0 ? ' pass' : ''}`, () => {
      expect(breachedIn(given)).to.deep.equal(breached);
    });
  }

  it('can be switched off one by one, or all but `empty`', () => {
    const bad: Given = { counts: { records: 0, blocked: 1000 }, more: { last: undefined } };
    expect(breachedIn({ ...bad, guards: { 'first-run': 'off' } })).to.deep.equal(['blocked', 'empty']);
    expect(breachedIn({ ...bad, guards: 'off' })).to.deep.equal(['empty']);
  });

  it('say in numbers what they found, all of them', () => {
    const answers = results({ counts: { blocked: 200 } });
    expect(answers.map(({ guard }) => guard)).to.have.members([...GUARD_NAMES]);
    for (const answer of answers) expect(describeGuard(answer)).to.be.a('string').and.not.equal('');
    const blocked = answers.find(({ guard }) => guard === 'blocked');
    expect(blocked).to.deep.equal({ guard: 'blocked', value: 0.2, limit: 0.1, breached: true, count: 200 });
    expect(blocked && describeGuard(blocked)).to.equal(
      '200 users would be blocked: 20 % of those in the feed, limit 10 %',
    );
  });
});
