import type { JsonValue } from '../domain/record.js';
import type { RefMapping } from './instruction.js';
import type { RecordState } from './record-state.js';
import { isReference, ObjectReference, type ObjectLookup, type Value } from './references.js';

/** Gives the reference that an input value stands for. */
export type RefTable = (value: Value, state: RecordState, source: string | undefined) => JsonValue | undefined;

/** Looks every value of the table up once, before the first record. */
export function compileRefMapping(mapping: RefMapping, lookup: ObjectLookup): RefTable {
  const found = new Map<string, ObjectReference | undefined>();
  for (const [input, to] of mapping.values) {
    const ref = mapping.using === 'behaviour' ? lookup.byBehaviour(to) : lookup.byTitle(mapping.types, to);
    found.set(input, ref === undefined ? undefined : new ObjectReference(ref));
  }
  return (value, state, source) => {
    const input = inputOf(value);
    const reference = input === undefined ? undefined : found.get(input);
    if (reference !== undefined) return reference.toValue();
    const shown = isReference(value) ? value.toValue() : value;
    if (input !== undefined && found.has(input)) {
      const message = `The mapping gives a ${mapping.using} that no object has: correct the mapping or make the object.`;
      state.error('unknown-reference', message, source, shown);
    } else if (mapping.using === 'behaviour') {
      state.error('unmapped-value', 'The value is not in the mapping: add it.', source, shown);
    }
    return undefined;
  };
}

function inputOf(value: Value): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
