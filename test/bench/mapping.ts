import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InputRecord } from '../../src/domain/record.js';
import { packageRoot } from '../../src/lib/package-root.js';
import { compileControlFile, type CompiledMapping } from '../../src/mapping/compile.js';
import { validateControlFile } from '../../src/mapping/control-file.js';
import type { ControlFile } from '../../src/mapping/instruction.js';
import { PatchBuilder } from '../../src/mapping/patch.js';
import type { Model } from '../../src/model/model.js';
import { parseModel } from '../../src/model/parse-model.js';
import { READER_FORMATS } from '../../src/readers/registry.js';
import { EVERYTHING } from '../unit/mapping/every-instruction.js';
import { controlText, model as extendedModel, USER_INSTRUCTIONS, validControl } from '../unit/mapping/mapping-case.js';

/**
 * How many records a second are mapped and encoded on one thread: `npm run bench:mapping`. The two control files take
 * turns, so that what else the machine does falls on both; medians are printed, and the ratio is what stays true elsewhere.
 */

const RECORDS = 50_000;
const ROUNDS = 7;

interface Subject {
  readonly name: string;
  readonly instructions: number;
  readonly model: Model;
  readonly mapping: CompiledMapping;
  readonly records: readonly InputRecord[];
}

function congress(): Subject {
  const read = (name: string): string => readFileSync(join(packageRoot(), 'config', 'examples', name), 'utf8');
  const model = parseModel(read('congress-model.json'), 'the example');
  const { control } = validateControlFile(read('congress.json'), model, READER_FORMATS);
  if (control === null) throw new Error('the example of a congress has problems');
  const records = Array.from({ length: RECORDS }, (_, index) => ({
    USERNAME: `X${String(index).padStart(6, '0')}`,
    TITLE: index % 5 === 0 ? 'Sen.' : 'Rep.',
    FIRST_NAME: `First${index % 997}`,
    LAST_NAME: `Last${index % 9973}`,
    EMAIL: `x${index}@congress.example`,
    OFFICIAL_NAME: `First${index % 997} Q. Last${index % 9973}, Jr.`,
    CHAMBER: index % 5 === 0 ? 'sen' : 'rep',
    STATE: 'OH',
    PARTY: index % 2 === 0 ? 'Democrat' : 'Republican',
    PHONE: `202-22${index % 10}-${String(index % 10_000).padStart(4, '0')}`,
    URL: `https://www.example${index}.house.gov`,
    ADDRESS: `${index % 3000} Example Building Washington DC 20510`,
    TERM_START: '2019-01-03',
    TERM_END: '2025-01-03',
  }));
  return subject('congress', control, model, records);
}

function everyInstruction(): Subject {
  const mapping = { m: { types: ['std:type:organisation'], using: 'title', values: { x: 'Faculty of Arts' } } };
  const control = validControl(controlText([...USER_INSTRUCTIONS, ...EVERYTHING], { mapping }));
  const records = Array.from({ length: RECORDS }, (_, index) => ({
    u: `user${index}`,
    first: 'Joe',
    last: `Bloggs${index % 997}`,
    email: `user${index}@example.org`,
    a: `x${index % 100}`,
    b: index % 2 === 0 ? 'example:group:staff' : 'example:group:students',
    o: { a: `note ${index}` },
    l: [`one ${index}`, `two ${index}`],
    ref: String(index + 1),
  }));
  return subject('every instruction', control, extendedModel, records);
}

function subject(name: string, control: ControlFile, model: Model, records: readonly InputRecord[]): Subject {
  const mapping = compileControlFile(control, model);
  return { name, instructions: control.instructions.length, model, mapping, records };
}

/** Seconds for all records. */
function round({ mapping, model, records }: Subject): number {
  const patches = new PatchBuilder(model, mapping.mentioned);
  let characters = 0;
  const started = performance.now();
  for (const record of records) {
    const outcome = mapping.map(record);
    if (outcome.accepted) characters += patches.build(outcome).length;
  }
  const seconds = (performance.now() - started) / 1000;
  if (characters === 0) throw new Error('no record was accepted: the figures would mean nothing');
  return seconds;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const subjects = [congress(), everyInstruction()];
const times = subjects.map((): number[] => []);
for (let index = 0; index < ROUNDS; index++) subjects.forEach((one, at) => times[at]?.push(round(one)));
const medians = times.map(median);
process.stdout.write('control file        instructions  records/s  time, relative\n');
subjects.forEach(({ name, instructions }, at) => {
  const seconds = medians[at] ?? Number.NaN;
  const ratio = (seconds / (medians[0] ?? Number.NaN)).toFixed(2);
  const perSecond = Math.round(RECORDS / seconds).toLocaleString('en');
  process.stdout.write(
    `${name.padEnd(20)}${String(instructions).padStart(12)}${perSecond.padStart(11)}${ratio.padStart(16)}\n`,
  );
});
