import type { JsonValue } from '../domain/record.js';
import type { AttributeValue } from './mapped.js';
import { refIn, type CompileEnvironment } from './compile-environment.js';
import type {
  AssertDestinationInstruction,
  FieldStructuredInstruction,
  ForEachInstruction,
  Instruction,
  LoadInstruction,
  SetAttributeGroupInstruction,
  WithinInstruction,
} from './instruction.js';
import type { RecordState } from './record-state.js';
import { DECISIVE_FIELDS, takeStructured } from './structured.js';

/** Instructions as functions. */

/** A record, or the nested object that `within` and `for-each` look at. */
export type Context = Readonly<Record<string, JsonValue>>;

/** False: the rest of the record's instructions are not run. */
export type Step = (context: Context, state: RecordState) => boolean;

export function compileSteps(instructions: readonly Instruction[], environment: CompileEnvironment): Step {
  const steps = instructions.map((instruction) => compileStep(instruction, environment));
  const [only] = steps;
  if (only === undefined) return () => true;
  if (steps.length === 1) return only;
  return (context, state) => {
    for (const step of steps) if (!step(context, state)) return false;
    return true;
  };
}

function compileStep(instruction: Instruction, environment: CompileEnvironment): Step {
  switch (instruction.action) {
    case 'field': {
      const { source } = instruction;
      const convert = environment.converter(instruction, source);
      const set = environment.setter(instruction, instruction, source);
      return (context, state) => {
        const input = inputOf(context, source);
        if (input !== undefined) {
          const value = convert(input, state);
          if (value !== undefined) set(state, value);
        }
        return true;
      };
    }
    case 'set-value': {
      const { value: constant } = instruction;
      const convert = environment.converter(instruction, undefined);
      const set = environment.setter(instruction, instruction, undefined);
      return (_context, state) => {
        const value = convert(constant, state);
        if (value !== undefined) set(state, value);
        return true;
      };
    }
    case 'field-structured':
      return fieldStructured(instruction, environment);
    case 'set-attribute-group':
      return setAttributeGroup(instruction, environment);
    case 'remove-values': {
      const remove = environment.remover(instruction);
      return (_context, state) => {
        remove(state);
        return true;
      };
    }
    case 'if-exists': {
      const { source } = instruction;
      return condition(instruction, environment, (context) => inputOf(context, source) !== undefined);
    }
    case 'if-value-one-of': {
      const { source } = instruction;
      const values = new Set(instruction.values);
      return condition(instruction, environment, (context) => {
        const value = ownValue(context, source);
        return value !== undefined && values.has(value);
      });
    }
    case 'if-has-value': {
      const slot = environment.slot(instruction);
      return condition(instruction, environment, (_context, state) => slot.hasValue(state));
    }
    case 'within':
      return within(instruction, environment);
    case 'for-each':
      return forEach(instruction, environment);
    case 'new': {
      const start = environment.starter(instruction);
      return (_context, state) => {
        start(state);
        return true;
      };
    }
    case 'load':
      return load(instruction, environment);
    case 'assert-destination':
      return assertDestination(instruction, environment);
    case 'abort-record': {
      const { message } = instruction;
      return (_context, state) => {
        state.reject('aborted', message);
        return false;
      };
    }
    case 'log-error': {
      const { message } = instruction;
      return (_context, state) => {
        state.error('logged', message);
        return true;
      };
    }
  }
}

/** Only own members count: `constructor` and `__proto__` are names like any other. */
function ownValue(context: Context, source: string): JsonValue | undefined {
  const value = context[source];
  return value !== undefined && Object.hasOwn(context, source) ? value : undefined;
}

/** The value of a source field when it is there to be set: truthy, or 0. */
function inputOf(context: Context, source: string): JsonValue | undefined {
  const value = context[source];
  return (value || value === 0) && Object.hasOwn(context, source) ? value : undefined;
}

function condition(
  branches: { readonly then: readonly Instruction[]; readonly else: readonly Instruction[] },
  environment: CompileEnvironment,
  holds: (context: Context, state: RecordState) => boolean,
): Step {
  const then = compileSteps(branches.then, environment);
  const otherwise = compileSteps(branches.else, environment);
  return (context, state) => (holds(context, state) ? then(context, state) : otherwise(context, state));
}

function within(instruction: WithinInstruction, environment: CompileEnvironment): Step {
  const { source } = instruction;
  const steps = compileSteps(instruction.instructions, environment);
  return (context, state) => {
    const nested = ownValue(context, source);
    return isContext(nested) ? steps(nested, state) : true;
  };
}

const NO_MEMBERS: Context = Object.freeze({});

function forEach(instruction: ForEachInstruction, environment: CompileEnvironment): Step {
  const { source, wrapValues } = instruction;
  const steps = compileSteps(instruction.instructions, environment);
  return (context, state) => {
    const value = ownValue(context, source);
    if (typeof value !== 'object' || value === null) return true;
    const elements: readonly JsonValue[] = Array.isArray(value) ? value : Object.values(value);
    for (const element of elements) {
      const nested = wrapValues ? { value: element } : isContext(element) ? element : NO_MEMBERS;
      if (!steps(nested, state)) return false;
    }
    return true;
  };
}

function load(instruction: LoadInstruction, environment: CompileEnvironment): Step {
  const { destination, using } = instruction;
  const slot = environment.slots.scalar(using, 'ref');
  const source = environment.sources.get(`${using}/ref`);
  const find = environment.loader(instruction);
  const otherwise = instruction.otherwise === undefined ? undefined : compileSteps(instruction.otherwise, environment);
  return (context, state) => {
    const value = state.scalars[slot];
    state.scalars[slot] = undefined;
    if (find(state, value)) return true;
    if (otherwise !== undefined) return otherwise(context, state);
    const message = `There is no object to load for \`${destination}\`: correct the reference, or say what to do with \`otherwise\`.`;
    state.reject('load-failed', message, source, refIn(value) ?? undefined);
    return true;
  };
}

function assertDestination(instruction: AssertDestinationInstruction, environment: CompileEnvironment): Step {
  const { destination, exists } = instruction;
  const dependent = environment.dependents.of(destination);
  const message = exists
    ? `The user has no object of \`${destination}\`, which the control file says must be there.`
    : `The user has an object of \`${destination}\` already, which the control file says must not be there.`;
  return (_context, state) => {
    if (state.dependents?.exists(dependent) !== exists) state.reject('assert-failed', message);
    return true;
  };
}

function isContext(value: JsonValue | undefined): value is Context {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fieldStructured(instruction: FieldStructuredInstruction, environment: CompileEnvironment): Step {
  const source = environment.destination(instruction.structured);
  const { structure } = source;
  if (structure === undefined) throw new Error(`${instruction.structured} collects no structured value`);
  const slots = new Map([...source.names.keys()].map((name) => [name, environment.slots.scalar(source.name, name)]));
  const decisive = environment.sources.get(`${source.name}/${DECISIVE_FIELDS[structure]}`);
  const set = environment.setter(instruction, instruction, undefined);
  return (_context, state) => {
    const value = takeStructured(structure, slots, state, decisive);
    if (value !== undefined) set(state, value);
    return true;
  };
}

function setAttributeGroup(instruction: SetAttributeGroupInstruction, environment: CompileEnvironment): Step {
  const source = environment.destination(instruction.source);
  const members = [...source.names.keys()].map((name) => [name, environment.slots.edit(source.name, name)] as const);
  const set = environment.setter(instruction, { ...instruction, multivalue: true }, undefined);
  return (_context, state) => {
    const group: Record<string, JsonValue> = {};
    let isEmpty = true;
    for (const [name, slot] of members) {
      const values = state.edits[slot]?.values;
      state.edits[slot] = undefined;
      if (values === undefined || values.length === 0) continue;
      group[name] = values.map(asJson);
      isEmpty = false;
    }
    if (!isEmpty) set(state, group);
    return true;
  };
}

function asJson({ value, qualifier }: AttributeValue): JsonValue {
  return qualifier === undefined ? { value } : { value, qualifier };
}
