import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../src/lib/package-root.js';
import { validateControlFile } from '../../../src/mapping/control-file.js';
import { generateControlFile } from '../../../src/mapping/generate.js';
import { parseModel } from '../../../src/model/model.js';
import { READER_FORMATS } from '../../../src/readers/registry.js';

const MODELS = ['model.json', join('examples', 'congress-model.json')];

describe('A generated control file', () => {
  for (const file of MODELS) {
    const model = parseModel(readFileSync(join(packageRoot(), 'config', file), 'utf8'), file);
    const text = JSON.stringify(generateControlFile(model), undefined, 2);

    it(`is valid as it is (${file})`, () => {
      expect(validateControlFile(text, model, READER_FORMATS).problems).to.deep.equal([]);
    });

    it(`names everything that a record can set without another record (${file})`, () => {
      for (const destination of model.destinations.values()) {
        if (!['user', 'tags', 'profile'].includes(destination.role)) continue;
        for (const name of destination.names.values()) {
          // References need objects to refer to.
          if (name.dataType === 'ref' && !text.includes(`"name": "${name.name}"`)) {
            expect(
              model.objects.some(({ type }) => name.refTypes.some((wanted) => model.isKindOf(type, wanted))),
            ).to.equal(false);
          } else {
            expect(text).to.include(`"name": "${name.name}"`);
          }
        }
      }
    });
  }
});
