import { expect } from 'chai';
import type { GuardResult } from '../../../src/domain/guard.js';
import { noticeOfRun, type NotableRun } from '../../../src/domain/run-notice.js';
import { NO_COUNTS, NO_TIMINGS, RUN_STATUSES } from '../../../src/domain/run.js';
import type { RunReport } from '../../../src/sync/run-report.js';

const guard = (name: GuardResult['guard'], breached: boolean): GuardResult => ({
  guard: name,
  value: 1,
  limit: 0,
  breached,
  count: 1,
});

const REPORT: RunReport = {
  run: 12,
  feed: 'hr',
  status: 'held',
  counts: { ...NO_COUNTS, records: 3 },
  errors: 1,
  guards: [guard('blocked', true), guard('empty', false)],
  timings: NO_TIMINGS,
  files: [{ name: 'people', digest: 'd', fileSize: 1, filename: 'name-of-a-person.csv' }],
  kind: 'batch',
  ofRun: null,
  origin: 'a test',
  missingFiles: [],
  waitsForStart: false,
  outcome: null,
  dryRun: false,
  failure: null,
  approval: { by: 'somebody', at: '2026-11-25T00:00:00.000Z', reason: 'a secret', withoutBlocks: false },
  createdAt: '2026-11-25T00:00:00.000Z',
  startedAt: null,
  finishedAt: null,
};

const ABOUT = { id: 'notice-1', at: new Date(0), url: null };

describe('The notice of a run', () => {
  it('takes from a report what may leave the house, and of the guards those breached', () => {
    expect(noticeOfRun(REPORT, ABOUT)).to.deep.equal({
      event: 'held',
      ...ABOUT,
      feed: 'hr',
      run: 12,
      outcome: null,
      dryRun: false,
      counts: { ...NO_COUNTS, records: 3 },
      errors: 1,
      guards: [guard('blocked', true)],
      failure: null,
      timings: NO_TIMINGS,
    });
  });

  it('is made for runs that are complete, held or failed, and for no others', () => {
    const events = RUN_STATUSES.map((status) => noticeOfRun({ ...REPORT, status } satisfies NotableRun, ABOUT)?.event);
    expect(events.filter((event) => event !== undefined)).to.have.members(['complete', 'held', 'failed']);
  });
});
