import type { JsonValue } from '../../../src/domain/record.js';
import type { ExistingObject, ExistingUser } from '../../../src/mapping/existing.js';
import type { AttributeValue } from '../../../src/mapping/mapped.js';
import { convert } from './naive-conversion.js';
import { copyOf, objectsOf, type Attributes, type NaiveObject, type NaiveState } from './naive-state.js';

/**
 * The language once more, as plainly as it can be said, to hold the compiled mapping against: a state, which starts as
 * what the directory holds, is changed by one instruction after the other. Knows the model of the tests by heart.
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
  readonly structured?: string;
  readonly using?: string;
  readonly exists?: boolean;
  readonly mapInputValue?: Readonly<Record<string, JsonValue>>;
  readonly mapInputValueDefault?: JsonValue;
  readonly filters?: readonly string[];
  readonly wrapValues?: boolean;
  readonly message?: string;
  readonly then?: readonly NaiveInstruction[];
  readonly else?: readonly NaiveInstruction[];
  readonly otherwise?: readonly NaiveInstruction[];
  readonly instructions?: readonly NaiveInstruction[];
}

const MANAGED = ['example:group:staff', 'example:group:students'];
const UNMANAGED = ['example:group:reviewers'];
const OWNERS: Readonly<Record<string, string>> = { book: 'profile', 'book:page': 'book' };
const DICTIONARIES = ['user:tags', 'test:locker'];
const PARTS: Readonly<Record<string, readonly string[]>> = {
  'value:person-name': ['title', 'first', 'middle', 'last', 'suffix'],
  'value:postal-address': ['street1', 'street2', 'city', 'county', 'postcode', 'country'],
};

export function interpret(
  instructions: readonly NaiveInstruction[],
  record: JsonValue,
  existing: ExistingUser,
  loadable: readonly ExistingObject[],
): NaiveState {
  return new NaiveInterpreter(instructions, existing, loadable).interpret(record);
}

class NaiveInterpreter {
  private readonly state: NaiveState;

  constructor(
    private readonly instructions: readonly NaiveInstruction[],
    private readonly existing: ExistingUser,
    loadable: readonly ExistingObject[],
  ) {
    this.state = {
      user: {},
      dictionaries: { 'user:tags': { ...existing.tags }, 'test:locker': { ...existing.dictionaries['test:locker'] } },
      given: { 'user:tags': {}, 'test:locker': {} },
      groups: [],
      profile: copyOf(existing.profile),
      objects: objectsOf([...existing.objects, ...loadable]),
      profileStarted: {},
      current: {},
      parts: {},
      members: {},
      codes: [],
      rejected: false,
      aborted: false,
    };
  }

  interpret(record: JsonValue): NaiveState {
    const { state } = this;
    this.run(this.instructions, record);
    if (!state.aborted) {
      for (const name of ['username', 'email', 'nameFirst', 'nameLast']) {
        if (state.user[name] === undefined) this.reject(name === 'username' ? 'missing-username' : 'missing-value');
      }
      const locker = state.given['test:locker'] ?? {};
      if (Object.keys(locker).length > 0 && locker['number'] === undefined) this.reject('missing-value');
    }
    state.groups = MANAGED.filter((group) => state.groups.includes(group));
    return state;
  }

  private run(instructions: readonly NaiveInstruction[], context: JsonValue): void {
    for (const instruction of instructions) {
      if (this.state.aborted) return;
      this.step(instruction, context);
    }
  }

  private step(instruction: NaiveInstruction, context: JsonValue): void {
    const { state } = this;
    const { destination = '' } = instruction;
    const input = valueOf(context, instruction.source ?? '');
    const isThere = Boolean(input) || input === 0;
    const branch = (holds: boolean): void => this.run((holds ? instruction.then : instruction.else) ?? [], context);
    switch (instruction.action ?? 'field') {
      case 'field':
        if (isThere) this.assign(instruction, this.converted(instruction, input as JsonValue));
        break;
      case 'set-value':
        this.assign(instruction, this.converted(instruction, instruction.value ?? null));
        break;
      case 'field-structured':
        this.assign(instruction, this.structured(instruction.structured ?? ''));
        break;
      case 'set-attribute-group': {
        const members = state.members[instruction.source ?? ''] ?? {};
        delete state.members[instruction.source ?? ''];
        const group = Object.entries(members).filter(([, values]) => values.length > 0);
        if (group.length > 0) {
          const sorted = group.sort(([one], [other]) => (one < other ? -1 : 1));
          this.assign({ ...instruction, multivalue: true }, Object.fromEntries(sorted) as unknown as JsonValue);
        }
        break;
      }
      case 'remove-values':
        this.removeAll(instruction);
        break;
      case 'if-exists':
        branch(isThere);
        break;
      case 'if-value-one-of':
        branch((instruction.values ?? []).some((value) => value === input));
        break;
      case 'if-has-value':
        branch(this.hasValue(instruction));
        break;
      case 'within':
        if (isPlainObject(input)) this.run(instruction.instructions ?? [], input);
        break;
      case 'for-each':
        for (const element of typeof input === 'object' && input !== null ? Object.values(input) : []) {
          this.run(instruction.instructions ?? [], instruction.wrapValues === true ? { value: element } : element);
        }
        break;
      case 'new':
        this.startNew(destination);
        break;
      case 'load':
        if (!this.load(destination)) {
          if (instruction.otherwise === undefined) this.reject('load-failed');
          else this.run(instruction.otherwise, context);
        }
        break;
      case 'assert-destination': {
        const object = this.state.current[destination];
        const exists =
          object === undefined ? this.hasAny(destination) : object.ref !== null || !isEmpty(object.attributes);
        if (exists !== instruction.exists) this.reject('assert-failed');
        break;
      }
      case 'log-error':
        state.codes.push('logged');
        break;
      case 'abort-record':
        state.aborted = true;
        this.reject('aborted');
        break;
    }
  }

  private reject(code: string): void {
    this.state.rejected = true;
    this.state.codes.push(code);
  }

  private converted(instruction: NaiveInstruction, input: JsonValue): JsonValue | undefined {
    const refs = this.state.objects.flatMap(({ ref }) => (ref === null ? [] : [ref]));
    return convert(instruction, input, this.state.codes, refs);
  }

  private assign(instruction: NaiveInstruction, value: JsonValue | undefined): void {
    if (value === undefined) return;
    const { state } = this;
    const { destination = '', name = '', multivalue } = instruction;
    if (destination === 'user' && name === 'groups') {
      if (multivalue !== true) state.groups = [];
      if (MANAGED.includes(value as string)) state.groups.push(value as string);
      else this.reject(UNMANAGED.includes(value as string) ? 'unmanaged-group' : 'unknown-group');
    } else if (destination === 'user') {
      state.user[name] = value;
    } else if (DICTIONARIES.includes(destination)) {
      (state.dictionaries[destination] ??= {})[name] = value;
      (state.given[destination] ??= {})[name] = value;
    } else if (destination in PARTS || destination === 'load:by-ref') {
      (state.parts[destination] ??= {})[name] = value;
    } else {
      assignTo(this.attributesToChange(destination), instruction, value);
    }
  }

  private removeAll({ destination = '', name = '' }: NaiveInstruction): void {
    const { state } = this;
    if (destination === 'user' && name === 'groups') state.groups = [];
    else if (destination === 'user') delete state.user[name];
    else if (DICTIONARIES.includes(destination)) {
      delete state.dictionaries[destination]?.[name];
      delete state.given[destination]?.[name];
    } else if (destination in PARTS || destination === 'load:by-ref') delete state.parts[destination]?.[name];
    else delete this.attributesToChange(destination)[name];
  }

  private hasValue({ destination = '', name = '' }: NaiveInstruction): boolean {
    const { state } = this;
    if (destination === 'user') {
      if (name === 'groups' ? state.groups.length > 0 : state.user[name] !== undefined) return true;
      // Every record sets the user whole, as far as the control file sets it at all.
      const held = this.assigns(this.instructions, name) ? undefined : this.existing.user[name];
      return Array.isArray(held) ? held.length > 0 : held !== undefined;
    }
    if (DICTIONARIES.includes(destination)) return state.dictionaries[destination]?.[name] !== undefined;
    if (destination in PARTS || destination === 'load:by-ref') return state.parts[destination]?.[name] !== undefined;
    if (destination in OWNERS) return (this.peek(destination)?.attributes[name] ?? []).length > 0;
    const attributes = destination === 'profile' ? state.profile : state.members[destination];
    return (attributes?.[name] ?? []).length > 0;
  }

  private assigns(instructions: readonly NaiveInstruction[], name: string): boolean {
    return instructions.some((one) => {
      const isAssignment = one.action !== 'if-has-value' && one.destination === 'user' && one.name === name;
      const lists = [one.then, one.else, one.instructions, one.otherwise];
      return isAssignment || lists.some((list) => list !== undefined && this.assigns(list, name));
    });
  }

  private attributesToChange(destination: string): Attributes {
    const { state } = this;
    if (destination === 'profile') return state.profile;
    if (!(destination in OWNERS)) return (state.members[destination] ??= {});
    const object = this.use(destination);
    object.touched = true;
    return object.attributes;
  }

  private structured(structured: string): JsonValue | undefined {
    const parts = this.state.parts[structured] ?? {};
    delete this.state.parts[structured];
    if (Object.keys(parts).length === 0) return undefined;
    const [needed, code] =
      structured === 'value:person-name' ? ['last', 'invalid-name'] : ['country', 'invalid-address'];
    const isRight = needed === 'last' ? parts[needed] !== undefined : parts[needed] === 'GB';
    if (!isRight) this.state.codes.push(code);
    const inOrder = (PARTS[structured] ?? []).filter((name) => parts[name] !== undefined);
    return isRight ? Object.fromEntries(inOrder.map((name) => [name, parts[name] as JsonValue])) : undefined;
  }

  /** The current object of a destination, or the one that is there by itself, if there is one. */
  private peek(destination: string): NaiveObject | undefined {
    const { current } = this.state;
    if (current[destination] !== undefined) return current[destination];
    const owner = OWNERS[destination] === 'profile' ? 'the profile' : this.peek(OWNERS[destination] ?? '');
    return owner === undefined ? undefined : this.at(destination, owner, 0);
  }

  /** The directory has an object of the type that belongs to the user. */
  private hasAny(destination: string): boolean {
    const owner = OWNERS[destination] === 'profile' ? 'the profile' : this.peek(OWNERS[destination] ?? '');
    // What belongs to an object of nobody is not known.
    if (owner !== 'the profile' && owner?.isFree !== false) return false;
    return this.state.objects.some(
      (one) => one.destination === destination && one.ref !== null && !one.isFree && one.owner === owner,
    );
  }

  private use(destination: string): NaiveObject {
    const { current } = this.state;
    return (current[destination] ??= this.place(destination, 0));
  }

  private startNew(destination: string): void {
    const owner = this.ownerOf(destination);
    const started = owner === 'the profile' ? this.state.profileStarted : owner.started;
    const place = (started[destination] = (started[destination] ?? 0) + 1);
    this.begin(destination, this.place(destination, place));
  }

  private load(destination: string): boolean {
    const { ref } = (this.state.parts['load:by-ref']?.['ref'] ?? {}) as { ref?: string };
    delete this.state.parts['load:by-ref'];
    const object = this.state.objects.find((one) => ref !== undefined && one.ref === ref);
    if (object === undefined || object.destination !== destination) return false;
    const owner = this.ownerOf(destination);
    if (object.owner !== null && object.owner !== owner) return false;
    this.begin(destination, object);
    object.owner = owner;
    object.isLoaded = true;
    return true;
  }

  /** Another object is current, and what belonged to the one before is not. */
  private begin(destination: string, object: NaiveObject): void {
    this.state.current[destination] = object;
    if (destination === 'book') delete this.state.current['book:page'];
  }

  private ownerOf(destination: string): NaiveObject | 'the profile' {
    return destination === 'book' ? 'the profile' : this.use('book');
  }

  private at(destination: string, owner: NaiveObject['owner'], place: number): NaiveObject | undefined {
    const own = this.state.objects.filter((one) => one.owner === owner && one.destination === destination);
    const made = own.find(({ origin }) => origin === `${destination}/${place}`);
    return made ?? (place === 0 ? own.find(({ origin, isLoaded }) => origin === null && !isLoaded) : undefined);
  }

  private place(destination: string, place: number): NaiveObject {
    const owner = this.ownerOf(destination);
    const found = this.at(destination, owner, place);
    if (found !== undefined) return found;
    const origin = `${destination}/${place}`;
    const object = {
      destination,
      ref: null,
      owner,
      origin,
      attributes: {},
      isFree: false,
      touched: false,
      isLoaded: false,
      started: {},
    };
    this.state.objects.push(object);
    return object;
  }
}

function assignTo(
  attributes: Attributes,
  { name = '', multivalue, qualifier }: NaiveInstruction,
  value: JsonValue,
): void {
  const held = attributes[name] ?? [];
  const added: AttributeValue = qualifier === undefined ? { value } : { value, qualifier };
  if (multivalue === true) {
    const isNew = held.every((one) => JSON.stringify(one) !== JSON.stringify(added));
    attributes[name] = isNew ? [...held, added] : held;
  } else {
    const kept = qualifier === undefined ? [] : held.filter((one) => one.qualifier !== qualifier);
    attributes[name] = [...kept, added];
  }
}

function isEmpty(attributes: Attributes): boolean {
  return Object.values(attributes).every((values) => values.length === 0);
}

function valueOf(context: JsonValue, source: string): JsonValue | undefined {
  if (!isPlainObject(context)) return undefined;
  return new Map(Object.entries(context)).get(source);
}

function isPlainObject(value: JsonValue | undefined): value is Readonly<Record<string, JsonValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
