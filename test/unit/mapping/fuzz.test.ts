import { expect } from 'chai';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonValue } from '../../../src/domain/record.js';
import { InvalidFileError } from '../../../src/lib/errors.js';
import { packageRoot } from '../../../src/lib/package-root.js';
import { compileControlFile } from '../../../src/mapping/compile.js';
import { validateControlFile } from '../../../src/mapping/control-file.js';
import { PatchBuilder } from '../../../src/mapping/patch.js';
import { parseModel } from '../../../src/model/parse-model.js';
import { MODEL_PROBLEMS } from '../../../src/model/problems.js';
import { READER_FORMATS } from '../../../src/readers/registry.js';
import { arbitraryInstructions, existingUsers, records } from './arbitrary-control-files.js';
import { EVERYTHING } from './every-instruction.js';
import { hostile, hostileRecords, judge, pathsOf, replaced, timed } from './hostile-control-files.js';
import { controlText, model, USER_INSTRUCTIONS } from './mapping-case.js';

describe('hostile control files', () => {
  it('that are any JSON at all are judged', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        timed(() => judge(JSON.stringify(value), {}));
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  it('that are any text at all are judged', () => {
    const text = controlText(EVERYTHING);
    const pieces = fc.tuple(fc.nat(text.length), fc.nat(20), fc.string({ unit: 'binary', maxLength: 5 }));
    fc.assert(
      fc.property(pieces, ([at, length, inserted]) => {
        timed(() => judge(text.slice(0, at) + inserted + text.slice(at + length), {}));
      }),
      { seed: 8, numRuns: 300 },
    );
  });

  it('that use every instruction, with anything put anywhere, are judged and run', () => {
    const document = JSON.parse(
      controlText([...USER_INSTRUCTIONS, ...EVERYTHING], {
        mapping: { m: { types: ['std:type:organisation'], using: 'title', values: { a: 'Faculty of Arts' } } },
      }),
    ) as JsonValue;
    expect(judge(JSON.stringify(document), {})).to.equal('mapped');
    const seen = { refused: 0, mapped: 0 };
    const change = fc.tuple(fc.constantFrom(...pathsOf(document)), fc.option(hostile, { nil: undefined }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 2 }), hostileRecords, (changes, record) => {
        let spliced: JsonValue | undefined = document;
        for (const [path, value] of changes) {
          const parent = path
            .slice(0, -1)
            .reduce<unknown>((at, key) => (at as Record<string, unknown> | null)?.[key], spliced);
          if (path.length > 0 && (typeof parent !== 'object' || parent === null)) continue;
          spliced = replaced(spliced ?? null, path, value);
        }
        seen[timed(() => judge(JSON.stringify(spliced) ?? '', record))]++;
      }),
      { seed: 9, numRuns: 1500 },
    );
    expect(seen.refused).to.be.greaterThan(200);
    expect(seen.mapped).to.be.greaterThan(80);
  });

  it('with problems without end are judged in bounded time', () => {
    const many = (instruction: object): object[] => Array.from({ length: 20_000 }, () => instruction);
    for (const instruction of [
      {},
      { source: 'a', destination: 'profil', name: 'std:attribute:job-titel' },
      { source: 'a', destination: 'profile', name: 'std:attribute:notes', multivalue: true, filters: ['x', 'y', 'z'] },
      { action: 'new', destination: 'boook' },
      { action: 'for-each', source: 'a', instructions: [{ source: 'a', destination: 'book', name: 'x' }] },
    ]) {
      timed(() => judge(controlText([...USER_INSTRUCTIONS, ...many(instruction)]), { a: [1, 2, 3] }));
    }
    timed(() => judge('['.repeat(100_000), {}));
  });
});

describe('hostile records', () => {
  it('are mapped by any control file, patched and previewed', () => {
    fc.assert(
      fc.property(
        arbitraryInstructions(1, false),
        hostileRecords,
        records,
        existingUsers,
        (instructions, one, other, existing) => {
          const text = controlText([...USER_INSTRUCTIONS, ...instructions]);
          expect(judge(text, { ...other, ...one })).to.equal('mapped');
          const { control } = validateControlFile(text, model, READER_FORMATS);
          if (control !== null) compileControlFile(control, model).map(one, existing);
        },
      ),
      { seed: 10, numRuns: 800 },
    );
  });

  it('are mapped by every instruction and data type', () => {
    const text = controlText([...USER_INSTRUCTIONS, ...EVERYTHING], {
      mapping: { m: { types: ['std:type:organisation'], using: 'title', values: { a: 'Faculty of Arts' } } },
    });
    const { control } = validateControlFile(text, model, READER_FORMATS);
    if (control === null) throw new Error('the control file with every instruction has problems');
    const mapping = compileControlFile(control, model);
    const patches = new PatchBuilder(model, mapping.mentioned);
    const complete = { u: 'joe', first: 'J', last: 'B', email: 'j@b' };
    fc.assert(
      fc.property(hostileRecords, (record) => {
        for (const one of [record, { ...complete, ...record }, { ...record, ...complete }]) {
          const outcome = mapping.map(one);
          mapping.readUsername(one);
          const json = [JSON.stringify(outcome), outcome.accepted ? patches.build(outcome) : ''].join('');
          expect(json).not.to.match(/\\u0000|\\ud[89a-f]/i);
        }
      }),
      { seed: 6, numRuns: 2000 },
    );
  });
});

describe('hostile model files', () => {
  const shipped = JSON.parse(readFileSync(join(packageRoot(), 'config', 'model.json'), 'utf8')) as JsonValue;

  /** The only way to refuse a model. */
  function parse(text: string): 'refused' | 'taken' {
    try {
      const parsed = parseModel(text, 'a model');
      expect(parseModel(parsed.source, 'its source').source).to.equal(parsed.source);
      return 'taken';
    } catch (error) {
      if (!(error instanceof InvalidFileError)) throw error;
      expect(error.problems).not.to.be.empty;
      for (const { code } of error.problems) expect(MODEL_PROBLEMS).to.have.property(code);
      return 'refused';
    }
  }

  it('that are any JSON at all are refused', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        expect(timed(() => parse(JSON.stringify(value)))).to.equal('refused');
      }),
      { seed: 11, numRuns: 300 },
    );
  });

  it('with anything put anywhere are refused or taken', () => {
    const documents = [shipped, JSON.parse(model.source) as JsonValue];
    const seen = { refused: 0, taken: 0 };
    for (const document of documents) {
      const change = fc.tuple(fc.constantFrom(...pathsOf(document)), fc.option(hostile, { nil: undefined }));
      fc.assert(
        fc.property(change, ([path, value]) => {
          seen[timed(() => parse(JSON.stringify(replaced(document, path, value)) ?? ''))]++;
        }),
        { seed: 12, numRuns: 400 },
      );
    }
    expect(seen.refused).to.be.greaterThan(200);
    expect(seen.taken).to.be.greaterThan(20);
  });
});
