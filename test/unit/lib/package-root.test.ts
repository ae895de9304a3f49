import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../src/lib/package-root.js';

describe('packageRoot', () => {
  it("finds the folder of this package's package.json", () => {
    const text = readFileSync(join(packageRoot(), 'package.json'), 'utf8');
    expect(JSON.parse(text)).to.include({ name: 'user-sync' });
  });
});
