import { expect } from 'chai';
import { nearest } from '../../../src/lib/nearest.js';

describe('nearest', () => {
  it('finds what was meant across slips, swaps, case and dashes', () => {
    const keys = ['dropDirectory', 'dataDir', 'first-run', 'url'];
    expect(nearest('dropdirectory', keys)).to.equal('dropDirectory');
    expect(nearest('datadri', keys)).to.equal('dataDir');
    expect(nearest('firstRun', keys)).to.equal('first-run');
    expect(nearest('uri', keys)).to.equal('url');
    expect(nearest('DROP_DIRECTORIES', keys)).to.equal('dropDirectory');
  });

  it('finds the nearest of several, and nothing when none is near', () => {
    expect(nearest('grace', ['graceRuns', 'graces', 'trace'])).to.equal('graces');
    expect(nearest('colour', ['url', 'from', 'level'])).to.equal(undefined);
    expect(nearest('x', [])).to.equal(undefined);
  });

  it('lets parts before a colon that both have count for nothing', () => {
    const codes = ['std:attribute:notes', 'std:attribute:job-title', 'dc:attribute:title'];
    expect(nearest('std:attribute:class', codes)).to.equal(undefined);
    expect(nearest('std:attribute:jobtitle', codes)).to.equal('std:attribute:job-title');
    expect(nearest('std:atribute:notes', codes)).to.equal('std:attribute:notes');
  });

  it('takes no time over a very long word', () => {
    expect(nearest('x'.repeat(1_000_000), ['y'.repeat(1_000_000)])).to.equal(undefined);
  });
});
