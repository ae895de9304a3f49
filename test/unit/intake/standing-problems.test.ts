import { expect } from 'chai';
import { StandingProblems } from '../../../src/intake/standing-problems.js';

describe('Standing problems', () => {
  it('are news once, when they change, and when they come back', () => {
    const problems = new StandingProblems();
    const round = (...noted: [string, string][]): boolean[] => {
      const news = noted.map(([subject, problem]) => problems.note(subject, problem));
      problems.forgetOthers();
      return news;
    };
    expect(round(['a', 'unreadable'], ['b', 'unreadable'])).to.deep.equal([true, true]);
    expect(round(['a', 'unreadable'], ['b', 'too large'])).to.deep.equal([false, true]);
    expect(round(['b', 'too large'])).to.deep.equal([false]);
    expect(round(['a', 'unreadable'], ['b', 'too large'])).to.deep.equal([true, false]);
  });

  it('are no news twice within a round, nor after a round that was not finished', () => {
    const problems = new StandingProblems();
    expect(problems.note('a', 'x')).to.equal(true);
    expect(problems.note('a', 'x')).to.equal(false);
    problems.forgetOthers();
    expect(problems.note('a', 'x')).to.equal(false);
  });
});
