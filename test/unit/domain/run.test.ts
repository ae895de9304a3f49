import { expect } from 'chai';
import { RUN_STATUSES, isEnd, mayMove, statusesBefore } from '../../../src/domain/run.js';

/** Row: from. Column: to, in the order of RUN_STATUSES. A cross is a legal move. */
const TABLE: Readonly<Record<string, string>> = {
  /*            uploading ready planning held applying complete failed cancelled */
  uploading: '. x . . . . . x',
  ready: '    . . x . . . . x',
  planning: ' . . . x x x x x',
  held: '     . . x . x . . x',
  applying: ' . . . . . x x x',
  complete: ' . . . . . . . .',
  failed: '   . . . . . . . .',
  cancelled: '. . . . . . . .',
};

describe('The states of a run', () => {
  for (const from of RUN_STATUSES) {
    it(`lead from ${from} only where they should`, () => {
      const cells = (TABLE[from] ?? '').trim().split(/ +/);
      expect(cells).to.have.length(RUN_STATUSES.length);
      const legal = RUN_STATUSES.filter((_, index) => cells[index] === 'x');
      expect(RUN_STATUSES.filter((to) => mayMove(from, to))).to.deep.equal(legal);
    });
  }

  it('end in complete, failed and cancelled, for good', () => {
    expect(RUN_STATUSES.filter(isEnd)).to.deep.equal(['complete', 'failed', 'cancelled']);
  });

  it('never skip the plan: nothing but a plan or an approval leads to applying', () => {
    expect(statusesBefore('applying')).to.deep.equal(['planning', 'held']);
  });
});
