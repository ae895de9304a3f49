import type { JsonValue } from '../domain/record.js';
import type { Destination } from '../model/destinations.js';
import type { Model } from '../model/model.js';
import { addValue, hasValues, removeValues, replaceValues } from './attribute-edits.js';
import type { CompiledDependent, DependentTable } from './dependents.js';
import type { AttributeValue } from './mapped.js';
import type { RecordState } from './record-state.js';

/**
 * Where in a `RecordState` the names of destinations live. Numbers are given out while a control file is compiled, so
 * that mapping a record is reading and writing arrays.
 */
export class SlotTable {
  private readonly scalars = new Map<string, number>();
  private readonly edits = new Map<string, number>();

  constructor(
    private readonly model: Model,
    private readonly dependents: DependentTable,
    /** `destination/name` of everything that the control file sets. */
    private readonly assigned: ReadonlySet<string>,
  ) {}

  get scalarCount(): number {
    return this.scalars.size;
  }

  get editCount(): number {
    return this.edits.size;
  }

  scalar(destination: string, name: string): number {
    return numberOf(this.scalars, `${destination}/${name}`);
  }

  edit(destination: string, name: string): number {
    return numberOf(this.edits, `${destination}/${name}`);
  }

  /** Names of the destination that the control file mentions, with their slots, in the order of the model. */
  scalarsOf(destination: Destination): readonly (readonly [string, number])[] {
    return mentioned(destination, this.scalars);
  }

  editsOf(destination: Destination): readonly (readonly [string, number])[] {
    return mentioned(destination, this.edits);
  }

  slot(destination: Destination, name: string): Slot {
    const { name: at, role } = destination;
    // Every record sets the user whole: what an earlier one gave for a name says nothing of what this one gives. If it
    // counted, a default set for want of a value would be gone with the next record, and come back with the one after.
    const isSetWhole = role === 'user' && this.assigned.has(`${at}/${name}`);
    if (role === 'user' && name === 'groups') return groupsSlot(this.model, isSetWhole);
    if (role === 'dependent') return dependentSlot(this.edit(at, name), name, this.dependents.of(at));
    if (role === 'profile') return editSlot(this.edit(at, name), (state) => ownValue(state.existing?.profile, name));
    if (role === 'attribute-group') return editSlot(this.edit(at, name), () => undefined);
    const index = this.scalar(at, name);
    return scalarSlot(index, isSetWhole ? () => null : (state) => existingScalar(state, destination, name));
  }
}

/** What the directory holds for a name of a dictionary. */
function existingScalar({ existing }: RecordState, { name: at, role }: Destination, name: string): JsonValue {
  if (existing === undefined) return null;
  switch (role) {
    case 'user':
      return ownValue(existing.user, name) ?? null;
    case 'tags':
      return ownValue(existing.tags, name) ?? null;
    case 'dictionary':
      return ownValue(ownValue(existing.dictionaries, at), name) ?? null;
    default:
      return null;
  }
}

function ownValue<T>(values: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined;
}

/** One name of one destination. */
export interface Slot {
  /** `source` is for errors. */
  setter(multivalue: boolean, qualifier: string | undefined, source: string | undefined): Setter;
  remove(state: RecordState): void;
  /** Set earlier for this record, or there already. */
  hasValue(state: RecordState): boolean;
}

export type Setter = (state: RecordState, value: JsonValue) => void;

function numberOf(numbers: Map<string, number>, key: string): number {
  const known = numbers.get(key);
  if (known !== undefined) return known;
  const next = numbers.size;
  numbers.set(key, next);
  return next;
}

function mentioned(
  destination: Destination,
  numbers: ReadonlyMap<string, number>,
): readonly (readonly [string, number])[] {
  return [...destination.names.keys()].flatMap((name) => {
    const number = numbers.get(`${destination.name}/${name}`);
    return number === undefined ? [] : [[name, number] as const];
  });
}

function scalarSlot(index: number, existing: (state: RecordState) => JsonValue): Slot {
  return {
    setter: () => (state, value) => {
      state.scalars[index] = value;
    },
    remove: (state) => {
      state.scalars[index] = null;
    },
    hasValue: (state) => {
      const value = state.scalars[index];
      return (value === undefined ? existing(state) : value) !== null;
    },
  };
}

function editSlot(index: number, existing: (state: RecordState) => readonly AttributeValue[] | undefined): Slot {
  return {
    setter: (multivalue, qualifier) => {
      const change = multivalue ? addValue : replaceValues;
      return (state, value) => {
        state.edits[index] = change(state.edits[index], qualifier === undefined ? { value } : { value, qualifier });
      };
    },
    remove: (state) => {
      state.edits[index] = removeValues();
    },
    hasValue: (state) => hasValues(state.edits[index], existing(state)),
  };
}

/** A change begins the current object, so that it is there to be changed. */
function dependentSlot(index: number, attribute: string, dependent: CompiledDependent): Slot {
  const slot = editSlot(index, (state) => ownValue(state.dependents?.existingObject(dependent)?.attributes, attribute));
  return {
    setter: (multivalue, qualifier, source) => {
      const set = slot.setter(multivalue, qualifier, source);
      return (state, value) => {
        state.dependents?.use(dependent);
        set(state, value);
      };
    },
    remove: (state) => {
      state.dependents?.use(dependent);
      slot.remove(state);
    },
    hasValue: (state) => slot.hasValue(state),
  };
}

/** Groups grant permissions: a code that is not certainly right rejects the record. */
function groupsSlot(model: Model, isSetWhole: boolean): Slot {
  const numbers = new Map(model.groups.map((group, index) => [group.code, index]));
  return {
    setter: (multivalue, _qualifier, source) => (state, value) => {
      if (!multivalue) state.groups.clear();
      const number = typeof value === 'string' ? numbers.get(value) : undefined;
      if (number === undefined) {
        const message = 'There is no group with this code: correct the source, or map the value with `mapInputValue`.';
        state.reject('unknown-group', message, source, value);
      } else if (model.groups[number]?.managed !== true) {
        const message = 'The group is not managed by the sync: it cannot be set by a feed.';
        state.reject('unmanaged-group', message, source, value);
      } else {
        state.groups.add(number);
      }
    },
    remove: (state) => {
      state.groups.clear();
    },
    hasValue: (state) => state.groups.size > 0 || (!isSetWhole && hasGroups(state)),
  };
}

function hasGroups({ existing }: RecordState): boolean {
  const groups = existing?.user['groups'];
  return Array.isArray(groups) && groups.length > 0;
}
