import type { JsonValue } from '../../../src/domain/record.js';
import type { NaiveInstruction } from './naive-interpreter.js';

/** How the naive interpreter converts a value: undefined sets nothing, and what is wrong is among the codes. */

/** Made by a filter: no input value is one. */
class Reference {
  constructor(readonly value: JsonValue) {}
}

const DATA_TYPES: Readonly<Record<string, string>> = {
  'test:attribute:integer': 'integer',
  number: 'integer',
  'test:attribute:boolean': 'boolean',
  'test:attribute:json': 'json',
  'std:attribute:relationship-manager': 'ref',
  'test:attribute:reviewer': 'ref',
  ref: 'ref',
  email: 'email',
};

/** @param knownRefs of the objects that there are */
export function convert(
  instruction: NaiveInstruction,
  input: JsonValue,
  codes: string[],
  knownRefs: readonly string[],
): JsonValue | undefined {
  let value: JsonValue | Reference | undefined = input;
  if (instruction.mapInputValue !== undefined) {
    const table = new Map(Object.entries(instruction.mapInputValue));
    const key = typeof value === 'object' ? undefined : String(value);
    if (key !== undefined && table.has(key)) value = table.get(key) ?? null;
    else if ('mapInputValueDefault' in instruction) value = instruction.mapInputValueDefault ?? null;
  }
  for (const filter of instruction.filters ?? []) {
    value = filtered(filter, value, knownRefs);
    if (value === undefined) return undefined;
  }
  const type = DATA_TYPES[instruction.name ?? ''] ?? 'text';
  if (value instanceof Reference) return type === 'ref' ? value.value : notA(type, codes);
  if (value === null || (value === '' && type !== 'boolean')) return undefined;
  return ofType(type, value, codes);
}

function filtered(
  filter: string,
  value: JsonValue | Reference,
  knownRefs: readonly string[],
): JsonValue | Reference | undefined {
  const text = typeof value === 'object' ? undefined : String(value);
  switch (filter) {
    case 'haplo:to-lower-case':
      return typeof value === 'string' ? value.toLowerCase() : value;
    case 'haplo:to-upper-case':
      return typeof value === 'string' ? value.toUpperCase() : value;
    case 'haplo:to-string':
      return text;
    case 'haplo:string-to-ref':
      return typeof value === 'string' && knownRefs.includes(value) ? new Reference({ ref: value }) : undefined;
    case 'haplo:username-to-ref':
      return text === undefined || text === '' ? undefined : new Reference({ username: text.toLowerCase() });
    case 'haplo:email-to-ref':
      return text === undefined || text === '' ? undefined : new Reference({ email: text.toLowerCase() });
    default:
      throw new Error(`the naive interpreter does not know ${filter}`);
  }
}

/** A reference where another type is wanted. */
function notA(type: string, codes: string[]): undefined {
  if (type === 'integer' || type === 'boolean' || type === 'email') codes.push(`invalid-${type}`);
  return undefined;
}

function ofType(type: string, value: JsonValue, codes: string[]): JsonValue | undefined {
  switch (type) {
    case 'integer':
      if (Number.isInteger(value)) return value;
      if (typeof value === 'string' && /^(0|-?[1-9]\d{0,14})$/.test(value)) return Number(value);
      return notA(type, codes);
    case 'boolean':
      if (value === true || value === 'true') return true;
      if (value === false || value === 'false') return false;
      return notA(type, codes);
    case 'json':
      return typeof value === 'object' ? value : undefined;
    case 'ref':
      return undefined;
    case 'email':
      if (typeof value === 'string' && value.includes('@') && !value.startsWith('@')) return value;
      return notA(type, codes);
    default:
      return typeof value === 'string' ? value : typeof value === 'object' ? undefined : `${value}`;
  }
}
