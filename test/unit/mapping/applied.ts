import type { JsonValue } from '../../../src/domain/record.js';
import { originOf, type ExistingObject, type ExistingUser } from '../../../src/mapping/existing.js';
import type { AcceptedRecord, AttributeChange, AttributeValue, DependentObject } from '../../../src/mapping/mapped.js';
import type { Model } from '../../../src/model/model.js';

/** What the directory would hold for one user. */
export interface HeldUser {
  readonly tags: Readonly<Record<string, string>>;
  readonly dictionaries: Readonly<Record<string, Readonly<Record<string, JsonValue>>>>;
  readonly profile: Attributes;
  /** Those of the profile. */
  readonly objects: readonly HeldObject[];
}

export interface HeldObject {
  /** The destination that made it; the type of one that somebody else made. */
  readonly is: string;
  /** What it is known by: its ref, or that it is new. */
  readonly ref: string | null;
  readonly has: Attributes;
  readonly owns: readonly HeldObject[];
}

type Attributes = Readonly<Record<string, readonly AttributeValue[]>>;

/**
 * The state that the outcome of mapping leads to: what the plan works out in SQL.
 *
 * @param loadable objects of nobody, which the record may have loaded
 */
export function applied(
  record: AcceptedRecord,
  existing: ExistingUser,
  model: Model,
  loadable: readonly ExistingObject[] = [],
): HeldUser {
  const objects = [...existing.objects, ...loadable];
  const owner = existing.profileRef ?? 'the profile';
  const after = appliedDependents(record.dependents, objects, owner, model);
  return {
    tags: withoutNulls({ ...existing.tags, ...record.tags }) as Record<string, string>,
    dictionaries: appliedDictionaries(existing.dictionaries, record.dictionaries),
    profile: appliedAttributes(record.profile, existing.profile),
    objects: treeOf(after, owner, model),
  };
}

/** The tree of what belongs to an owner. */
export function treeOf(objects: readonly ExistingObject[], owner: string, model: Model): HeldObject[] {
  return objects
    .filter((object) => object.owner === owner)
    .map(({ ref, types, origin, attributes }) => ({
      is: origin?.replace(/\/\d+$/, '') ?? destinationOf(types ?? [], model),
      ref: ref.startsWith('new ') ? null : ref,
      has: attributes,
      owns: treeOf(objects, ref, model),
    }));
}

function destinationOf(types: readonly string[], model: Model): string {
  return model.dependents.find(({ objectType }) => types.some((type) => model.isKindOf(type, objectType)))?.name ?? '?';
}

function appliedDependents(
  dependents: readonly DependentObject[],
  existing: readonly ExistingObject[],
  profile: string,
  model: Model,
): ExistingObject[] {
  const objects = [...existing];
  const loaded = dependents.flatMap(({ which }) => ('ref' in which ? [which.ref] : []));
  const refs: (string | undefined)[] = [];
  for (const { destination, owner: at, which, make, attributes } of dependents) {
    const type = model.destinations.get(destination)?.dependent?.objectType ?? '';
    const owner = at === null ? profile : refs[at];
    let index = objects.findIndex((object) => {
      if ('ref' in which) return object.ref === which.ref;
      return object.owner === owner && object.origin === originOf(destination, which.place);
    });
    if (index < 0 && 'place' in which && which.place === 0) {
      index = objects.findIndex(
        (object) =>
          object.owner === owner &&
          !loaded.includes(object.ref) &&
          object.origin?.startsWith(`${destination}/`) !== true &&
          (object.types ?? []).some((own) => model.isKindOf(own, type)),
      );
    }
    if (index < 0 && make && 'place' in which && owner !== undefined) {
      const origin = originOf(destination, which.place);
      index = objects.push({ ref: `new ${objects.length}`, types: [type], owner, origin, attributes: {} }) - 1;
    }
    const object = objects[index];
    refs.push(object?.ref);
    if (object === undefined) continue;
    const has = appliedAttributes(attributes, object.attributes);
    objects[index] = { ...object, owner: object.owner ?? owner ?? null, attributes: has };
  }
  return objects;
}

function appliedDictionaries(
  existing: HeldUser['dictionaries'],
  changes: AcceptedRecord['dictionaries'],
): HeldUser['dictionaries'] {
  const names = new Set([...Object.keys(existing), ...Object.keys(changes)]);
  const all = [...names].map((name) => [name, withoutNulls({ ...existing[name], ...changes[name] })] as const);
  return Object.fromEntries(all.filter(([, values]) => Object.keys(values).length > 0));
}

export function appliedAttributes(
  changes: Readonly<Record<string, AttributeChange>>,
  existing: Attributes,
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

export function withoutEmpty(attributes: Attributes): Record<string, readonly AttributeValue[]> {
  return Object.fromEntries(Object.entries(attributes).filter(([, values]) => values.length > 0));
}

function withoutNulls(values: Readonly<Record<string, JsonValue>>): Record<string, JsonValue> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}
