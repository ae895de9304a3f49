import { expect } from 'chai';
import fc from 'fast-check';
import type { InputRecord, JsonValue } from '../../../src/domain/record.js';
import { compileControlFile } from '../../../src/mapping/compile.js';
import { validateControlFile } from '../../../src/mapping/control-file.js';
import type { AttributeChange, AttributeValue } from '../../../src/mapping/mapped.js';
import { CONTROL_FILE_PROBLEMS } from '../../../src/mapping/problems.js';
import { READER_FORMATS } from '../../../src/readers/registry.js';
import { controlText, model, NOBODY, validControl } from './mapping-case.js';
import { interpret, type NaiveInstruction } from './naive-interpreter.js';

/** The first is the most frequent, so that instructions often meet at the same name. */
const ATTRIBUTES = [
  'std:attribute:job-title',
  'std:attribute:job-title',
  'std:attribute:job-title',
  'test:attribute:integer',
  'test:attribute:boolean',
  'test:attribute:json',
];
const QUALIFIERS = ['std:qualifier:home', 'std:qualifier:office'];
const SOURCES = ['a', 'a', 'a', 'b', 'c', 'value', '__proto__', 'constructor', 'length'];
const USER_NAMES = ['title', 'nameFirst', 'nameLast', 'email'];

const texts = fc.constantFrom(
  '',
  'x',
  'X',
  '7',
  '-7',
  '7.0',
  'true',
  'false',
  'a@b',
  '@',
  'example:group:staff',
  'example:group:students',
  'example:group:reviewers',
);

const scalars: fc.Arbitrary<JsonValue> = fc.oneof(texts, fc.constantFrom(null, true, false, 0, 7, -7, 0.5));

const values: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    scalars,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...SOURCES), tie('value'), { maxKeys: 4, noNullPrototype: false }),
  ),
})).value;

const records = fc
  .dictionary(fc.constantFrom(...SOURCES, 'u'), values, { minKeys: 1, maxKeys: 8, noNullPrototype: false })
  .map((record) => ({ u: 'Joe', ...record }));

const conversions = fc.record(
  {
    mapInputValue: fc.dictionary(fc.constantFrom('x', '7', 'true', '0', 'constructor'), scalars, { maxKeys: 2 }),
    filters: fc.array(fc.constantFrom('haplo:to-lower-case', 'haplo:to-upper-case', 'haplo:to-string'), {
      maxLength: 2,
    }),
  },
  { requiredKeys: [] },
);

const targets = (inLoop: boolean): fc.Arbitrary<object> => {
  const multivalue = inLoop ? fc.constant(true) : fc.boolean();
  const profile = fc.record(
    {
      destination: fc.constant('profile'),
      name: fc.constantFrom(...ATTRIBUTES),
      multivalue,
      qualifier: fc.constantFrom(...QUALIFIERS),
    },
    { requiredKeys: ['destination', 'name', 'multivalue'] },
  );
  const groups = fc.record({ destination: fc.constant('user'), name: fc.constant('groups'), multivalue });
  const user = fc.record({ destination: fc.constant('user'), name: fc.constantFrom(...USER_NAMES) });
  return fc.oneof(
    { weight: 8, arbitrary: profile },
    { weight: 1, arbitrary: groups },
    { weight: inLoop ? 0 : 1, arbitrary: user },
  );
};

const sources = fc.constantFrom(...SOURCES);

function arbitraryInstructions(depth: number, inLoop: boolean): fc.Arbitrary<NaiveInstruction[]> {
  const names = fc.oneof(
    fc.record({ destination: fc.constant('profile'), name: fc.constantFrom(...ATTRIBUTES) }),
    fc.record({ destination: fc.constant('user'), name: fc.constantFrom(...USER_NAMES) }),
  );
  const assigned = (head: fc.Arbitrary<object>): fc.Arbitrary<NaiveInstruction> =>
    fc.tuple(head, targets(inLoop), conversions).map((parts) => Object.assign({}, ...parts) as NaiveInstruction);
  const constants = fc.oneof({ weight: 3, arbitrary: scalars }, { weight: 1, arbitrary: values });
  const plain = fc.oneof(
    { weight: 4, arbitrary: assigned(fc.record({ source: sources })) },
    { weight: 4, arbitrary: assigned(fc.record({ action: fc.constant('set-value'), value: constants })) },
    { weight: 1, arbitrary: names.map((target): NaiveInstruction => ({ action: 'remove-values', ...target })) },
    { weight: 1, arbitrary: fc.constant<NaiveInstruction>({ action: 'log-error', message: 'm' }) },
  );
  if (depth === 0) return fc.array(plain, { maxLength: 4 });
  const list = arbitraryInstructions(depth - 1, inLoop);
  const branches = { then: list, else: list };
  const nested: fc.Arbitrary<NaiveInstruction>[] = [
    fc.record({ action: fc.constant('if-exists'), source: sources, ...branches }),
    fc.record({
      action: fc.constant('if-value-one-of'),
      source: sources,
      values: fc.array(scalars, { maxLength: 3 }),
      ...branches,
    }),
    fc.tuple(names, fc.record(branches)).map(([target, both]) => ({ action: 'if-has-value', ...target, ...both })),
    fc.record({ action: fc.constant('within'), source: sources, instructions: list }),
    fc.record({
      action: fc.constant('for-each'),
      source: sources,
      wrapValues: fc.boolean(),
      instructions: arbitraryInstructions(depth - 1, true),
    }),
    fc.record({
      action: fc.constant('if-exists'),
      source: sources,
      then: fc.constant([{ action: 'abort-record', message: 'm' }]),
    }),
  ];
  return fc.array(fc.oneof({ weight: 4, arbitrary: plain }, { weight: 2, arbitrary: fc.oneof(...nested) }), {
    maxLength: 8,
    size: 'medium',
  });
}

const existingValues = fc.dictionary(
  fc.constantFrom(...ATTRIBUTES),
  fc.uniqueArray(
    fc.record(
      { value: fc.constantFrom('x', 'X', 7), qualifier: fc.constantFrom(...QUALIFIERS) },
      { requiredKeys: ['value'] },
    ),
    { maxLength: 3, selector: (value) => JSON.stringify(value) },
  ),
  { maxKeys: 3, noNullPrototype: true },
);

const USERNAME: NaiveInstruction = { source: 'u', destination: 'user', name: 'username' };

/** Most records are whole, so that more than rejections is compared. */
const USER: readonly NaiveInstruction[] = [
  USERNAME,
  { action: 'set-value', value: 'First', destination: 'user', name: 'nameFirst' },
  { action: 'set-value', value: 'Last', destination: 'user', name: 'nameLast' },
  { action: 'set-value', value: 'a@b', destination: 'user', name: 'email' },
];

describe('properties of mapping', () => {
  it('a compiled control file does what a naive interpreter does', () => {
    let accepted = 0;
    let mapped = 0;
    fc.assert(
      fc.property(
        arbitraryInstructions(2, false),
        fc.array(records, { minLength: 1, maxLength: 3 }),
        existingValues,
        (instructions, several, existing) => {
          const all = [...USER, ...instructions];
          const mapping = compileControlFile(validControl(controlText(all)), model);
          // Several records through one mapping: nothing of one may show in the next.
          for (const record of several) {
            mapped++;
            const outcome = mapping.map(record, { ...NOBODY, profile: existing });
            const naive = interpret(all, record, existing);
            expect(outcome.errors.map((error) => error.code)).to.deep.equal(naive.codes.slice(0, 100));
            expect(outcome.accepted).to.equal(!naive.rejected);
            if (!outcome.accepted) continue;
            const { groups, ...user } = outcome.user;
            expect(groups).to.deep.equal(naive.groups);
            const naiveUser = { title: null, ...naive.user, username: (naive.user.username as string).toLowerCase() };
            expect(user).to.deep.equal(naiveUser);
            accepted++;
            expect(applied(outcome.profile, existing)).to.deep.equal(withoutEmpty(naive.profile));
          }
        },
      ),
      { seed: 5, numRuns: 2000 },
    );
    expect(accepted / mapped).to.be.greaterThan(0.3);
  });

  it('any record is mapped without an exception, and read for its username too', () => {
    const text = controlText([
      USERNAME,
      ...['a', 'b'].flatMap((source) => [
        { source, destination: 'user', name: 'email' },
        { source, destination: 'user', name: 'groups' },
        { source, destination: 'user:tags', name: 'test:tag:door' },
        { source, destination: 'profile', name: 'std:attribute:telephone' },
        { source, destination: 'profile', name: 'std:attribute:url', filters: ['haplo:fix-up-url'] },
        { source, destination: 'profile', name: 'std:attribute:date', dateFormat: "yyyy-MM-dd'T'HH:mmX" },
        { source, destination: 'profile', name: 'test:attribute:number' },
        { source, destination: 'profile', name: 'test:attribute:json' },
        { source, destination: 'profile', name: 'std:attribute:works-for', filters: ['haplo:code-to-ref'] },
        { source, destination: 'value:person-name', name: 'last' },
        {
          action: 'field-structured',
          structured: 'value:person-name',
          destination: 'profile',
          name: 'dc:attribute:title',
        },
      ]),
    ]);
    const mapping = compileControlFile(validControl(text), model);
    const anything = fc.oneof(
      fc.jsonValue({ stringUnit: 'binary' }),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('+', '+44', '0'.repeat(60), ';ext=1'),
    );
    const record = fc.dictionary(fc.constantFrom('u', 'a', 'b', '__proto__'), anything, { noNullPrototype: false });
    fc.assert(
      fc.property(record, (one) => {
        const outcome = mapping.map(one as InputRecord);
        mapping.readUsername(one as InputRecord);
        expect(JSON.stringify(outcome)).not.to.match(/\\u0000|\\ud[89a-f]/i);
      }),
      { seed: 6, numRuns: 3000 },
    );
  });

  it('any JSON value as control file, or as a part of one, is judged without an exception', () => {
    const judge = (text: string): void => {
      const { control, problems } = validateControlFile(text, model, READER_FORMATS);
      expect(control === null).to.equal(problems.some((problem) => problem.severity === 'error'));
      for (const problem of problems) expect(CONTROL_FILE_PROBLEMS).to.have.property(problem.code);
      if (control === null) return;
      const mapping = compileControlFile(control, model);
      mapping.map({ u: 'joe', a: [{ b: 'x' }] });
    };
    const any = fc.jsonValue({ maxDepth: 4 });
    fc.assert(
      fc.property(any, (value) => judge(JSON.stringify(value))),
      { seed: 7, numRuns: 1000 },
    );

    const documents = [
      ...['dataImportControlFileVersion', 'model', 'files', 'instructions', 'mapping', 'recordProcessor'].map((key) => [
        key,
      ]),
      ['instructions', '0'],
      ...[
        'action',
        'source',
        'destination',
        'name',
        'filters',
        'qualifier',
        'mapInputValue',
        'then',
        'value',
        'dateFormat',
        'country',
      ].map((key) => ['instructions', '1', key]),
      ['mapping', 'm', 'values'],
      ['mapping', 'm', 'types'],
    ];
    const actions = [
      'field',
      'set-value',
      'field-structured',
      'set-attribute-group',
      'remove-values',
      'if-exists',
      'if-value-one-of',
      'if-has-value',
      'within',
      'for-each',
      'new',
      'load',
      'assert-destination',
      'abort-record',
      'log-error',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...documents), fc.constantFrom(...actions), any, (path, action, value) => {
        judge(JSON.stringify(replaced(wholeControlFile(action), path, value as JsonValue)));
      }),
      { seed: 8, numRuns: 3000 },
    );
  });

  it('any text as control file is judged without an exception', () => {
    const text = JSON.stringify(wholeControlFile('field'));
    fc.assert(
      fc.property(
        fc.nat(text.length),
        fc.nat(20),
        fc.string({ unit: 'binary', maxLength: 5 }),
        (from, length, inserted) => {
          const { control, problems } = validateControlFile(
            text.slice(0, from) + inserted + text.slice(from + length),
            model,
            READER_FORMATS,
          );
          expect(control !== null || problems.length > 0).to.equal(true);
        },
      ),
      { seed: 9, numRuns: 2000 },
    );
  });

  it('a huge control file takes no more than its length', () => {
    const started = Date.now();
    const instructions = Array.from({ length: 20_000 }, (_, index) => ({
      source: 's',
      destination: `d${index}${'x'.repeat(300)}`,
      name: 'n',
    }));
    validateControlFile(controlText(instructions), model, READER_FORMATS);
    expect(Date.now() - started).to.be.lessThan(3000);
  });
});

/** The values after a change, as whoever applies the outcome works them out. */
function applied(
  changes: Readonly<Record<string, AttributeChange>>,
  existing: Readonly<Record<string, readonly AttributeValue[]>>,
): Record<string, readonly AttributeValue[]> {
  const result: Record<string, readonly AttributeValue[]> = { ...existing };
  for (const [attribute, { drop, values: added }] of Object.entries(changes)) {
    const kept =
      drop === 'all' ? [] : (existing[attribute] ?? []).filter((value) => !drop.includes(value.qualifier ?? null));
    const isKept = (value: AttributeValue): boolean =>
      kept.some((one) => JSON.stringify(one) === JSON.stringify(value));
    result[attribute] = [...kept, ...added.filter((value) => !isKept(value))];
  }
  return withoutEmpty(result);
}

function withoutEmpty(
  profile: Readonly<Record<string, readonly AttributeValue[]>>,
): Record<string, readonly AttributeValue[]> {
  return Object.fromEntries(Object.entries(profile).filter(([, held]) => held.length > 0));
}

function wholeControlFile(action: string): JsonValue {
  const instruction = {
    action,
    source: 'a',
    value: 'x',
    values: ['x'],
    structured: 'value:person-name',
    destination: 'profile',
    name: 'std:attribute:job-title',
    message: 'm',
    using: 'load:by-ref',
    exists: true,
    then: [],
    instructions: [],
  };
  const text = controlText([USERNAME, instruction], {
    mapping: { m: { types: ['std:type:organisation'], using: 'title', values: { a: 'Faculty of Arts' } } },
  });
  return JSON.parse(text) as JsonValue;
}

function replaced(document: JsonValue, path: readonly string[], value: JsonValue): JsonValue {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const copy = (Array.isArray(document) ? [...(document as JsonValue[])] : { ...(document as object) }) as Record<
    string,
    JsonValue
  >;
  copy[key] = replaced(copy[key] ?? null, rest, value);
  return copy;
}
