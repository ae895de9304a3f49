import { expect } from 'chai';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InputRecord, JsonValue } from '../../../src/domain/record.js';
import { InvalidFileError } from '../../../src/lib/errors.js';
import { packageRoot } from '../../../src/lib/package-root.js';
import { compileControlFile, type TraceEvent } from '../../../src/mapping/compile.js';
import { validateControlFile } from '../../../src/mapping/control-file.js';
import { PatchBuilder } from '../../../src/mapping/patch.js';
import { previewOutcome, withExplanation } from '../../../src/mapping/preview.js';
import { CONTROL_FILE_PROBLEMS } from '../../../src/mapping/problems.js';
import { parseModel } from '../../../src/model/model.js';
import { MODEL_PROBLEMS } from '../../../src/model/problems.js';
import { storableError } from '../../../src/sync/stage-rows.js';
import { isKnownCharset, READER_FORMATS } from '../../../src/readers/registry.js';
import { arbitraryInstructions, existingUsers, records } from './arbitrary-control-files.js';
import { EVERYTHING } from './every-instruction.js';
import { controlText, model, NOBODY, USER_INSTRUCTIONS } from './mapping-case.js';

/** Anything that does not end within this is taken for hanging: all of it together takes a hundredth. */
const MAX_CASE_MS = 2000;

const HOSTILE_TEXTS = [
  '',
  '\u0000',
  '\ud800',
  '__proto__',
  'constructor',
  'haplo:to-string',
  'std:type:person',
  'a~1/b',
  '9'.repeat(400),
  '('.repeat(5000),
  "'".repeat(999),
  'y'.repeat(9999),
  'yyyy'.repeat(300),
  '+',
  ';ext=1',
];

const hostile: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }) as fc.Arbitrary<JsonValue>,
  fc.constantFrom<JsonValue>(...HOSTILE_TEXTS),
  fc.constantFrom<JsonValue>(null, true, 0, -0, 1e308, 0.1, 2 ** 60, [], {}, [[]], [null], { __proto__: null, a: {} }),
  fc.constantFrom<JsonValue>('profile', 'book', 'book:page', 'user', 'user:tags', 'load:by-ref', 'test:locker', 'new'),
);

const hostileRecords = fc
  .dictionary(fc.constantFrom('u', 'a', 'b', 'l', 'o', 'value', '__proto__', 'ref'), hostile, {
    noNullPrototype: false,
  })
  .map((record) => record as InputRecord);

/** Judges a control file, and when it is right runs it: no exception, and nothing that cannot be stored. */
function judge(text: string, record: InputRecord): 'refused' | 'mapped' {
  const { control, problems } = validateControlFile(text, model, READER_FORMATS, { isKnownCharset });
  expect(control === null).to.equal(problems.some((problem) => problem.severity === 'error'));
  for (const { code, pointer, message, line } of problems) {
    expect(CONTROL_FILE_PROBLEMS).to.have.property(code);
    expect(message).not.to.equal('');
    expect(message.length).to.be.lessThan(2000);
    expect(pointer === '' || pointer.startsWith('/')).to.equal(true);
    // The last one stands for all that are not listed, wherever they are.
    if (code !== 'too-many-problems') expect(line).to.be.a('number');
  }
  if (control === null) return 'refused';
  const events: TraceEvent[] = [];
  const mapping = compileControlFile(control, model, undefined, (event) => events.push(event));
  const patches = new PatchBuilder(model, mapping.mentioned);
  for (const one of [record, {}, { u: 'joe', first: 'J', last: 'B', email: 'j@b', ...record }]) {
    events.length = 0;
    const outcome = mapping.map(one, NOBODY);
    mapping.readUsername(one);
    const line = withExplanation(previewOutcome('users', { record: 1, line: 1, byte: 0 }, outcome), events);
    expect(JSON.stringify(line)).to.be.a('string');
    const shown = [JSON.stringify({ ...outcome, errors: outcome.errors.map(storableError) })];
    if (outcome.accepted) shown.push(patches.build(outcome));
    for (const json of shown) expect(json).not.to.match(/\\u0000|\\ud[89a-f]/i);
  }
  return 'mapped';
}

/** Every place of a document. */
function pathsOf(value: JsonValue, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, part]) => pathsOf(part, [...path, key]))];
}

function replaced(document: JsonValue, path: readonly string[], value: JsonValue | undefined): JsonValue | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const copy = (Array.isArray(document) ? [...(document as JsonValue[])] : { ...(document as object) }) as Record<
    string,
    JsonValue | undefined
  >;
  copy[key] = replaced(copy[key] ?? null, rest, value);
  return copy as JsonValue;
}

function timed<T>(work: () => T): T {
  const start = performance.now();
  const result = work();
  expect(performance.now() - start).to.be.lessThan(MAX_CASE_MS);
  return result;
}

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
