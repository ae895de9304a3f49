import { RULES } from '../unit/mapping/rules/all.js';
import { runEngineCase } from './rule-engine.js';

describe('The language of control files on a database', () => {
  for (const { id, rule, cases } of RULES) {
    for (const one of cases) {
      if (one.kind === 'engine') it(`${rule}: ${one.what} (${id})`, () => runEngineCase(one));
    }
  }
});
