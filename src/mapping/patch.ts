import type { JsonValue } from '../domain/record.js';
import { EMAIL_ATTRIBUTE, PERSON_TYPE, TITLE_ATTRIBUTE } from '../model/destinations.js';
import type { Model } from '../model/model.js';
import { originOf } from './existing.js';
import type { AcceptedRecord, AttributeChange, AttributeValue, DependentObject } from './mapped.js';
import { GivenNames } from './given-names.js';
import { PeopleFinder, type PersonPlace } from './people.js';

/**
 * Everything that would be written for one user, as JSON text: the mapped record with what the sync itself sets (name,
 * e-mail and types of the profile). Its digest decides whether a user changed, so equal results have equal text: names
 * are sorted, and what a record does not set is absent rather than null or empty.
 *
 * Shape:
 *
 *     {"user": {email, title?, nameFirst, nameLast, groups?}, "tags": {name: text}, "types"?: [code],
 *      "profile": {attribute: [{value, qualifier?}]},
 *      "dictionaries"?: {destination: {name: value}},
 *      "dependents"?: [{destination, owner?: index, place?, origin?, ref?, make, values, drop?}],
 *      "drop"?: {"tags"?: [name], "profile"?: {attribute: true | [qualifier | null]}, "dictionaries"?: {destination: [name]}},
 *      "people"?: [{"username" | "email", at: path}]}
 *
 * An attribute with values replaces the existing ones, unless `drop` lists the qualifiers of those to remove; `true`
 * removes all. A dependent is the object `ref`, or the one at its `place`; the profile owns it, or the one at the index
 * `owner`. `people` tells which values are references that still name a person.
 */
export class PatchBuilder {
  /** Types of a profile by its groups; only a handful of combinations exist. */
  readonly #typesByGroups = new Map<string, readonly string[]>();
  readonly #model: Model;
  readonly #setsTitle: boolean;
  readonly #setsGroups: boolean;
  /** The names for which the record last built gives a value (`user/title`, `profile/std:attribute:url`). */
  readonly given: GivenNames;
  /** Patches that refer to people. */
  peopleCount = 0;
  /** Patches with objects that belong to the user. */
  dependentsCount = 0;
  readonly #people: PeopleFinder;

  /** @param mentioned `CompiledMapping.mentioned`: names that no instruction mentions keep what the directory has. */
  constructor(model: Model, mentioned: readonly string[]) {
    this.#model = model;
    this.#people = new PeopleFinder(model);
    this.#setsTitle = mentioned.includes('user/title');
    this.#setsGroups = mentioned.includes('user/groups');
    this.given = new GivenNames(mentioned);
  }

  build(record: AcceptedRecord): string {
    const { email, title, nameFirst, nameLast, groups } = record.user;
    const { given } = this;
    given.clear();
    if (title !== null) given.add('user', 'title');
    if (groups.length > 0) given.add('user', 'groups');
    const tags: Record<string, string> = {};
    const droppedTags: string[] = [];
    for (const name of Object.keys(record.tags).sort()) {
      const value = record.tags[name];
      if (value == null) {
        droppedTags.push(name);
      } else {
        tags[name] = value;
        given.add('user:tags', name);
      }
    }
    const people: PersonPlace[] = [];
    const profile: Record<string, readonly AttributeValue[]> = {};
    const droppedAttributes: Record<string, Dropped> = {};
    for (const attribute of namesOf(record)) {
      const change = this.#withOwnValues(attribute, record);
      if (change.values.length > 0) {
        profile[attribute] = change.values.map(canonicalValue);
        given.add('profile', attribute);
      }
      const drop = dropOf(attribute, change, record);
      if (drop !== undefined) droppedAttributes[attribute] = drop;
      if (this.#people.concerns(attribute)) {
        this.#people.find(attribute, change.values, ['profile', attribute], people);
      }
    }
    const dictionaries = this.#dictionaries(record);
    const dependents = this.#dependents(record, people);
    if (people.length > 0) this.peopleCount += 1;
    if (dependents.length > 0) this.dependentsCount += 1;
    const drop = {
      ...(droppedTags.length > 0 ? { tags: droppedTags } : {}),
      ...(isEmpty(droppedAttributes) ? {} : { profile: droppedAttributes }),
      ...(isEmpty(dictionaries.drop) ? {} : { dictionaries: dictionaries.drop }),
    };
    return JSON.stringify({
      user: {
        email,
        ...(this.#setsTitle ? { title } : {}),
        nameFirst,
        nameLast,
        ...(this.#setsGroups ? { groups } : {}),
      },
      tags,
      ...(this.#setsGroups ? { types: this.#typesOf(groups) } : {}),
      profile,
      ...(isEmpty(dictionaries.set) ? {} : { dictionaries: dictionaries.set }),
      ...(dependents.length === 0 ? {} : { dependents }),
      ...(isEmpty(drop) ? {} : { drop }),
      ...(people.length === 0 ? {} : { people }),
    });
  }

  #dictionaries({ dictionaries }: AcceptedRecord): {
    set: Record<string, Record<string, JsonValue>>;
    drop: Record<string, string[]>;
  } {
    const set: Record<string, Record<string, JsonValue>> = {};
    const drop: Record<string, string[]> = {};
    for (const dictionary of Object.keys(dictionaries).sort()) {
      const values: Record<string, JsonValue> = {};
      const dropped: string[] = [];
      const given = dictionaries[dictionary] ?? {};
      for (const name of Object.keys(given).sort()) {
        const value = given[name];
        if (value == null) {
          dropped.push(name);
        } else {
          values[name] = sortKeys(value);
          this.given.add(dictionary, name);
        }
      }
      if (!isEmpty(values)) set[dictionary] = values;
      if (dropped.length > 0) drop[dictionary] = dropped;
    }
    return { set, drop };
  }

  #dependents({ dependents }: AcceptedRecord, people: PersonPlace[]): object[] {
    return dependents.map((object, index) => {
      const values: Record<string, readonly AttributeValue[]> = {};
      const drop: Record<string, Dropped> = {};
      for (const attribute of Object.keys(object.attributes).sort()) {
        const change = object.attributes[attribute];
        if (change === undefined) continue;
        if (change.values.length > 0) {
          values[attribute] = change.values.map(canonicalValue);
          this.given.add(object.destination, attribute);
        }
        const dropped = plainDropOf(change);
        if (dropped !== undefined) drop[attribute] = dropped;
        if (this.#people.concerns(attribute)) {
          this.#people.find(attribute, change.values, ['dependents', String(index), 'values', attribute], people);
        }
      }
      const { destination, owner, make } = object;
      return {
        destination,
        ...(owner === null ? {} : { owner }),
        ...whichOf(object),
        make,
        values,
        ...(isEmpty(drop) ? {} : { drop }),
      };
    });
  }

  /** The name and the e-mail address of the profile are the sync's own. */
  #withOwnValues(attribute: string, record: AcceptedRecord): AttributeChange {
    const change = record.profile[attribute];
    const { user } = record;
    if (attribute === EMAIL_ATTRIBUTE) return { drop: 'all', values: [{ value: user.email }] };
    if (attribute !== TITLE_ATTRIBUTE) return change ?? { drop: [], values: [] };
    const { nameFirst: first, nameLast: last, title } = user;
    const name: JsonValue = title === null ? { first, last } : { first, last, title };
    const others = (change?.values ?? []).filter((value) => value.qualifier !== undefined);
    return { drop: change?.drop ?? [null], values: [{ value: name }, ...others] };
  }

  #typesOf(groups: readonly string[]): readonly string[] {
    const key = groups.join('\n');
    let types = this.#typesByGroups.get(key);
    if (types === undefined) {
      const active = groups.map((code) => this.#model.groupByCode.get(code)?.typeActive).filter((type) => type != null);
      types = active.length > 0 ? [...new Set(active)] : [PERSON_TYPE];
      this.#typesByGroups.set(key, types);
    }
    return types;
  }
}

/** Attributes that the record or the sync sets, sorted. */
function namesOf(record: AcceptedRecord): string[] {
  const names = Object.keys(record.profile);
  if (record.profile[TITLE_ATTRIBUTE] === undefined) names.push(TITLE_ATTRIBUTE);
  if (record.profile[EMAIL_ATTRIBUTE] === undefined) names.push(EMAIL_ATTRIBUTE);
  return names.sort();
}

/** Which existing values go: all, or those with one of these qualifiers (null: without one). */
type Dropped = true | readonly (string | null)[];

/** What to say of existing values; undefined when the usual rule holds (replaced, qualified titles kept). */
function dropOf(attribute: string, change: AttributeChange, record: AcceptedRecord): Dropped | undefined {
  if (attribute !== TITLE_ATTRIBUTE) return plainDropOf(change);
  if (record.profile[TITLE_ATTRIBUTE] === undefined) return undefined;
  return change.drop === 'all' ? true : [...new Set([null, ...change.drop])].sort();
}

function plainDropOf(change: AttributeChange): Dropped | undefined {
  if (change.drop !== 'all') return [...change.drop].sort();
  return change.values.length === 0 || change.emptied === true ? true : undefined;
}

function whichOf({ destination, which }: DependentObject): object {
  if ('ref' in which) return { ref: which.ref };
  return { place: which.place, origin: originOf(destination, which.place) };
}

/** Values of the type `json` come as the source wrote them; the order of their keys means nothing. */
function canonicalValue(entry: AttributeValue): AttributeValue {
  if (typeof entry.value !== 'object' || entry.value === null || isCanonical(entry.value)) return entry;
  return { ...entry, value: sortKeys(entry.value) };
}

/** Plain values under sorted names, as in the name of nearly every person. */
function isCanonical(value: Readonly<Record<string, JsonValue>> | readonly JsonValue[]): boolean {
  if (Array.isArray(value)) return false;
  let before = '';
  const members = value as Readonly<Record<string, JsonValue>>;
  for (const key in members) {
    const part = members[key];
    if (key < before || (typeof part === 'object' && part !== null)) return false;
    before = key;
  }
  return true;
}

function sortKeys(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, part]): [string, JsonValue] => [key, sortKeys(part)]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

function isEmpty(object: object): boolean {
  for (const _ in object) return false;
  return true;
}
