import type { JsonValue } from '../domain/record.js';
import type { ClassificationObject } from '../model/schema.js';
import type { Model } from '../model/model.js';

/** How references to objects and people travel through filters, and how they are found. */

/** An object that is known. A class, so that no input value can pass for one. */
export class ObjectReference {
  constructor(readonly ref: string) {}

  toValue(): JsonValue {
    return { ref: this.ref };
  }
}

/** A person by username, resolved when all accounts of the run exist. */
export class PersonReference {
  constructor(readonly username: string) {}

  toValue(): JsonValue {
    return { username: this.username };
  }
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
  /** The ref as it is stored, when the text is one of an object. */
  byRef(text: string): string | undefined;
}

/** More objects than this are not searched by title: a mapping by behaviour serves such lists. */
export const MAX_TITLE_CANDIDATES = 4096;

/**
 * Looks among the model's own classification objects only.
 *
 * @param refs the objects' refs in the directory, by behaviour. Without a directory the ref of each is `behaviour:` and
 *   its code.
 */
export function modelLookup(model: Model, refs?: Readonly<Record<string, string>>): ObjectLookup {
  const refOf = ({ behaviour }: ClassificationObject): string => refs?.[behaviour] ?? `behaviour:${behaviour}`;
  const byRef = new Set(model.objects.map(refOf));
  return {
    byBehaviour: (code) => {
      const object = model.objectByBehaviour.get(code);
      return object === undefined ? undefined : refOf(object);
    },
    byTitle: (types, title) => {
      const found = candidates(model, types).find((object) => object.title === title);
      return found === undefined ? undefined : refOf(found);
    },
    byRef: (text) => (byRef.has(text) ? text : undefined),
  };
}

export function candidates(model: Model, types: readonly string[]): readonly ClassificationObject[] {
  return model.objects.filter((object) => types.some((type) => model.isKindOf(object.type, type)));
}
