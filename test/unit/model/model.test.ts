import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import type { JsonValue } from '../../../src/domain/record.js';
import { InvalidFileError, type Problem } from '../../../src/lib/errors.js';
import { packageRoot } from '../../../src/lib/package-root.js';
import { modelOfSource } from '../../../src/model/model.js';
import { parseModel } from '../../../src/model/parse-model.js';
import { MODEL_PROBLEMS } from '../../../src/model/problems.js';

const SHIPPED = readFileSync(join(packageRoot(), 'config', 'model.json'), 'utf8');

type Edit = (file: Record<string, Record<string, unknown>[]>) => void;

type Row = readonly [
  mistake: string,
  edit: Edit,
  problem: readonly [code: keyof typeof MODEL_PROBLEMS, pointer: string, message: RegExp],
];

const ROWS: readonly Row[] = [
  [
    'a type twice',
    (file) => file.types!.push({ code: 'std:type:book', title: 'B' }),
    ['duplicate-code', '/types/8/code', /already/],
  ],
  [
    'a group twice',
    (file) => file.groups!.push({ ...file.groups![0] }),
    ['duplicate-code', '/groups/3/code', /already/],
  ],
  [
    'a behaviour twice',
    (file) => file.objects!.push({ ...file.objects![0] }),
    ['duplicate-code', '/objects/3/behaviour', /already/],
  ],
  [
    'an unknown parent',
    (file) => (file.types![1]!.parent = 'std:type:persom'),
    ['unknown-code', '/types/1/parent', /did you mean `std:type:person`/],
  ],
  [
    'parents in a circle',
    (file) => (file.types![0]!.parent = 'std:type:person:staff'),
    ['parent-cycle', '/types/0/parent', /ancestors/],
  ],
  [
    'an unknown type of an attribute',
    (file) => (file.attributes![1]!.types = ['nothing']),
    ['unknown-code', '/attributes/1/types/0', /unknown type/],
  ],
  [
    'an unknown data type',
    (file) => (file.attributes![1]!.dataType = 'texts'),
    ['invalid-value', '/attributes/1/dataType', /text/],
  ],
  ['a ref without types', (file) => delete file.attributes![7]!.refTypes, ['missing-key', '/attributes/7', /refTypes/]],
  [
    'a ref to an unknown type',
    (file) => (file.attributes![7]!.refTypes = ['x']),
    ['unknown-code', '/attributes/7/refTypes/0', /unknown type/],
  ],
  [
    'an attribute group of nothing',
    (file) => (file.attributes![1]!.dataType = 'attribute-group'),
    ['missing-key', '/attributes/1', /made of/],
  ],
  [
    'a profile type that is no person',
    (file) => (file.groups![0]!.typePast = 'std:type:book'),
    ['wrong-type', '/groups/0/typePast', /kind of/],
  ],
  [
    'an object of an unknown type',
    (file) => (file.objects![0]!.type = 'x'),
    ['unknown-code', '/objects/0/type', /unknown type/],
  ],
  ['no name attribute', (file) => file.attributes!.shift(), ['missing-code', '/attributes', /dc:attribute:title/]],
  [
    'an e-mail attribute of another type',
    (file) => (file.attributes![2]!.dataType = 'text'),
    ['wrong-type', '/attributes/2/dataType', /email-address/],
  ],
  [
    'an e-mail attribute of others',
    (file) => (file.attributes![2]!.types = ['std:type:book']),
    ['wrong-type', '/attributes/2/types', /std:type:person/],
  ],
  [
    'the type as attribute',
    (file) =>
      file.attributes!.push({
        code: 'dc:attribute:type',
        title: 'T',
        dataType: 'object-type',
        types: ['std:type:person'],
      }),
    ['reserved-code', '/attributes/14/code', /itself/],
  ],
  ['an unknown key', (file) => (file.types![0]!.titel = 'x'), ['unknown-key', '/types/0/titel', /titel/]],
  ['a missing key', (file) => delete file.types![0]!.title, ['missing-key', '/types/0/title', /missing/]],
  [
    'a code like a prototype',
    (file) => (file.tags![0]!.code = '__proto__'),
    ['invalid-value', '/tags/0/code', /starts with a letter/],
  ],
  [
    'a destination that every model has',
    (file) =>
      file.destinations!.push({
        name: 'user',
        title: 'U',
        objectType: 'std:type:book',
        depends: 'profile',
        link: 'std:attribute:url',
      }),
    ['duplicate-code', '/destinations/1/name', /every model/],
  ],
  [
    'a destination that depends on nothing known',
    (file) =>
      file.destinations!.push({
        name: 'book',
        title: 'B',
        objectType: 'std:type:book',
        depends: 'profil',
        link: 'std:attribute:url',
      }),
    ['unknown-code', '/destinations/1/depends', /did you mean `profile`/],
  ],
  [
    'a link to the owner that is no reference',
    (file) => (file.destinations![0]!.link = 'std:attribute:job-title'),
    ['wrong-type', '/destinations/0/link', /data type `ref`/],
  ],
  [
    'a link to the owner that the type does not have',
    (file) => (file.destinations![0]!.link = 'std:attribute:relationship-manager'),
    ['wrong-type', '/destinations/0/link', /must have/],
  ],
  [
    'a person as the object of a person',
    (file) => (file.destinations![0]!.objectType = 'std:type:person:staff'),
    ['wrong-type', '/destinations/0/objectType', /accounts of their own/],
  ],
  [
    'destinations that own each other',
    (file) => {
      file.destinations!.push({ ...file.destinations![0], name: 'other', depends: 'example:appointment' });
      file.destinations![0]!.depends = 'other';
    },
    ['parent-cycle', '/destinations/0/depends', /its own owners/],
  ],
  [
    'a dictionary without names',
    (file) => file.destinations!.push({ name: 'd', title: 'D', kind: 'dictionary', names: [] }),
    ['invalid-value', '/destinations/1/names', /at least one name/],
  ],
  [
    'a name of a dictionary that is there twice',
    (file) =>
      file.destinations!.push({
        name: 'd',
        title: 'D',
        kind: 'dictionary',
        names: [
          { name: 'n', title: 'N' },
          { name: 'n', title: 'N' },
        ],
      }),
    ['duplicate-code', '/destinations/1/names/1/name', /already/],
  ],
  [
    'a dictionary of values that have parts',
    (file) =>
      file.destinations!.push({
        name: 'd',
        title: 'D',
        kind: 'dictionary',
        names: [{ name: 'n', title: 'N', dataType: 'person-name' }],
      }),
    ['invalid-value', '/destinations/1/names/0/dataType', /./],
  ],
  [
    'a destination of an unknown kind',
    (file) => (file.destinations![0]!.kind = 'list'),
    ['invalid-value', '/destinations/0/kind', /./],
  ],
];

describe('the model', () => {
  it('as shipped has what control files can be tried with', () => {
    const model = parseModel(SHIPPED, 'config/model.json');
    expect([...model.destinations.keys()]).to.include.members([
      'user',
      'user:tags',
      'profile',
      'value:person-name',
      'value:postal-address',
      'load:by-ref',
    ]);
    expect([...(model.destinations.get('profile')?.names.keys() ?? [])]).to.include.members([
      'dc:attribute:title',
      'std:attribute:works-for',
    ]);
    expect([...(model.destinations.get('profile')?.names.keys() ?? [])]).not.to.include('std:attribute:email');
    expect(model.groups.filter((group) => group.managed).map((group) => group.code)).to.deep.equal([
      'example:group:staff',
      'example:group:students',
    ]);
    expect(model.isKindOf('std:type:person:staff', 'std:type:person')).to.equal(true);
    expect(model.isKindOf('std:type:person', 'std:type:person:staff')).to.equal(false);
    expect(model.objectByBehaviour.get('example:org:arts')?.title).to.equal('Faculty of Arts');
  });

  it('of the example is whole too', () => {
    const text = readFileSync(join(packageRoot(), 'config', 'examples', 'congress-model.json'), 'utf8');
    expect(parseModel(text, 'the example').groupByCode.get('congress:group:house')?.typePast).to.equal(
      'congress:type:representative-past',
    );
  });

  it('has a canonical source that does not depend on spaces and the order of keys, and can be parsed again', () => {
    const model = parseModel(SHIPPED, 'a');
    const { source } = model;
    const reversed = JSON.stringify(JSON.parse(SHIPPED, (_key, value: unknown) => reverseKeys(value)));
    expect(parseModel(reversed, 'b').source).to.equal(source);
    expect(parseModel(source, 'c').source).to.equal(source);
    const again = modelOfSource(source);
    expect(again.isKindOf('std:type:person:staff', 'std:type:person')).to.equal(true);
    expect({ ...again, isKindOf: null }).to.deep.equal({ ...model, isKindOf: null });
    expect(
      parseModel(SHIPPED.replace('"Library"', '"L"').replace('University Library', 'UL'), 'd').source,
    ).not.to.equal(source);
  });

  for (const [mistake, edit, [code, pointer, message]] of ROWS) {
    it(`refuses ${mistake}`, () => {
      const file = JSON.parse(SHIPPED) as Record<string, Record<string, unknown>[]>;
      edit(file);
      const problem = problemsOf(JSON.stringify(file, null, 1)).find(
        (one) => one.pointer === pointer && one.code === code,
      );
      expect(problem?.message).to.match(message);
      expect(problem?.line).to.be.greaterThan(1);
    });
  }

  it('reports all problems at once, in the order of the file', () => {
    const problems = problemsOf(
      SHIPPED.replaceAll('"std:type:organisation"', '"std:type:organization"').replace(
        '"std:type:organization"',
        '"std:type:organisation"',
      ),
    );
    expect(problems.length).to.be.greaterThan(3);
    expect(problems.map((problem) => problem.line)).to.deep.equal(
      problems.map((problem) => problem.line).toSorted((a, b) => (a ?? 0) - (b ?? 0)),
    );
    expect(problems[0]?.message).to.include('did you mean `std:type:organisation`');
  });

  it('refuses anything else by a problem that is in the table', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        for (const problem of problemsOf(JSON.stringify(value))) expect(MODEL_PROBLEMS).to.have.property(problem.code);
      }),
      { seed: 3, numRuns: 200 },
    );
    const lists = ['types', 'attributes', 'qualifiers', 'groups', 'objects', 'tags', 'destinations'];
    fc.assert(
      fc.property(fc.constantFrom(...lists), fc.jsonValue({ maxDepth: 3 }), (list, value) => {
        const file = { ...(JSON.parse(SHIPPED) as Record<string, JsonValue>), [list]: value };
        for (const problem of problemsOf(JSON.stringify(file))) expect(MODEL_PROBLEMS).to.have.property(problem.code);
      }),
      { seed: 4, numRuns: 200 },
    );
  });
});

function problemsOf(text: string): readonly Problem[] {
  try {
    parseModel(text, 'the model');
    return [];
  } catch (error) {
    if (error instanceof InvalidFileError) return error.problems;
    throw error;
  }
}

function reverseKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toReversed());
}
