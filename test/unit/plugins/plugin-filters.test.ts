import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonValue } from '../../../src/domain/record.js';
import { packageRoot } from '../../../src/lib/package-root.js';
import { compileControlFile } from '../../../src/mapping/compile.js';
import type { MapOutcome } from '../../../src/mapping/mapped.js';
import { parseModel } from '../../../src/model/parse-model.js';
import { controlLanguage } from '../../../src/plugins/control-language.js';
import { readControlFile, validateControl } from '../../../src/sync/control.js';
import { caught, loaded } from './plugin-modules.js';

const model = parseModel(readFileSync(join(packageRoot(), 'config', 'model.json'), 'utf8'), 'the model');

const USER = { u: 'joe', first: 'Joe', last: 'Bloggs', mail: 'joe@example.org' };

function control(name: string, filter: string): string {
  return JSON.stringify({
    dataImportControlFileVersion: 0,
    model: 'haplo:user-sync',
    files: { users: { read: 'json' } },
    instructions: [
      { source: 'u', destination: 'user', name: 'username' },
      { source: 'first', destination: 'user', name: 'nameFirst' },
      { source: 'last', destination: 'user', name: 'nameLast' },
      { source: 'mail', destination: 'user', name: 'email' },
      { source: 'x', destination: 'profile', name, filters: [filter] },
    ],
  });
}

/** What becomes of one value after another, all through one instance of a filter with this code. */
async function filtered(
  factory: string,
  values: readonly JsonValue[],
  name = 'std:attribute:job-title',
): Promise<MapOutcome[]> {
  const plugins = await loaded({ testing: `export default { filters: { 'x:f': ${factory} } };` });
  const language = controlLanguage(model, plugins);
  const mapping = compileControlFile(
    readControlFile(control(name, 'x:f'), language),
    model,
    undefined,
    undefined,
    language.filters,
  );
  return values.map((x) => mapping.map({ ...USER, x }));
}

async function one(factory: string, value: JsonValue, name?: string): Promise<MapOutcome> {
  const [outcome] = await filtered(factory, [value], name);
  return outcome!;
}

function values(outcome: MapOutcome): JsonValue[] {
  if (!outcome.accepted) throw new Error('rejected');
  return Object.values(outcome.profile).flatMap((change) => change.values.map(({ value }) => value));
}

describe('filters of plugins', () => {
  it('change values, before their data type is applied', async () => {
    expect(values(await one('() => (value) => value + 1', 41))).to.deep.equal(['42']);
  });

  it('set nothing, without an error, when they give nothing', async () => {
    const outcome = await one('() => () => undefined', 'a');
    expect(values(outcome)).to.deep.equal([]);
    expect(outcome.errors).to.deep.equal([]);
  });

  it('serve a whole run with one instance', async () => {
    const outcomes = await filtered('() => { let calls = 0; return () => `call ${++calls}`; }', ['a', 'b', 'c']);
    expect(outcomes.flatMap(values)).to.deep.equal(['call 1', 'call 2', 'call 3']);
  });

  it('make references with the context they are given', async () => {
    const byCode = `({ lookup, objectReference }) => (code) => objectReference(lookup.byBehaviour(code) ?? 'none')`;
    const [known, unknown] = await filtered(byCode, ['example:org:science', 'no-such-code'], 'std:attribute:works-for');
    expect(values(known!)).to.deep.equal([{ ref: 'behaviour:example:org:science' }]);
    expect(values(unknown!)).to.deep.equal([]);
    const person = '({ personReference }) => (name) => personReference(name)';
    expect(values(await one(person, 'Ann', 'std:attribute:relationship-manager'))).to.deep.equal([{ username: 'ann' }]);
  });

  it('are no way to make a reference of an object of the input', async () => {
    expect(values(await one('() => (value) => ({ ref: value })', 'x', 'std:attribute:works-for'))).to.deep.equal([]);
  });

  const failures: readonly (readonly [string, string])[] = [
    ['throws', '() => (value) => { throw new Error(`secret ${value}`); }'],
    ['gives a promise', '() => async (value) => value'],
    ['gives a function', '() => () => () => 1'],
    ['gives a date', '() => () => new Date(0)'],
    ['gives a number that is none', '() => () => NaN'],
    ['gives a big integer', '() => () => 1n'],
    ['gives something that contains itself', '() => () => { const all = []; all.push(all); return all; }'],
    ['gives a null character', `() => () => 'a\\0b'`],
  ];
  for (const [what, factory] of failures) {
    it(`leave out the value, and only the value, when one ${what}`, async () => {
      const outcome = await one(factory, 'x-value');
      expect(outcome.accepted).to.equal(true);
      expect(values(outcome)).to.deep.equal([]);
      const [error] = outcome.errors;
      expect(outcome.errors).to.have.length(1);
      expect(error).to.include({ code: 'filter-failed', source: 'x', value: 'x-value' });
      expect(error?.message).to.include('`x:f`').and.not.include('secret');
    });
  }

  it('stop the run with the name of the plugin when they cannot be made', async () => {
    const thrown = await caught(one('() => { throw new TypeError("secret"); }', 1));
    expect(thrown).to.include({ code: 'invalid-plugin' });
    expect(thrown.message).to.include('x:f of plugin testing failed: TypeError at ').and.not.include('secret');
    expect((await caught(one('() => 1', 1))).message).to.include('gave no function');
  });

  it('are known to the check of control files, with near misses', async () => {
    const plugins = await loaded({ testing: `export default { filters: { 'x:tidy': () => (value) => value } };` });
    const { problems } = validateControl(control('std:attribute:job-title', 'x:tydy'), controlLanguage(model, plugins));
    expect(problems.map(({ code }) => code)).to.deep.equal(['unknown-filter']);
    expect(problems[0]?.message).to.include('x:tidy');
  });
});
