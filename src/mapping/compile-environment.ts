import type { JsonValue } from '../domain/record.js';
import type { Destination, DestinationName } from '../model/destinations.js';
import type { Model } from '../model/model.js';
import { FILTER_FAILED, type FallibleFilter, type FilterSet } from './filter-set.js';
import { DependentTable } from './dependents.js';
import type {
  Assignment,
  Conversion,
  ControlFile,
  Instruction,
  LoadInstruction,
  NewInstruction,
  Target,
} from './instruction.js';
import { mentionedNames, sourcesOfNames } from './mapped-names.js';
import type { RecordState } from './record-state.js';
import { isReference, type ObjectLookup } from './references.js';
import { compileRefMapping, type RefTable } from './ref-mapping.js';
import { SlotTable, type Setter, type Slot } from './slots.js';
import { dataTypeConverter, type Converter } from './values.js';

/** Told of everything that instructions set or remove, in order. */
export type TraceHook = (event: TraceEvent) => void;

export interface TraceEvent {
  /** JSON pointer of the instruction. */
  readonly pointer: string;
  readonly destination: string;
  /** Empty for `new` and `load`, which concern no name. */
  readonly name: string;
  readonly kind: 'set' | 'add' | 'remove' | 'new' | 'load';
  /** For a dependent destination: which of the record's objects, counted from 1 in the order in which they were begun. */
  readonly object?: number;
  readonly source?: string;
  readonly qualifier?: string;
  readonly value?: JsonValue;
}

/** What compiling the instructions of one control file shares: slots, filters, mappings. */
export class CompileEnvironment {
  readonly slots: SlotTable;
  readonly dependents: DependentTable;
  /** The first source field of each `destination/name`, for errors about what came of it. */
  readonly sources: ReadonlyMap<string, string>;
  private readonly refTables: ReadonlyMap<string, RefTable>;

  constructor(
    control: ControlFile,
    private readonly model: Model,
    private readonly lookup: ObjectLookup,
    private readonly trace: TraceHook | undefined,
    private readonly filters: FilterSet,
  ) {
    this.dependents = new DependentTable(model);
    this.slots = new SlotTable(model, this.dependents, new Set(mentionedNames(control, model)));
    this.sources = sourcesOfNames(control);
    this.refTables = new Map([...control.mapping].map(([name, mapping]) => [name, compileRefMapping(mapping, lookup)]));
  }

  destination(name: string): Destination {
    const destination = this.model.destinations.get(name);
    if (destination === undefined) throw new Error(`the control file was validated for another model: no ${name}`);
    return destination;
  }

  slot({ destination, name }: Target): Slot {
    return this.slots.slot(this.destination(destination), name);
  }

  setter(instruction: Instruction & Target, { multivalue, qualifier }: Assignment, source: string | undefined): Setter {
    const set = this.slot(instruction).setter(multivalue, qualifier, source);
    const { trace } = this;
    if (trace === undefined) return set;
    const { pointer, destination, name } = instruction;
    const event: TraceEvent = {
      pointer,
      destination,
      name,
      kind: multivalue ? 'add' : 'set',
      ...(source === undefined ? {} : { source }),
      ...(qualifier === undefined ? {} : { qualifier }),
    };
    const objectOf = this.objectOf(destination);
    return (state, value) => {
      set(state, value);
      trace({ ...event, ...objectOf(state), value });
    };
  }

  /** What `new` does. */
  starter({ pointer, destination }: NewInstruction): (state: RecordState) => void {
    const dependent = this.dependents.of(destination);
    const objectOf = this.objectOf(destination);
    return (state) => {
      state.dependents?.startNew(dependent);
      this.trace?.({ pointer, destination, name: '', kind: 'new', ...objectOf(state) });
    };
  }

  /** What `load` does with the value that was collected for it; false when there is no such object. */
  loader({ pointer, destination }: LoadInstruction): (state: RecordState, value: JsonValue | undefined) => boolean {
    const dependent = this.dependents.of(destination);
    const objectOf = this.objectOf(destination);
    return (state, value) => {
      const ref = refIn(value);
      const object = ref === undefined ? undefined : this.lookup.byRef(ref);
      if (object === undefined || state.dependents?.load(dependent, object) !== true) return false;
      this.trace?.({ pointer, destination, name: '', kind: 'load', ...objectOf(state) });
      return true;
    };
  }

  private objectOf(destination: string): (state: RecordState) => { object?: number } {
    if (this.destination(destination).role !== 'dependent') return () => ({});
    const dependent = this.dependents.of(destination);
    return ({ dependents }) => (dependents === undefined ? {} : { object: dependents.use(dependent) + 1 });
  }

  remover(instruction: Instruction & Target): (state: RecordState) => void {
    const slot = this.slot(instruction);
    const { trace } = this;
    if (trace === undefined) return (state) => slot.remove(state);
    const { pointer, destination, name } = instruction;
    const objectOf = this.objectOf(destination);
    return (state) => {
      slot.remove(state);
      trace({ pointer, destination, name, kind: 'remove', ...objectOf(state) });
    };
  }

  /** `mapInputValue`, then the filters as written, then the data type. */
  converter(instruction: Target & { readonly conversion: Conversion }, source: string | undefined): Converter {
    const { conversion } = instruction;
    const name = this.name(instruction);
    let convert = withoutNothing(dataTypeConverter(name, conversion, source, this.model, this.refTables), name);
    for (const filter of conversion.filters.toReversed())
      convert = withFilter(filter, this.filters.get(filter), convert, source);
    return withInputMap(conversion, convert);
  }

  private name({ destination, name }: Target): DestinationName {
    const found = this.destination(destination).names.get(name);
    if (found === undefined) throw new Error(`the control file was validated for another model: no ${name}`);
    return found;
  }
}

/** The ref in a stored value of data type `ref`. */
export function refIn(value: JsonValue | undefined): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { ref } = value as { readonly ref?: JsonValue };
  return typeof ref === 'string' ? ref : undefined;
}

/** Null and, except where it may stand for true or false, empty text set nothing, and are no error. */
function withoutNothing(convert: Converter, name: DestinationName): Converter {
  const takesEmptyText = name.dataType === 'boolean';
  return (value, state) => (value === null || (value === '' && !takesEmptyText) ? undefined : convert(value, state));
}

function withFilter(name: string, filter: FallibleFilter, convert: Converter, source: string | undefined): Converter {
  return (value, state) => {
    const filtered = filter(value);
    if (filtered === undefined) return undefined;
    if (filtered !== FILTER_FAILED) return convert(filtered, state);
    const message = `The filter \`${name}\` failed on this value: correct the value, or the plugin that has the filter.`;
    state.error('filter-failed', message, source, isReference(value) ? value.toValue() : value);
    return undefined;
  };
}

function withInputMap(conversion: Conversion, convert: Converter): Converter {
  const { mapInputValue, mapInputValueDefault } = conversion;
  if (mapInputValue === undefined) return convert;
  return (value, state) => {
    const input = typeof value === 'object' ? undefined : mapInputValue.get(String(value));
    return convert(
      input !== undefined ? input : mapInputValueDefault === undefined ? value : mapInputValueDefault.value,
      state,
    );
  };
}
