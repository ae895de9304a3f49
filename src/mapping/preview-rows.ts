import { printable } from '../lib/printable.js';
import type { TraceEvent } from './compile-environment.js';
import { originKey, type Origin, type PreviewLine } from './preview.js';

/** One value of one name; the texts are printable. */
export interface PreviewRow {
  readonly name: string;
  readonly value: string;
  readonly qualifier?: string | undefined;
  /** Stands for no value. */
  readonly isAbsent?: boolean;
  readonly event?: TraceEvent | undefined;
}

type Origins = ReadonlyMap<string, Origin> | undefined;

/** Everything that a line holds, a row a value, for people. @param origins of `originsOf`, when rows are to say where they come from */
export function previewRows(
  { user, tags, dictionaries, profile, dependents }: PreviewLine,
  origins: Origins,
): PreviewRow[] {
  return [
    ...Object.entries(user).flatMap(([name, value]) => userRows(name, value, origins)),
    ...dictionaryRows('user:tags', tags, origins),
    ...Object.entries(dictionaries ?? {}).flatMap(([name, values]) => dictionaryRows(name, values, origins)),
    ...attributeRows((attribute) => originKey('profile', attribute), profile, origins),
    ...Object.entries(dependents).flatMap(([destination, objects]) =>
      objects.flatMap(({ object, attributes }) =>
        attributeRows((attribute) => originKey(destination, attribute, object), attributes, origins),
      ),
    ),
  ];
}

function userRows(name: string, value: unknown, origins: Origins): PreviewRow[] {
  const key = originKey('user', name);
  const origin = origins?.get(key);
  const row = { name: printable(key) };
  if (!Array.isArray(value)) return [{ ...row, value: readable(value), event: origin?.last }];
  if (value.length === 0) return [{ ...row, value: '(none)', isAbsent: true, event: origin?.last }];
  return (value as readonly unknown[]).map((one) => {
    const event = origin?.values.find((traced) => traced.value === one)?.event;
    return { ...row, value: readable(one), event };
  });
}

function dictionaryRows(
  destination: string,
  values: Readonly<Record<string, unknown>>,
  origins: Origins,
): PreviewRow[] {
  return Object.entries(values).map(([name, value]) => {
    const key = originKey(destination, name);
    const row = { name: printable(key), event: origins?.get(key)?.last };
    return value === null ? { ...row, ...REMOVED } : { ...row, value: readable(value) };
  });
}

const REMOVED = { value: '(removed)', isAbsent: true } as const;

function attributeRows(
  keyOf: (attribute: string) => string,
  attributes: PreviewLine['profile'],
  origins: Origins,
): PreviewRow[] {
  return Object.entries(attributes).flatMap(([attribute, values]): PreviewRow[] => {
    const origin = origins?.get(keyOf(attribute));
    const row = { name: printable(keyOf(attribute)) };
    if (values.length === 0) return [{ ...row, ...REMOVED, event: origin?.last }];
    return values.map(({ value, qualifier }, index) => {
      const event = origin?.values[index]?.event;
      return { ...row, value: readable(value), qualifier, event };
    });
  });
}

/** A value of any structure in one line: `first: Joe, last: Bloggs`. */
function readable(value: unknown): string {
  if (typeof value !== 'object' || value === null) return printable(String(value));
  if (Array.isArray(value)) return value.map(nested).join(', ');
  return Object.entries(value)
    .map(([name, part]) => `${printable(name)}: ${nested(part)}`)
    .join(', ');
}

function nested(value: unknown): string {
  if (typeof value !== 'object' || value === null) return readable(value);
  if (Array.isArray(value)) return value.length === 1 ? nested(value[0]) : `[${readable(value)}]`;
  // An entry of a group of attributes.
  if ('value' in value) {
    return 'qualifier' in value ? `${nested(value.value)} (${readable(value.qualifier)})` : nested(value.value);
  }
  return `{${readable(value)}}`;
}
