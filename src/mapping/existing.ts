import type { JsonValue } from '../domain/record.js';
import type { Model } from '../model/model.js';
import type { AttributeValue } from './mapped.js';

/** What the directory holds, as far as instructions ask for it (`if-has-value`, `load`, `assert-destination`). */
export interface ExistingUser {
  /** Names of `user` that have a value; `groups` are codes of managed groups. */
  readonly user: Readonly<Record<string, JsonValue>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly dictionaries: Readonly<Record<string, Readonly<Record<string, JsonValue>>>>;
  readonly profile: Readonly<Record<string, readonly AttributeValue[]>>;
  readonly profileRef: string | null;
  /** The objects that belong to the profile, and to these, oldest first. */
  readonly objects: readonly ExistingObject[];
}

export interface ExistingObject {
  readonly ref: string;
  /** Null: not known, since there is no directory at hand. */
  readonly types: readonly string[] | null;
  readonly owner: string | null;
  /** `originOf` the destination and place for which the sync made it; null: it was made by somebody else. */
  readonly origin: string | null;
  readonly attributes: Readonly<Record<string, readonly AttributeValue[]>>;
}

/** How the directory notes what the sync made an object for. */
export function originOf(destination: string, place: number): string {
  return `${destination}/${place}`;
}

/**
 * The object at a place of its owner: the one that the sync made for it; for the first place else the oldest one of the
 * type that the sync did not make for this destination. The plan finds them by the same rule, in SQL.
 *
 * @param taken refs that the record loaded, which are spoken for
 */
export function objectAt(
  objects: readonly ExistingObject[],
  where: { destination: string; objectType: string; owner: string; place: number },
  model: Model,
  taken: Pick<ReadonlySet<string>, 'has'>,
): ExistingObject | undefined {
  const { destination, objectType, owner, place } = where;
  const own = objects.filter((object) => object.owner === owner && !taken.has(object.ref));
  const made = own.find((object) => object.origin === originOf(destination, place));
  if (made !== undefined || place > 0) return made;
  return own.find(
    ({ types, origin }) =>
      origin?.startsWith(`${destination}/`) !== true &&
      types?.some((type) => model.isKindOf(type, objectType)) === true,
  );
}
