import { normaliseUsername } from './username.js';
import { ObjectReference, PersonReference, type ObjectLookup, type PersonKey, type Value } from './references.js';

/** Undefined means: nothing is set. */
export type Filter = (value: Value) => Value | undefined;

/** Makes the one instance that serves a whole run. */
export type FilterFactory = (lookup: ObjectLookup) => Filter;

export const BUILT_IN_FILTERS: ReadonlyMap<string, FilterFactory> = new Map<string, FilterFactory>([
  ['haplo:to-lower-case', () => (value) => (typeof value === 'string' ? value.toLowerCase() : value)],
  ['haplo:to-upper-case', () => (value) => (typeof value === 'string' ? value.toUpperCase() : value)],
  ['haplo:to-string', () => toText],
  ['haplo:fix-up-url', () => fixUpUrl],
  ['haplo:string-to-ref', (lookup) => (value) => reference(value, (text) => lookup.byRef(text)?.ref)],
  ['haplo:code-to-ref', (lookup) => (value) => reference(value, (text) => lookup.byBehaviour(text))],
  ['haplo:username-to-ref', () => (value) => personOf(value, 'username')],
  ['haplo:email-to-ref', () => (value) => personOf(value, 'email')],
]);

function toText(value: Value): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** `www.example.org/x` is an address that people write; texts with digits or other signs may be anything. */
const BARE_ADDRESS = /^[a-z][a-z+./-]*$/i;

function fixUpUrl(value: Value): string | undefined {
  if (typeof value !== 'string') return undefined;
  return BARE_ADDRESS.test(value) ? `https://${value}` : value;
}

function reference(value: Value, find: (text: string) => string | undefined): Value | undefined {
  if (typeof value !== 'string') return undefined;
  const ref = find(value);
  return ref === undefined ? undefined : new ObjectReference(ref);
}

/** Both are compared in lower case, and by one rule what they can be. */
function personOf(value: Value, key: PersonKey): Value | undefined {
  const text = toText(value);
  const normal = text === undefined ? null : normaliseUsername(text);
  return normal === null ? undefined : new PersonReference(key, normal);
}
