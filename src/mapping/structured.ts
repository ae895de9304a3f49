import type { JsonValue } from '../domain/record.js';
import { STRUCTURED_FIELDS, type StructuredType } from '../model/destinations.js';
import { COUNTRIES } from './countries.js';
import type { RecordState } from './record-state.js';

/** The field that a value is nothing without. */
export const DECISIVE_FIELDS: Readonly<Record<StructuredType, string>> = {
  'person-name': 'last',
  'postal-address': 'country',
};

/**
 * Takes what was collected in the pseudo-destination of a structured type, and clears it. Undefined when nothing was
 * collected, or when it is no complete value, which is an error on the record.
 *
 * @param slots where the fields live, by field
 * @param source the source field of the decisive field, for errors
 */
export function takeStructured(
  type: StructuredType,
  slots: ReadonlyMap<string, number>,
  state: RecordState,
  source: string | undefined,
): JsonValue | undefined {
  const value: Record<string, JsonValue> = {};
  let isEmpty = true;
  for (const field of STRUCTURED_FIELDS[type]) {
    const slot = slots.get(field);
    if (slot === undefined) continue;
    const part = state.scalars[slot];
    state.scalars[slot] = undefined;
    if (part === undefined || part === null) continue;
    value[field] = part;
    isEmpty = false;
  }
  if (isEmpty) return undefined;
  if (type === 'person-name') {
    if (value['last'] !== undefined) return value;
    state.error('invalid-name', "A person's name needs at least `last`.", source, value);
  } else {
    const country = value['country'];
    if (typeof country === 'string' && COUNTRIES.has(country)) return value;
    const message = 'A postal address needs `country`, a two-letter ISO 3166 code such as `GB`.';
    state.error('invalid-address', message, source, value);
  }
  return undefined;
}
