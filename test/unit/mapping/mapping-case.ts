import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InputRecord } from '../../../src/domain/record.js';
import { describeProblem } from '../../../src/lib/errors.js';
import { packageRoot } from '../../../src/lib/package-root.js';
import { compileControlFile, type CompiledMapping } from '../../../src/mapping/compile.js';
import { validateControlFile, type ValidationOptions } from '../../../src/mapping/control-file.js';
import type { ExistingUser } from '../../../src/mapping/existing.js';
import type { ControlFile } from '../../../src/mapping/instruction.js';
import type { AcceptedRecord, MapOutcome } from '../../../src/mapping/mapped.js';
import type { Model } from '../../../src/model/model.js';
import { parseModel } from '../../../src/model/parse-model.js';
import { READER_FORMATS } from '../../../src/readers/registry.js';

/** The shipped model with one name of every data type, a tag and an attribute group more. */
export const model: Model = extendedModel();

export const USER_INSTRUCTIONS = [
  { source: 'u', destination: 'user', name: 'username' },
  { source: 'first', destination: 'user', name: 'nameFirst' },
  { source: 'last', destination: 'user', name: 'nameLast' },
  { source: 'email', destination: 'user', name: 'email' },
] as const;

export const USER_FIELDS = { u: 'Joe', first: 'Joe', last: 'Bloggs', email: 'joe@example.org' } as const;

/** A user of the directory without anything. */
export const NOBODY: ExistingUser = { user: {}, tags: {}, dictionaries: {}, profile: {}, profileRef: '1', objects: [] };

export function controlText(instructions: readonly unknown[], more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    dataImportControlFileVersion: 0,
    model: 'haplo:user-sync',
    files: { users: { read: 'json' } },
    instructions,
    ...more,
  });
}

export function validControl(text: string, options: ValidationOptions = {}): ControlFile {
  const { control, problems } = validateControlFile(text, model, READER_FORMATS, options);
  if (control === null) throw new Error(problems.map(describeProblem).join('\n'));
  return control;
}

/** A mapping that sets the user from `USER_FIELDS`, then runs the instructions. */
export function mappingOf(instructions: readonly unknown[], more: Record<string, unknown> = {}): CompiledMapping {
  return compileControlFile(validControl(controlText([...USER_INSTRUCTIONS, ...instructions], more)), model);
}

export function mapped(
  instructions: readonly unknown[],
  record: InputRecord,
  more: Record<string, unknown> = {},
): MapOutcome {
  return mappingOf(instructions, more).map({ ...USER_FIELDS, ...record });
}

export function accepted(
  instructions: readonly unknown[],
  record: InputRecord,
  more: Record<string, unknown> = {},
): AcceptedRecord {
  const outcome = mapped(instructions, record, more);
  if (!outcome.accepted) throw new Error(`rejected: ${JSON.stringify(outcome.errors)}`);
  return outcome;
}

export function codesOf(outcome: MapOutcome): string[] {
  return outcome.errors.map((error) => error.code);
}

function extendedModel(): Model {
  const text = readFileSync(join(packageRoot(), 'config', 'model.json'), 'utf8');
  const file = JSON.parse(text) as Record<'types' | 'attributes' | 'tags' | 'destinations', object[]>;
  const types = ['std:type:person'];
  for (const dataType of ['text', 'text-multiline', 'isbn', 'integer', 'number', 'boolean', 'object-type', 'json']) {
    file.attributes.push({ code: `test:attribute:${dataType}`, title: dataType, dataType, types });
  }
  const attributes = ['test:attribute:text', 'std:attribute:date'];
  file.attributes.push({ code: 'test:attribute:post', title: 'Post', dataType: 'attribute-group', attributes, types });
  file.tags.push({ code: 'test:tag:door', title: 'Door' });
  const link = (code: string, type: string, refTypes: string[]): object => ({
    code,
    title: code,
    dataType: 'ref',
    refTypes,
    types: [type],
  });
  file.attributes.push(
    { code: 'test:attribute:book-title', title: 'Title', dataType: 'text', types: ['std:type:book', 'test:type:page'] },
    link('test:attribute:owner', 'std:type:book', ['std:type:person']),
    link('test:attribute:book', 'test:type:page', ['std:type:book']),
    link('test:attribute:reviewer', 'std:type:book', ['std:type:person']),
    {
      code: 'test:attribute:loan',
      title: 'Loan',
      dataType: 'attribute-group',
      attributes: ['test:attribute:text', 'test:attribute:reviewer'],
      types: ['std:type:book'],
    },
  );
  file.types.push({ code: 'test:type:page', title: 'Page' });
  file.destinations.push(
    { name: 'book', title: 'Book', objectType: 'std:type:book', depends: 'profile', link: 'test:attribute:owner' },
    { name: 'book:page', title: 'Page', objectType: 'test:type:page', depends: 'book', link: 'test:attribute:book' },
    {
      name: 'test:locker',
      title: 'Locker',
      kind: 'dictionary',
      names: [
        { name: 'number', title: 'Number', dataType: 'integer', required: true },
        { name: 'colour', title: 'Colour' },
      ],
    },
  );
  return parseModel(JSON.stringify(file), 'the model of the tests');
}
