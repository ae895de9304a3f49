import type { JsonValue } from '../domain/record.js';
import type { Destination } from '../model/destinations.js';
import type { Model } from '../model/model.js';
import { addValue, hasValues, removeValues, replaceValues } from './attribute-edits.js';
import type { RecordState } from './record-state.js';

/**
 * Where in a `RecordState` the names of destinations live. Numbers are given out while a control file is compiled, so
 * that mapping a record is reading and writing arrays.
 */
export class SlotTable {
  private readonly scalars = new Map<string, number>();
  private readonly edits = new Map<string, number>();

  constructor(private readonly model: Model) {}

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
    if (destination.role === 'user' && name === 'groups') return groupsSlot(this.model);
    if (destination.kind === 'object' || destination.role === 'attribute-group') {
      return editSlot(this.edit(destination.name, name), name);
    }
    return scalarSlot(this.scalar(destination.name, name), destination.role === 'tags' ? name : undefined);
  }
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

function scalarSlot(index: number, tag: string | undefined): Slot {
  const isThere = ({ existing }: RecordState): boolean =>
    tag !== undefined && existing !== undefined && Object.hasOwn(existing.tags, tag);
  return {
    setter: () => (state, value) => {
      state.scalars[index] = value;
    },
    remove: (state) => {
      state.scalars[index] = null;
    },
    hasValue: (state) => {
      const value = state.scalars[index];
      return value === undefined ? isThere(state) : value !== null;
    },
  };
}

function editSlot(index: number, attribute: string): Slot {
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
    hasValue: (state) => hasValues(state.edits[index], state.existing, attribute),
  };
}

/** Groups grant permissions: a code that is not certainly right rejects the record. */
function groupsSlot(model: Model): Slot {
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
    hasValue: (state) => state.groups.size > 0,
  };
}
