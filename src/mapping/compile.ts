import type { InputRecord, JsonValue, RecordError } from '../domain/record.js';
import type { Model } from '../model/model.js';
import { CompileEnvironment, type TraceHook } from './compile-environment.js';
export type { TraceEvent, TraceHook } from './compile-environment.js';
import { FilterSet, type FilterFactories } from './filter-set.js';
import { BUILT_IN_FILTERS } from './filters.js';
import type { ControlFile, FieldInstruction } from './instruction.js';
import type { AcceptedRecord, AttributeChange, DependentObject, MapOutcome, MappedUser } from './mapped.js';
import type { ExistingUser } from './existing.js';
import { directoryNeeds, mentionedNames, type DirectoryNeeds } from './mapped-names.js';
import { RecordState } from './record-state.js';
import { modelLookup, type ObjectLookup } from './references.js';
import type { SlotTable } from './slots.js';
import { compileSteps, type Step } from './steps.js';
import { MAX_USERNAME_LENGTH, normaliseUsername } from './username.js';

/**
 * A control file as a pure function from a record to what it changes.
 *
 * Not reentrant, and the outcome of a record does not depend on the records before it.
 */
export interface CompiledMapping {
  /**
   * Never throws. `existing` is what the directory holds for the user; only a mapping that `needs` users looks at it.
   */
  map(record: InputRecord, existing?: ExistingUser): MapOutcome;
  /**
   * Whose record it is, from the unconditional top-level `field` instructions alone: good for records that cannot be
   * mapped, or were only read in part. Never throws. Null when there is no usable username.
   */
  readUsername(record: InputRecord): string | null;
  /** `destination/name` of everything the control file sets or removes, such as `profile/std:attribute:job-title`. */
  readonly mentioned: readonly string[];
  readonly needs: DirectoryNeeds;
}

/**
 * @param control from `validateControlFile` with the same model
 * @param lookup finds the objects of mappings and filters; without it, the model's own classification objects
 * @param trace told which instruction set what, while `map` runs; costs time
 * @param filterFactories all filters that the control file was validated with
 */
export function compileControlFile(
  control: ControlFile,
  model: Model,
  lookup: ObjectLookup = modelLookup(model),
  trace?: TraceHook,
  filterFactories: FilterFactories = BUILT_IN_FILTERS,
): CompiledMapping {
  const filters = new FilterSet(filterFactories, lookup);
  const environment = new CompileEnvironment(control, model, lookup, trace, filters);
  const steps = compileSteps(control.instructions, environment);
  const usernameSteps = compileUsernameSteps(control, model, lookup, filters);
  const outcome = new OutcomeBuilder(environment.slots, model, environment.sources);
  const state = stateFor(environment, model);
  return {
    map: (record, existing) => {
      state.start(existing);
      const isWhole = steps(record, state);
      return outcome.build(state, isWhole, () => usernameSteps(record));
    },
    readUsername: usernameSteps,
    mentioned: mentionedNames(control, model),
    needs: directoryNeeds(control, model),
  };
}

function stateFor({ slots, dependents }: CompileEnvironment, model: Model): RecordState {
  const compiled = dependents.finish((destination) => slots.editsOf(destination));
  return new RecordState(slots.scalarCount, slots.editCount, compiled, model);
}

function compileUsernameSteps(
  control: ControlFile,
  model: Model,
  lookup: ObjectLookup,
  filters: FilterSet,
): (record: InputRecord) => string | null {
  const instructions = control.instructions.filter(
    (one): one is FieldInstruction => one.action === 'field' && one.destination === 'user' && one.name === 'username',
  );
  const environment = new CompileEnvironment(control, model, lookup, undefined, filters);
  const slot = environment.slots.scalar('user', 'username');
  const steps: Step = compileSteps(instructions, environment);
  const state = stateFor(environment, model);
  return (record) => {
    state.start(undefined);
    steps(record, state);
    return usernameOf(state.scalars[slot]);
  };
}

function usernameOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? normaliseUsername(value) : null;
}

const NO_ERRORS: readonly RecordError[] = Object.freeze([]);

const NO_TAGS: AcceptedRecord['tags'] = Object.freeze({});

const NO_DICTIONARIES: AcceptedRecord['dictionaries'] = Object.freeze({});

const NO_DEPENDENTS: readonly DependentObject[] = Object.freeze([]);

/** The slots of one dictionary destination. */
interface DictionarySlots {
  readonly name: string;
  readonly isOptional: boolean;
  readonly slots: readonly (readonly [string, number])[];
  readonly required: readonly string[];
}

/** Reads what the instructions left in a `RecordState`. */
class OutcomeBuilder {
  private readonly username: number;
  private readonly email: number;
  private readonly title: number;
  private readonly nameFirst: number;
  private readonly nameLast: number;
  private readonly groupCodes: readonly string[];
  private readonly tags: readonly (readonly [string, number])[];
  private readonly dictionaries: readonly DictionarySlots[];
  private readonly profile: readonly (readonly [string, number])[];

  constructor(
    slots: SlotTable,
    model: Model,
    private readonly sources: ReadonlyMap<string, string>,
  ) {
    this.username = slots.scalar('user', 'username');
    this.email = slots.scalar('user', 'email');
    this.title = slots.scalar('user', 'title');
    this.nameFirst = slots.scalar('user', 'nameFirst');
    this.nameLast = slots.scalar('user', 'nameLast');
    this.groupCodes = model.groups.map((group) => group.code);
    const tags = model.destinations.get('user:tags');
    const profile = model.destinations.get('profile');
    this.tags = tags === undefined ? [] : slots.scalarsOf(tags);
    this.profile = profile === undefined ? [] : slots.editsOf(profile);
    this.dictionaries = [...model.destinations.values()]
      .filter(({ role }) => role === 'dictionary')
      .map((destination) => ({
        name: destination.name,
        isOptional: destination.optional ?? true,
        slots: slots.scalarsOf(destination),
        required: [...destination.names.values()].filter(({ required }) => required).map(({ name }) => name),
      }));
  }

  /** @param isWhole all instructions were run @param fallback finds the username when it was not set */
  build(state: RecordState, isWhole: boolean, fallback: () => string | null): MapOutcome {
    const username = this.usernameIn(state, isWhole);
    if (!isWhole) return { accepted: false, username: username ?? fallback(), errors: state.takeErrors(NO_ERRORS) };
    const email = this.required(state, this.email, 'email');
    const nameFirst = this.required(state, this.nameFirst, 'nameFirst');
    const nameLast = this.required(state, this.nameLast, 'nameLast');
    const dictionaries = this.dictionariesIn(state);
    if (state.rejected || username === null) {
      return { accepted: false, username: username ?? fallback(), errors: state.takeErrors(NO_ERRORS) };
    }
    const title = textOrNull(state.scalars[this.title]);
    const user: MappedUser = { username, email, title, nameFirst, nameLast, groups: this.groupsIn(state) };
    return {
      accepted: true,
      username,
      user,
      tags: this.tagsIn(state),
      dictionaries,
      profile: this.profileIn(state),
      dependents: state.dependents?.take() ?? NO_DEPENDENTS,
      errors: state.takeErrors(NO_ERRORS),
    };
  }

  private usernameIn(state: RecordState, isWhole: boolean): string | null {
    const value = state.scalars[this.username];
    const username = usernameOf(value);
    if (username !== null || !isWhole) return username;
    const source = this.sources.get('user/username');
    if (value === undefined || value === null) {
      state.reject('missing-username', 'The record has no username: nobody can tell whose it is.', source);
    } else {
      const message = `The username has more than ${MAX_USERNAME_LENGTH} characters and cannot be used.`;
      state.reject('missing-username', message, source, value);
    }
    return null;
  }

  private required(state: RecordState, slot: number, name: string): string {
    const value = state.scalars[slot];
    if (typeof value === 'string') return value;
    const message = `There is no value for \`${name}\` of the user, which every user needs.`;
    state.reject('missing-value', message, this.sources.get(`user/${name}`));
    return '';
  }

  private dictionariesIn(state: RecordState): AcceptedRecord['dictionaries'] {
    if (this.dictionaries.length === 0) return NO_DICTIONARIES;
    const dictionaries: Record<string, Readonly<Record<string, JsonValue>>> = {};
    for (const { name: dictionary, isOptional, slots, required } of this.dictionaries) {
      const values: Record<string, JsonValue> = {};
      let isSet = !isOptional;
      for (const [name, slot] of slots) {
        const value = state.scalars[slot];
        if (value === undefined) continue;
        values[name] = value;
        isSet ||= value !== null;
      }
      if (Object.keys(values).length > 0) dictionaries[dictionary] = values;
      // A control file that says nothing of the dictionary leaves what the directory has.
      for (const name of isSet && slots.length > 0 ? required : []) {
        if (values[name] !== undefined && values[name] !== null) continue;
        const message = `There is no value for \`${name}\` of \`${dictionary}\`, which is required.`;
        state.reject('missing-value', message, this.sources.get(`${dictionary}/${name}`));
      }
    }
    return dictionaries;
  }

  private groupsIn(state: RecordState): readonly string[] {
    const codes: string[] = [];
    if (state.groups.size === 0) return codes;
    for (let index = 0; index < this.groupCodes.length; index++) {
      if (state.groups.has(index)) codes.push(this.groupCodes[index] ?? '');
    }
    return codes;
  }

  private tagsIn(state: RecordState): Readonly<Record<string, string | null>> {
    if (this.tags.length === 0) return NO_TAGS;
    const tags: Record<string, string | null> = {};
    for (const [name, slot] of this.tags) {
      const value = state.scalars[slot];
      if (value !== undefined) tags[name] = textOrNull(value);
    }
    return tags;
  }

  private profileIn(state: RecordState): Readonly<Record<string, AttributeChange>> {
    const profile: Record<string, AttributeChange> = {};
    for (const [attribute, slot] of this.profile) {
      const edit = state.edits[slot];
      if (edit !== undefined) profile[attribute] = edit;
    }
    return profile;
  }
}

function textOrNull(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
