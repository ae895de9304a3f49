import type { JsonValue } from '../domain/record.js';
import type { ClassificationObject } from '../model/schema.js';
import type { Model } from '../model/model.js';
import type { ExistingObject } from './existing.js';

/** How references to objects and people travel through filters, and how they are found. */

/** An object that is known. A class, so that no input value can pass for one. */
export class ObjectReference {
  constructor(readonly ref: string) {}

  toValue(): JsonValue {
    return { ref: this.ref };
  }
}

/** What a person can be referred to by. */
export type PersonKey = 'username' | 'email';

/** A person, found when all accounts of the run are known: it may be somebody whom the same run adds. */
export class PersonReference {
  /** @param value in lower case */
  constructor(
    readonly key: PersonKey,
    readonly value: string,
  ) {}

  toValue(): JsonValue {
    return { [this.key]: this.value };
  }
}

/** A stored value of data type `ref` that still names a person instead of an object. */
export function personIn(value: JsonValue): { readonly key: PersonKey; readonly value: string } | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { username, email } = value as { readonly username?: JsonValue; readonly email?: JsonValue };
  if (typeof username === 'string') return { key: 'username', value: username };
  return typeof email === 'string' ? { key: 'email', value: email } : undefined;
}

/** What instructions and filters pass on: a value of the input, or a reference that a filter made of it. */
export type Value = JsonValue | ObjectReference | PersonReference;

export function isReference(value: Value | undefined): value is ObjectReference | PersonReference {
  return value instanceof ObjectReference || value instanceof PersonReference;
}

/** Finds the objects that control files refer to; gives their refs. */
export interface ObjectLookup {
  byBehaviour(code: string): string | undefined;
  /** An object of one of the types, or of a type below them, with exactly this title. */
  byTitle(types: readonly string[], title: string): string | undefined;
  /** The object with this ref. */
  byRef(text: string): ExistingObject | undefined;
}

/** Whether a text can be the ref of an object at all: refs are bigints, and what has more digits is none. */
export function isRef(text: string): boolean {
  return /^[1-9]\d{0,17}$/.test(text);
}

/** More objects than this are not searched by title: a mapping by behaviour serves such lists. */
export const MAX_TITLE_CANDIDATES = 4096;

/**
 * Looks among the model's own classification objects only, as is right where there is no directory: the ref of each is
 * `behaviour:` and its code, and any number is believed to be the ref of an object that nothing more is known of.
 */
export function modelLookup(model: Model): ObjectLookup {
  const refOf = ({ behaviour }: ClassificationObject): string => `behaviour:${behaviour}`;
  const own = new Set(model.objects.map(refOf));
  return {
    byBehaviour: (code) => {
      const object = model.objectByBehaviour.get(code);
      return object === undefined ? undefined : refOf(object);
    },
    byTitle: (types, title) => {
      const found = candidates(model, types).find((object) => object.title === title);
      return found === undefined ? undefined : refOf(found);
    },
    byRef: (text) =>
      isRef(text) || own.has(text) ? { ref: text, types: null, owner: null, origin: null, attributes: {} } : undefined,
  };
}

export function candidates(model: Model, types: readonly string[]): readonly ClassificationObject[] {
  return model.objects.filter((object) => types.some((type) => model.isKindOf(object.type, type)));
}
