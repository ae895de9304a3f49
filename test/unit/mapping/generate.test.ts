import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../src/lib/package-root.js';
import { validateControlFile } from '../../../src/mapping/control-file.js';
import { generateControlFile } from '../../../src/mapping/generate.js';
import { parseModel } from '../../../src/model/parse-model.js';
import { READER_FORMATS } from '../../../src/readers/registry.js';
import { dependentsModel } from '../../support/dependents-model.js';

const MODELS = ['model.json', join('examples', 'congress-model.json')];

describe('A generated control file', () => {
  const models = MODELS.map((file) => [file, readFileSync(join(packageRoot(), 'config', file), 'utf8')] as const);
  for (const [file, source] of [...models, ['every kind of destination', dependentsModel()] as const]) {
    const model = parseModel(source, file);
    const text = JSON.stringify(generateControlFile(model), undefined, 2);

    it(`is valid as it is (${file})`, () => {
      expect(validateControlFile(text, model, READER_FORMATS).problems).to.deep.equal([]);
    });

    it(`names everything that a record can set (${file})`, () => {
      for (const destination of model.destinations.values()) {
        if (destination.kind === 'pseudo') continue;
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
