import { expect } from 'chai';
import { batchNameOf } from '../../../src/intake/batch-names.js';

describe('The name of a dropped file', () => {
  for (const [filename, name] of [
    ['users', 'users'],
    ['users.json', 'users'],
    ['users.2026-11-22.json.gz', 'users'],
    ['Staff_2-b.tsv', 'Staff_2-b'],
    ['_controls.json', '_controls'],
    ['users.with spaces', 'users'],
    ['__proto__.json', '__proto__'],
  ] as const) {
    it(`${filename} is ${name} in the control file`, () => {
      expect(batchNameOf(filename)).to.deep.equal({ kind: 'file', name });
    });
  }

  it('says control and start, with any extension or none', () => {
    for (const filename of ['_control', '_control.json', '_control.2026.json']) {
      expect(batchNameOf(filename)).to.deep.equal({ kind: 'control' });
    }
    for (const filename of ['_start', '_start.txt']) expect(batchNameOf(filename)).to.deep.equal({ kind: 'start' });
  });

  for (const filename of ['', '.json', 'users (1).json', 'ünsers.json', 'a/b', 'users\n.json', 'x'.repeat(201)]) {
    it(`cannot be ${JSON.stringify(filename.slice(0, 20))}`, () => {
      expect(batchNameOf(filename)).to.deep.equal({ kind: 'unusable' });
    });
  }
});
