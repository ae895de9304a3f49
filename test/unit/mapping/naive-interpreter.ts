import type { JsonValue } from '../../../src/domain/record.js';
import type { AttributeValue } from '../../../src/mapping/mapped.js';

/**
 * The language once more, as plainly as it can be said, to hold the compiled mapping against: a state is changed by
 * one instruction after the other, and existing values of the directory are given rather than described by changes.
 * Knows texts, integers, booleans, groups and the instructions of `arbitraryInstructions`.
 */
export interface NaiveInstruction {
  readonly action?: string;
  readonly source?: string;
  readonly value?: JsonValue;
  readonly values?: readonly JsonValue[];
  readonly destination?: string;
  readonly name?: string;
  readonly multivalue?: boolean;
  readonly qualifier?: string;
  readonly mapInputValue?: Readonly<Record<string, JsonValue>>;
  readonly mapInputValueDefault?: JsonValue;
  readonly filters?: readonly string[];
  readonly wrapValues?: boolean;
  readonly message?: string;
  readonly then?: readonly NaiveInstruction[];
  readonly else?: readonly NaiveInstruction[];
  readonly instructions?: readonly NaiveInstruction[];
}

export interface NaiveState {
  readonly user: Record<string, JsonValue>;
  groups: string[];
  readonly profile: Record<string, AttributeValue[]>;
  readonly codes: string[];
  rejected: boolean;
  aborted: boolean;
}

const MANAGED = ['example:group:staff', 'example:group:students'];
const UNMANAGED = ['example:group:reviewers'];

export function interpret(
  instructions: readonly NaiveInstruction[],
  record: JsonValue,
  existing: Readonly<Record<string, readonly AttributeValue[]>>,
): NaiveState {
  const state: NaiveState = {
    user: {},
    groups: [],
    profile: Object.fromEntries(Object.entries(existing).map(([name, values]) => [name, [...values]])),
    codes: [],
    rejected: false,
    aborted: false,
  };
  run(instructions, record, state);
  if (!state.aborted) {
    for (const name of ['username', 'email', 'nameFirst', 'nameLast']) {
      if (state.user[name] !== undefined) continue;
      state.rejected = true;
      state.codes.push(name === 'username' ? 'missing-username' : 'missing-value');
    }
  }
  state.groups = MANAGED.filter((group) => state.groups.includes(group));
  return state;
}

function run(instructions: readonly NaiveInstruction[], context: JsonValue, state: NaiveState): void {
  for (const instruction of instructions) {
    if (state.aborted) return;
    const input = valueOf(context, instruction.source ?? '');
    const isThere = Boolean(input) || input === 0;
    switch (instruction.action ?? 'field') {
      case 'field':
        if (isThere) assign(instruction, input as JsonValue, state);
        break;
      case 'set-value':
        assign(instruction, instruction.value ?? null, state);
        break;
      case 'remove-values':
        removeAll(instruction, state);
        break;
      case 'if-exists':
        run((isThere ? instruction.then : instruction.else) ?? [], context, state);
        break;
      case 'if-value-one-of': {
        const isOne = (instruction.values ?? []).some((value) => value === input);
        run((isOne ? instruction.then : instruction.else) ?? [], context, state);
        break;
      }
      case 'if-has-value': {
        const { destination, name = '' } = instruction;
        const has = destination === 'user' ? state.user[name] !== undefined : (state.profile[name] ?? []).length > 0;
        run((has ? instruction.then : instruction.else) ?? [], context, state);
        break;
      }
      case 'within':
        if (isPlainObject(input)) run(instruction.instructions ?? [], input, state);
        break;
      case 'for-each':
        for (const element of typeof input === 'object' && input !== null ? Object.values(input) : []) {
          run(instruction.instructions ?? [], instruction.wrapValues === true ? { value: element } : element, state);
        }
        break;
      case 'log-error':
        state.codes.push('logged');
        break;
      case 'abort-record':
        state.codes.push('aborted');
        state.aborted = true;
        state.rejected = true;
        break;
    }
  }
}

function valueOf(context: JsonValue, source: string): JsonValue | undefined {
  if (!isPlainObject(context)) return undefined;
  return new Map(Object.entries(context)).get(source);
}

function isPlainObject(value: JsonValue | undefined): value is Readonly<Record<string, JsonValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function assign(instruction: NaiveInstruction, input: JsonValue, state: NaiveState): void {
  const value = convert(instruction, input, state);
  if (value === undefined) return;
  const { destination, name = '', multivalue, qualifier } = instruction;
  if (destination === 'user' && name === 'groups') {
    if (multivalue !== true) state.groups = [];
    if (MANAGED.includes(value as string)) {
      state.groups.push(value as string);
    } else {
      state.rejected = true;
      state.codes.push(UNMANAGED.includes(value as string) ? 'unmanaged-group' : 'unknown-group');
    }
  } else if (destination === 'user') {
    state.user[name] = value;
  } else {
    const held = state.profile[name] ?? [];
    const added: AttributeValue = qualifier === undefined ? { value } : { value, qualifier };
    if (multivalue === true) {
      const isNew = held.every((one) => JSON.stringify(one) !== JSON.stringify(added));
      state.profile[name] = isNew ? [...held, added] : held;
    } else {
      const kept = qualifier === undefined ? [] : held.filter((one) => one.qualifier !== qualifier);
      state.profile[name] = [...kept, added];
    }
  }
}

function removeAll({ destination, name = '' }: NaiveInstruction, state: NaiveState): void {
  if (destination === 'user' && name === 'groups') state.groups = [];
  else if (destination === 'user') delete state.user[name];
  else state.profile[name] = [];
}

function convert(instruction: NaiveInstruction, input: JsonValue, state: NaiveState): JsonValue | undefined {
  let value = input;
  if (instruction.mapInputValue !== undefined) {
    const table = new Map(Object.entries(instruction.mapInputValue));
    const input = typeof value === 'object' ? undefined : String(value);
    if (input !== undefined && table.has(input)) value = table.get(input) ?? null;
    else if ('mapInputValueDefault' in instruction) value = instruction.mapInputValueDefault ?? null;
  }
  for (const filter of instruction.filters ?? []) {
    if (filter === 'haplo:to-string') {
      if (typeof value === 'object') return undefined;
      value = `${value}`;
    } else if (typeof value === 'string') {
      value = filter === 'haplo:to-lower-case' ? value.toLowerCase() : value.toUpperCase();
    }
  }
  if (value === null || (value === '' && instruction.name !== 'test:attribute:boolean')) return undefined;
  return ofType(instruction.name ?? '', value, state);
}

function ofType(name: string, value: JsonValue, state: NaiveState): JsonValue | undefined {
  if (name === 'test:attribute:integer') {
    if (Number.isInteger(value)) return value;
    if (typeof value === 'string' && /^(0|-?[1-9]\d{0,14})$/.test(value)) return Number(value);
    state.codes.push('invalid-integer');
    return undefined;
  }
  if (name === 'test:attribute:boolean') {
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
    state.codes.push('invalid-boolean');
    return undefined;
  }
  if (name === 'test:attribute:json') return typeof value === 'object' ? value : undefined;
  if (name === 'email') {
    if (typeof value === 'string' && value.includes('@') && !value.startsWith('@')) return value;
    state.codes.push('invalid-email');
    return undefined;
  }
  return typeof value === 'string' ? value : typeof value === 'object' ? undefined : `${value}`;
}
