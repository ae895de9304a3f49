import type { InputRecord, JsonValue } from '../../../../src/domain/record.js';
import type { ExistingUser } from '../../../../src/mapping/existing.js';
import type { FileFormat } from '../../../../src/readers/registry.js';

/** The language of control files as rules with cases that show each: data, which `rules.test.ts` runs. */

export interface Chapter {
  readonly name: string;
  readonly rules: readonly Rule[];
}

export interface Rule {
  /** `chapter.subject.number` */
  readonly id: string;
  readonly rule: string;
  readonly cases: readonly Case[];
}

export type Case = MappingCase | ControlCase | ReadCase | EngineCase;

/** What becomes of a record. `USER_INSTRUCTIONS` stand before the instructions, `USER_FIELDS` in the record. */
export interface MappingCase {
  readonly kind: 'mapping';
  readonly instructions: readonly object[];
  readonly record: InputRecord;
  readonly more: MappingOptions;
  readonly expected: Expected | Rejected;
}

export interface MappingOptions {
  /** The control file's tables. */
  readonly mapping?: object;
  readonly existing?: Partial<ExistingUser>;
  /** Objects that `load` finds, beside those that belong to the user. */
  readonly objects?: ExistingUser['objects'];
  /** The instructions stand alone. */
  readonly bare?: true;
}

/** The state that the directory would have for the user afterwards. A value without qualifier may stand alone. */
export interface Expected {
  readonly user?: object;
  readonly tags?: Readonly<Record<string, string>>;
  readonly dictionaries?: Readonly<Record<string, Readonly<Record<string, JsonValue>>>>;
  readonly profile?: Readonly<Record<string, readonly JsonValue[]>>;
  /** Those of the profile, with what they own. */
  readonly objects?: readonly ExpectedObject[];
  /** What is set for the profile by the sync itself. */
  readonly own?: Readonly<Record<string, JsonValue>>;
  readonly types?: readonly string[];
  readonly errors?: readonly string[];
}

export interface ExpectedObject {
  readonly is: string;
  readonly has: Readonly<Record<string, readonly JsonValue[]>>;
  readonly owns?: readonly ExpectedObject[];
}

export interface Rejected {
  readonly rejected: readonly string[];
  readonly username?: string | null;
}

/** Every problem of a control file, as `code pointer`. */
export interface ControlCase {
  readonly kind: 'control';
  /** Behind `USER_INSTRUCTIONS`; or the whole text. */
  readonly control: readonly object[] | string;
  readonly more: Readonly<Record<string, unknown>>;
  readonly problems: readonly string[];
}

/** What is read from the bytes of a file: records, and the codes of rejected ones. */
export interface ReadCase {
  readonly kind: 'read';
  readonly format: FileFormat;
  readonly bytes: string | Uint8Array;
  readonly items: readonly (JsonValue | string)[];
}

/** Batches on a real database, one after the other. */
export interface EngineCase {
  readonly kind: 'engine';
  readonly what: string;
  readonly instructions: readonly object[];
  readonly more: Readonly<Record<string, unknown>>;
  readonly steps: readonly Step[];
}

export interface Step {
  /** Before the batch. `:ada` stands for the ref of that user's profile. */
  readonly sql?: string;
  /** Records, or those of each file. */
  readonly batch: readonly object[] | Readonly<Record<string, readonly object[]>>;
  readonly force?: true;
  readonly counts?: Readonly<Record<string, number>>;
  /** `code username` of the run's errors. */
  readonly errors?: readonly string[];
  /** Parts of an error's message. */
  readonly messages?: readonly RegExp[];
  /** What `directory.users` has, as far as it is told. `@bob` stands for a reference to that user's profile. */
  readonly users?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** `owner: name` of all books and pages; the owner of a page is the name of its book. */
  readonly objects?: readonly string[];
}

export function maps(
  instructions: readonly object[],
  record: InputRecord,
  expected: Expected | Rejected,
  more: MappingOptions = {},
): MappingCase {
  return { kind: 'mapping', instructions, record, expected, more };
}

export function rejects(
  instructions: readonly object[],
  record: InputRecord,
  codes: readonly string[],
  more: MappingOptions = {},
): MappingCase {
  return maps(instructions, record, { rejected: codes }, more);
}

export function checks(
  control: readonly object[] | string,
  problems: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): ControlCase {
  return { kind: 'control', control, problems, more };
}

export function reads(
  format: FileFormat | string,
  bytes: string | Uint8Array,
  items: readonly (JsonValue | string)[],
): ReadCase {
  return { kind: 'read', format: typeof format === 'string' ? { read: format } : format, bytes, items };
}

export function runs(
  what: string,
  instructions: readonly object[],
  steps: readonly Step[],
  more: Readonly<Record<string, unknown>> = {},
): EngineCase {
  return { kind: 'engine', what, instructions, steps, more };
}

export const JOB = 'std:attribute:job-title';
export const URL_NAME = 'std:attribute:url';
export const NOTES = 'std:attribute:notes';
export const DATE = 'std:attribute:date';
export const PHONE = 'std:attribute:telephone';
export const ADDRESS = 'std:attribute:address';
export const WORKS_FOR = 'std:attribute:works-for';
export const MANAGER = 'std:attribute:relationship-manager';
export const TITLE = 'dc:attribute:title';
export const HOME = 'std:qualifier:home';
export const OFFICE = 'std:qualifier:office';
export const MULTI = { multivalue: true } as const;

/** A `field` for an attribute of the profile. */
export function field(source: string, name: string = JOB, more: object = {}): object {
  return { source, destination: 'profile', name, ...more };
}

/** A `set-value` for an attribute of the profile. */
export function put(value: JsonValue, name: string = JOB, more: object = {}): object {
  return { action: 'set-value', value, destination: 'profile', name, ...more };
}

export function to(destination: string, source: string, name: string = source, more: object = {}): object {
  return { source, destination, name, ...more };
}

export function remove(destination: string, name: string): object {
  return { action: 'remove-values', destination, name };
}

export function forEach(source: string, ...instructions: object[]): object {
  return { action: 'for-each', source, instructions };
}

/** The elements are plain values, which become `value`. */
export function forEachValue(source: string, ...instructions: object[]): object {
  return { action: 'for-each', source, wrapValues: true, instructions };
}

export function hasValue(destination: string, name: string, then: object[], otherwise: object[] = []): object {
  return { action: 'if-has-value', destination, name, then, else: otherwise };
}

export function log(message: string): object {
  return { action: 'log-error', message };
}

/** A value with its qualifier. */
export function q(value: JsonValue, qualifier: string): JsonValue {
  return { value, qualifier };
}
