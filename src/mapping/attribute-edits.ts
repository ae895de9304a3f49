import type { JsonValue } from '../domain/record.js';
import type { AttributeValue } from './mapped.js';
import { personIn } from './references.js';

/**
 * How instructions change one attribute, one after the other, kept in normal form: which existing values go, then
 * which values follow.
 */

/** How one record changes one attribute so far; becomes part of the outcome as it is. */
export interface AttributeEdit {
  drop: 'all' | readonly (string | null)[];
  values: AttributeValue[];
  /** A reference to a person follows `remove-values`: should nobody be found, nothing is left. */
  emptied?: true;
}

const NOTHING_DROPPED: readonly (string | null)[] = [];

/** A plain value replaces everything; one with a qualifier replaces the values with that qualifier. */
export function replaceValues(edit: AttributeEdit | undefined, value: AttributeValue): AttributeEdit {
  const { qualifier } = value;
  if (qualifier === undefined) {
    const next: AttributeEdit = { drop: 'all', values: [value] };
    if (edit !== undefined && followsRemoval(edit, value)) next.emptied = true;
    return next;
  }
  if (edit === undefined) return { drop: [qualifier], values: [value] };
  const alreadyDropped = edit.drop === 'all' || edit.drop.includes(qualifier);
  return {
    drop: alreadyDropped ? edit.drop : [...edit.drop, qualifier],
    values: [...edit.values.filter((one) => one.qualifier !== qualifier), value],
    ...(followsRemoval(edit, value) ? { emptied: true } : {}),
  };
}

export function addValue(edit: AttributeEdit | undefined, value: AttributeValue): AttributeEdit {
  if (edit === undefined) return { drop: NOTHING_DROPPED, values: [value] };
  if (followsRemoval(edit, value)) edit.emptied = true;
  if (!isAmong(edit.values, value)) edit.values.push(value);
  return edit;
}

/** Only kept for references to people: any other value that was set is there to replace what was removed. */
function followsRemoval(edit: AttributeEdit, { value }: AttributeValue): boolean {
  if (edit.emptied === true) return true;
  return edit.drop === 'all' && edit.values.length === 0 && personIn(value) !== undefined;
}

export function removeValues(): AttributeEdit {
  return { drop: 'all', values: [] };
}

/**
 * What the attribute holds now has at least one value.
 *
 * @param existing the attribute's values in the directory
 */
export function hasValues(edit: AttributeEdit | undefined, existing: readonly AttributeValue[] | undefined): boolean {
  if (edit !== undefined && edit.values.length > 0) return true;
  const dropped = edit?.drop ?? NOTHING_DROPPED;
  if (dropped === 'all' || existing === undefined) return false;
  return existing.some((value) => !dropped.includes(value.qualifier ?? null));
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
