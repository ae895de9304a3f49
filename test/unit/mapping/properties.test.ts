import { expect } from 'chai';
import fc from 'fast-check';
import type { JsonValue } from '../../../src/domain/record.js';
import { compileControlFile } from '../../../src/mapping/compile.js';
import type { ExistingObject } from '../../../src/mapping/existing.js';
import { modelLookup, type ObjectLookup } from '../../../src/mapping/references.js';
import { applied, withoutEmpty, type HeldObject } from './applied.js';
import { arbitraryInstructions, existingUsers, loadableObjects, records } from './arbitrary-control-files.js';
import { controlText, model, validControl } from './mapping-case.js';
import { interpret, type NaiveInstruction } from './naive-interpreter.js';
import type { NaiveObject } from './naive-state.js';

/** Most records are whole, so that more than rejections is compared. */
const USER: readonly NaiveInstruction[] = [
  { source: 'u', destination: 'user', name: 'username' },
  { action: 'set-value', value: 'First', destination: 'user', name: 'nameFirst' },
  { action: 'set-value', value: 'Last', destination: 'user', name: 'nameLast' },
  { action: 'set-value', value: 'a@b', destination: 'user', name: 'email' },
];

describe('properties of mapping', () => {
  it('a compiled control file does what a naive interpreter does', () => {
    const seen = { mapped: 0, accepted: 0, objects: 0, owned: 0, loaded: 0 };
    fc.assert(
      fc.property(
        arbitraryInstructions(2, false),
        fc.array(fc.tuple(records, existingUsers), { minLength: 1, maxLength: 3 }),
        loadableObjects,
        (instructions, several, loadable) => {
          const all = [...USER, ...instructions];
          let known: readonly ExistingObject[] = [];
          const lookup: ObjectLookup = { ...modelLookup(model), byRef: (ref) => known.find((one) => one.ref === ref) };
          const mapping = compileControlFile(validControl(controlText(all)), model, lookup);
          // Several records through one mapping: nothing of one may show in the next.
          for (const [record, existing] of several) {
            known = [...existing.objects, ...loadable];
            const outcome = mapping.map(record, existing);
            const naive = interpret(all, record, existing, loadable);
            seen.mapped++;
            expect(outcome.errors.map((error) => error.code)).to.deep.equal(naive.codes.slice(0, 100));
            expect(outcome.accepted).to.equal(!naive.rejected);
            if (!outcome.accepted) continue;
            seen.accepted++;
            const { groups, ...user } = outcome.user;
            expect(groups).to.deep.equal(naive.groups);
            const naiveUser = { title: null, ...naive.user, username: (naive.user.username as string).toLowerCase() };
            expect(user).to.deep.equal(naiveUser);
            const after = applied(outcome, existing, model, loadable);
            expect(after.profile).to.deep.equal(withoutEmpty(naive.profile));
            const { 'user:tags': tags, ...dictionaries } = naive.dictionaries;
            expect(after.tags).to.deep.equal(tags);
            expect(after.dictionaries).to.deep.equal(withoutEmptyObjects(dictionaries));
            const tree = naiveTree(naive.objects, 'the profile');
            expect(inOrder(after.objects)).to.deep.equal(inOrder(tree));
            if (outcome.dependents.length > 0) seen.objects++;
            if (outcome.dependents.some(({ owner }) => owner !== null)) seen.owned++;
            if (outcome.dependents.some(({ which }) => 'ref' in which)) seen.loaded++;
          }
        },
      ),
      { seed: 5, numRuns: 3000 },
    );
    expect(seen.accepted / seen.mapped).to.be.greaterThan(0.25);
    expect(seen.objects / seen.accepted).to.be.greaterThan(0.3);
    expect(seen.owned).to.be.greaterThan(100);
    expect(seen.loaded).to.be.greaterThan(100);
  });
});

/** Without objects that nothing was made of. */
function naiveTree(objects: readonly NaiveObject[], owner: NaiveObject['owner']): HeldObject[] {
  return objects
    .filter((object) => object.owner === owner)
    .map((object) => ({
      object,
      tree: {
        is: object.destination,
        ref: object.ref,
        has: withoutEmpty(object.attributes),
        owns: naiveTree(objects, object),
      },
    }))
    .filter(({ object, tree }) => {
      if (object.ref === null) return Object.keys(tree.has).length > 0 || tree.owns.length > 0;
      return !object.isFree || isTouched(object, objects);
    })
    .map(({ tree }) => tree);
}

function isTouched(object: NaiveObject, objects: readonly NaiveObject[]): boolean {
  return object.touched || objects.some((one) => one.owner === object && isTouched(one, objects));
}

/** Which of several new objects was made first does not matter. */
function inOrder(objects: readonly HeldObject[]): unknown[] {
  const shown = objects.map(({ is, ref, has, owns }) => ({ is, ref, has: withoutEmpty(has), owns: inOrder(owns) }));
  return shown
    .map((one) => ({ one, key: JSON.stringify(sorted(one)) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ one }) => one);
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, part]) => [key, sorted(part)]);
}

function withoutEmptyObjects(dictionaries: Readonly<Record<string, Readonly<Record<string, JsonValue>>>>): object {
  return Object.fromEntries(Object.entries(dictionaries).filter(([, values]) => Object.keys(values).length > 0));
}
