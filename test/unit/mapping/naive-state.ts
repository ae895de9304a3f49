import type { JsonValue } from '../../../src/domain/record.js';
import type { ExistingObject } from '../../../src/mapping/existing.js';
import type { AttributeValue } from '../../../src/mapping/mapped.js';

/** What the naive interpreter changes: plain objects, which start as what the directory holds. */

export type Values = Record<string, JsonValue>;
export type Attributes = Record<string, AttributeValue[]>;

export interface NaiveObject {
  readonly destination: string;
  readonly ref: string | null;
  owner: NaiveObject | 'the profile' | null;
  readonly origin: string | null;
  readonly attributes: Attributes;
  /** It belonged to nobody before. */
  readonly isFree: boolean;
  /** An instruction changed something of it, which is how a free one comes to belong to somebody. */
  touched: boolean;
  /** One that a record names is not there by itself as well. */
  isLoaded: boolean;
  /** How many objects `new` has started for it. */
  readonly started: Record<string, number>;
}

export interface NaiveState {
  readonly user: Values;
  /** Of the dictionaries, tags among them: what they hold, and what the record has said. */
  readonly dictionaries: Record<string, Values>;
  readonly given: Record<string, Values>;
  groups: string[];
  readonly profile: Attributes;
  readonly objects: NaiveObject[];
  readonly profileStarted: Record<string, number>;
  readonly current: Record<string, NaiveObject>;
  /** In pseudo-destinations. */
  readonly parts: Record<string, Values>;
  readonly members: Record<string, Attributes>;
  readonly codes: string[];
  rejected: boolean;
  aborted: boolean;
}

const TYPES: Readonly<Record<string, string>> = { book: 'std:type:book', 'book:page': 'test:type:page' };

export function objectsOf(existing: readonly ExistingObject[]): NaiveObject[] {
  const objects = existing.map(({ ref, types, owner, origin, attributes: held }): NaiveObject => {
    const [destination = '?'] = Object.keys(TYPES).filter((name) => types?.includes(TYPES[name] ?? ''));
    const attributes = copyOf(held);
    return {
      destination,
      ref,
      owner: null,
      origin,
      attributes,
      isFree: owner === null,
      touched: false,
      isLoaded: false,
      started: {},
    };
  });
  existing.forEach(({ owner }, index) => {
    const object = objects[index];
    const nobodys = { ...objects[index], attributes: {} } as NaiveObject;
    if (object === undefined || owner === null) return;
    object.owner = owner === '1' ? 'the profile' : (objects.find(({ ref }) => ref === owner) ?? nobodys);
  });
  return objects;
}

export function copyOf(attributes: Readonly<Record<string, readonly AttributeValue[]>>): Attributes {
  return Object.fromEntries(Object.entries(attributes).map(([name, values]) => [name, [...values]]));
}
