import type { JsonValue } from '../domain/record.js';
import type { AttributeValue } from './mapped.js';
import type { AttributeEdit, ExistingUser } from './record-state.js';

/**
 * How instructions change one attribute, one after the other, kept in normal form: which existing values go, then
 * which values follow.
 */

const NOTHING_DROPPED: readonly (string | null)[] = [];

/** A plain value replaces everything; one with a qualifier replaces the values with that qualifier. */
export function replaceValues(edit: AttributeEdit | undefined, value: AttributeValue): AttributeEdit {
  const { qualifier } = value;
  if (qualifier === undefined) return { drop: 'all', values: [value] };
  if (edit === undefined) return { drop: [qualifier], values: [value] };
  const alreadyDropped = edit.drop === 'all' || edit.drop.includes(qualifier);
  return {
    drop: alreadyDropped ? edit.drop : [...edit.drop, qualifier],
    values: [...edit.values.filter((one) => one.qualifier !== qualifier), value],
  };
}

export function addValue(edit: AttributeEdit | undefined, value: AttributeValue): AttributeEdit {
  if (edit === undefined) return { drop: NOTHING_DROPPED, values: [value] };
  if (!isAmong(edit.values, value)) edit.values.push(value);
  return edit;
}

export function removeValues(): AttributeEdit {
  return { drop: 'all', values: [] };
}

/** What the attribute holds now has at least one value. */
export function hasValues(
  edit: AttributeEdit | undefined,
  existing: ExistingUser | undefined,
  attribute: string,
): boolean {
  if (edit !== undefined && edit.values.length > 0) return true;
  const dropped = edit?.drop ?? NOTHING_DROPPED;
  if (dropped === 'all' || existing === undefined || !Object.hasOwn(existing.profile, attribute)) return false;
  return (existing.profile[attribute] ?? []).some((value) => !dropped.includes(value.qualifier ?? null));
}

/** Longer lists are compared by way of a set: a record of a million elements must not cost their square. */
const SHORT_LIST = 16;

const keysOfLists = new WeakMap<readonly AttributeValue[], Set<string>>();

function isAmong(values: readonly AttributeValue[], value: AttributeValue): boolean {
  if (values.length <= SHORT_LIST) {
    return values.some((one) => one.qualifier === value.qualifier && isSame(one.value, value.value));
  }
  let keys = keysOfLists.get(values);
  if (keys === undefined) {
    keys = new Set(values.map(keyOf));
    keysOfLists.set(values, keys);
  }
  const key = keyOf(value);
  if (keys.has(key)) return true;
  // The caller appends it.
  keys.add(key);
  return false;
}

function isSame(one: JsonValue, other: JsonValue): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  return canonical(one) === canonical(other);
}

function keyOf(value: AttributeValue): string {
  return JSON.stringify(value.qualifier ?? null) + canonical(value.value);
}

/** The order of keys means nothing in JSON, nor in jsonb. */
function canonical(value: JsonValue): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    const sorted = Object.create(null) as Record<string, unknown>;
    for (const key of Object.keys(part).toSorted()) sorted[key] = (part as Record<string, unknown>)[key];
    return sorted;
  });
}
