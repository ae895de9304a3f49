import { expect } from 'chai';
import type { JsonValue } from '../../../src/domain/record.js';
import { compileControlFile } from '../../../src/mapping/compile.js';
import { validateControlFile } from '../../../src/mapping/control-file.js';
import type { ExistingUser } from '../../../src/mapping/existing.js';
import type { AttributeValue } from '../../../src/mapping/mapped.js';
import { PatchBuilder } from '../../../src/mapping/patch.js';
import { modelLookup, type ObjectLookup } from '../../../src/mapping/references.js';
import { isKnownCharset, READER_FORMATS } from '../../../src/readers/registry.js';
import { read } from '../readers/reading.js';
import { applied, type HeldObject } from './applied.js';
import { controlText, model, NOBODY, USER_FIELDS, USER_INSTRUCTIONS, validControl } from './mapping-case.js';
import { CHAPTERS, RULE_COUNTS, RULES } from './rules/all.js';
import type { Case, ControlCase, Expected, ExpectedObject, MappingCase, ReadCase, Rejected } from './rules/rule.js';

describe('the language of control files', () => {
  for (const { name, rules } of CHAPTERS) {
    describe(name, () => {
      for (const { id, rule, cases } of rules) {
        const own = cases.filter(({ kind }) => kind !== 'engine');
        if (own.length === 0) continue;
        it(`${rule} (${id})`, async () => {
          for (const one of own) {
            try {
              await run(one);
            } catch (error) {
              if (error instanceof Error) error.message += `\nof the case ${JSON.stringify(one)}`;
              throw error;
            }
          }
        });
      }
    });
  }

  it('has rules with ids of their own, in chapters, each with a case', () => {
    const ids = RULES.map(({ id }) => id);
    expect(new Set(ids).size).to.equal(ids.length);
    for (const { name, rules } of CHAPTERS) {
      expect(rules, name).not.to.be.empty;
      for (const { id, cases } of rules) {
        expect(id).to.match(new RegExp(`^${name}\\.[a-z-]+\\.[1-9]$`));
        expect(cases, id).not.to.be.empty;
      }
    }
    expect(CHAPTERS.map(({ name }) => name)).to.deep.equal([
      'files',
      'formats',
      'instructions',
      'structured',
      'values',
      'validation',
      'conversion',
      'data-types',
      'dates',
      'references',
      'model',
      'dependents',
      'loading',
      'groups',
      'usernames',
    ]);
  });

  it(`is ${RULE_COUNTS.rules} rules with ${RULE_COUNTS.cases} cases, of which some need a database`, () => {
    expect(RULE_COUNTS.rules).to.be.at.least(120);
    expect(RULE_COUNTS.cases).to.be.at.least(800);
    expect(RULE_COUNTS.engineCases).to.be.at.least(30);
  });
});

async function run(one: Case): Promise<void> {
  switch (one.kind) {
    case 'mapping':
      return runMapping(one);
    case 'control':
      return runControl(one);
    case 'read':
      return runRead(one);
    case 'engine':
  }
}

function runMapping({ instructions, record, more, expected }: MappingCase): void {
  const all = more.bare === true ? instructions : [...USER_INSTRUCTIONS, ...instructions];
  const control = validControl(controlText(all, more.mapping === undefined ? {} : { mapping: more.mapping }));
  const existing: ExistingUser = { ...NOBODY, ...more.existing };
  const loadable = more.objects ?? [];
  const mapping = compileControlFile(control, model, more.existing === undefined ? undefined : lookup(more));
  const outcome = mapping.map({ ...USER_FIELDS, ...record }, existing);
  const errors = outcome.errors.map(({ code }) => code);
  if ('rejected' in expected) {
    expect(outcome.accepted).to.equal(false);
    expect(errors).to.deep.equal((expected satisfies Rejected).rejected);
    return;
  }
  if (!outcome.accepted) throw new Error(`rejected: ${errors.join(', ')}`);
  expect(errors).to.deep.equal(expected.errors ?? []);
  if (expected.user !== undefined) expect(outcome.user).to.deep.include(expected.user);
  const after = applied(outcome, existing, model, loadable);
  expect(after.tags).to.deep.equal(expected.tags ?? existing.tags);
  expect(after.dictionaries).to.deep.equal(expected.dictionaries ?? existing.dictionaries);
  const profile = expected.profile ?? existing.profile;
  expect(after.profile).to.deep.equal(entries(profile as Expected['profile']));
  expect(after.objects.map(briefly)).to.deep.equal((expected.objects ?? []).map(expectedObject));
  const patch = JSON.parse(new PatchBuilder(model, mapping.mentioned).build(outcome)) as Record<string, object>;
  if (expected.types !== undefined) expect(patch['types']).to.deep.equal(expected.types);
  if (expected.own !== undefined) expect(patch['profile']).to.deep.include(expected.own);
}

/** Finds objects of the model, those that belong to the user, and those that the case names. */
function lookup({ existing, objects = [] }: MappingCase['more']): ObjectLookup {
  const all = [...(existing?.objects ?? []), ...objects];
  return { ...modelLookup(model), byRef: (ref) => all.find((object) => object.ref === ref) };
}

/** `x` stands for a value without qualifier. */
function entries(attributes: Expected['profile'] = {}): Record<string, AttributeValue[]> {
  const entry = (value: JsonValue): AttributeValue =>
    typeof value === 'object' && value !== null && 'value' in value ? (value as unknown as AttributeValue) : { value };
  return Object.fromEntries(Object.entries(attributes).map(([name, values]) => [name, values.map(entry)]));
}

function briefly({ is, has, owns }: HeldObject): object {
  return { is, has, owns: owns.map(briefly) };
}

function expectedObject({ is, has, owns = [] }: ExpectedObject): object {
  return { is, has: entries(has), owns: owns.map(expectedObject) };
}

function runControl({ control, more, problems }: ControlCase): void {
  const text = typeof control === 'string' ? control : controlText([...USER_INSTRUCTIONS, ...control], more);
  const judged = validateControlFile(text, model, READER_FORMATS, { isKnownCharset });
  expect(judged.problems.map(({ code, pointer }) => `${code} ${pointer}`)).to.have.members(problems);
  expect(judged.control === null).to.equal(judged.problems.some(({ severity }) => severity === 'error'));
  for (const { line, column } of judged.problems) expect([line, column].every(Number.isInteger)).to.equal(true);
}

async function runRead({ format, bytes, items }: ReadCase): Promise<void> {
  const { items: found, error } = await read(format, bytes);
  expect(error).to.equal(undefined);
  const shown = found.map((item) => {
    if (item.kind === 'record') return { ...item.value };
    const place = / at byte (\d+) of the file/.exec(item.error.message)?.[1];
    return place === undefined ? item.error.code : `${item.error.code} at ${place}`;
  });
  expect(shown).to.deep.equal(items);
}
