import { expect } from 'chai';
import fc from 'fast-check';
import type { InputRecord, JsonValue } from '../../../src/domain/record.js';
import { compileControlFile, type TraceEvent } from '../../../src/mapping/compile.js';
import { PatchBuilder } from '../../../src/mapping/patch.js';
import { previewOutcome, withExplanation } from '../../../src/mapping/preview.js';
import { CONTROL_FILE_PROBLEMS } from '../../../src/mapping/problems.js';
import { controlLanguage } from '../../../src/plugins/control-language.js';
import { validateControl } from '../../../src/sync/control.js';
import { storableError } from '../../../src/sync/stage-rows.js';
import { model, NOBODY } from './mapping-case.js';

/** Control files and records of people who mean harm, and what must hold for each. */

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

export const hostile: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }) as fc.Arbitrary<JsonValue>,
  fc.constantFrom<JsonValue>(...HOSTILE_TEXTS),
  fc.constantFrom<JsonValue>(null, true, 0, -0, 1e308, 0.1, 2 ** 60, [], {}, [[]], [null], { __proto__: null, a: {} }),
  fc.constantFrom<JsonValue>('profile', 'book', 'book:page', 'user', 'user:tags', 'load:by-ref', 'test:locker', 'new'),
);

export const hostileRecords: fc.Arbitrary<InputRecord> = fc
  .dictionary(fc.constantFrom('u', 'a', 'b', 'l', 'o', 'value', '__proto__', 'ref'), hostile, {
    noNullPrototype: false,
  })
  .map((record) => record as InputRecord);

const ofTheTests = controlLanguage(model);

/**
 * Judges a control file, and when it is right runs it: no exception, and nothing that cannot be stored. What is wrong
 * with it has its place in the text.
 */
export function judge(text: string, record: InputRecord, language = ofTheTests): 'refused' | 'mapped' {
  const { model, filters } = language;
  const { control, problems } = validateControl(text, language);
  const lines = text.split(/\r\n|\r|\n/);
  expect(control === null).to.equal(problems.some((problem) => problem.severity === 'error'));
  for (const { code, pointer, message, line = NaN, column = NaN } of problems) {
    expect(CONTROL_FILE_PROBLEMS).to.have.property(code);
    expect(message).not.to.equal('');
    expect(message.length).to.be.lessThan(2000);
    expect(pointer === '' || pointer.startsWith('/')).to.equal(true);
    // The last one stands for all that are not listed, wherever they are.
    if (code === 'too-many-problems') continue;
    expect(line, 'line').to.be.within(1, lines.length);
    // Behind the last character is where something is missing.
    expect(column, 'column').to.be.within(1, lines[line - 1]!.length + 1);
  }
  if (control === null) return 'refused';
  const events: TraceEvent[] = [];
  const mapping = compileControlFile(control, model, undefined, (event) => events.push(event), filters);
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
export function pathsOf(value: JsonValue, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, part]) => pathsOf(part, [...path, key]))];
}

export function replaced(
  document: JsonValue,
  path: readonly string[],
  value: JsonValue | undefined,
): JsonValue | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const copy = (Array.isArray(document) ? [...(document as JsonValue[])] : { ...(document as object) }) as Record<
    string,
    JsonValue | undefined
  >;
  copy[key] = replaced(copy[key] ?? null, rest, value);
  return copy as JsonValue;
}

export function timed<T>(work: () => T): T {
  const start = performance.now();
  const result = work();
  expect(performance.now() - start).to.be.lessThan(MAX_CASE_MS);
  return result;
}
