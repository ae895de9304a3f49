import { expect } from 'chai';
import { RUN_STATUSES, isEnd, mayMove, statusesBefore } from '../../../src/domain/run.js';

describe('The states of a run', () => {
  it('allow the moves of a run that goes through, and of one that is held', () => {
    for (const path of [
      ['uploading', 'ready', 'planning', 'applying', 'complete'],
      ['ready', 'planning', 'held', 'applying', 'complete'],
      ['held', 'planning', 'applying', 'failed'],
      ['planning', 'complete'],
      ['uploading', 'cancelled'],
      ['held', 'cancelled'],
    ] as const) {
      path.slice(1).forEach((to, index) => {
        expect(mayMove(path[index] ?? 'failed', to), `${path[index]} → ${to}`).to.equal(true);
      });
    }
  });

  it('end in complete, failed and cancelled, for good', () => {
    expect(RUN_STATUSES.filter(isEnd)).to.deep.equal(['complete', 'failed', 'cancelled']);
  });

  it('never skip the plan: nothing but a plan or an approval leads to applying', () => {
    expect(statusesBefore('applying')).to.deep.equal(['planning', 'held']);
  });
});
