import { BUILT_IN_FILTERS } from './filters.js';
import type { Model } from '../model/model.js';
import type { ControlFile, Instruction, Target } from './instruction.js';
import { isStorableText } from './storable.js';

/** Facts about the instructions of a control file that whoever runs it needs to know. */

/** `destination/name` of everything, pseudo-destinations aside, that instructions set or remove, in the order of the file, each once. */
export function mentionedNames(control: ControlFile, model: Model): readonly string[] {
  const names = new Set<string>();
  for (const instruction of allInstructions(control.instructions)) {
    if (!('name' in instruction) || instruction.action === 'if-has-value') continue;
    if (model.destinations.get(instruction.destination)?.kind !== 'pseudo') names.add(keyOf(instruction));
  }
  return [...names];
}

/** What a control file needs to know of the directory while records are mapped; most need nothing. */
export interface DirectoryNeeds {
  /** What the directory holds for the user of a record. */
  readonly users: boolean;
  /** Objects by the refs that records give. */
  readonly objects: boolean;
  /** All objects with a behaviour code, not only the model's. */
  readonly behaviours: boolean;
  /** Types and titles of the mappings by title. */
  readonly titles: readonly { readonly types: readonly string[]; readonly titles: readonly string[] }[];
}

export function directoryNeeds(control: ControlFile, model: Model): DirectoryNeeds {
  const instructions = allInstructions(control.instructions);
  const filters = new Set(instructions.flatMap((one) => ('conversion' in one ? one.conversion.filters : [])));
  // What a filter of a plugin looks up, nobody knows.
  const hasOwnFilter = [...filters].some((name) => !BUILT_IN_FILTERS.has(name));
  const loads = instructions.some(({ action }) => action === 'load');
  const mappings = [...control.mapping.values()];
  return {
    users:
      loads ||
      instructions.some(
        ({ action, ...one }) =>
          action === 'assert-destination' ||
          (action === 'if-has-value' &&
            'destination' in one &&
            model.destinations.get(one.destination)?.kind !== 'pseudo'),
      ),
    objects: loads || hasOwnFilter || filters.has('haplo:string-to-ref'),
    behaviours:
      hasOwnFilter ||
      filters.has('haplo:code-to-ref') ||
      mappings.some(
        ({ using, values }) =>
          using === 'behaviour' && [...values.values()].some((code) => !model.objectByBehaviour.has(code)),
      ),
    titles: mappings.flatMap(({ using, types, values }) =>
      // No object has a title that cannot be stored.
      using === 'title' ? [{ types, titles: [...values.values()].filter(isStorableText) }] : [],
    ),
  };
}

/** The first source field of each `destination/name`. */
export function sourcesOfNames(control: ControlFile): ReadonlyMap<string, string> {
  const sources = new Map<string, string>();
  for (const instruction of allInstructions(control.instructions)) {
    if (instruction.action !== 'field') continue;
    const key = keyOf(instruction);
    if (!sources.has(key)) sources.set(key, instruction.source);
  }
  return sources;
}

function keyOf({ destination, name }: Target): string {
  return `${destination}/${name}`;
}

/** Nested ones too, in the order of the file. */
function allInstructions(instructions: readonly Instruction[]): Instruction[] {
  return instructions.flatMap((instruction) => [instruction, ...nestedIn(instruction).flatMap(allInstructions)]);
}

function nestedIn(instruction: Instruction): readonly (readonly Instruction[])[] {
  if ('then' in instruction) return [instruction.then, instruction.else];
  if (instruction.action === 'load') return [instruction.otherwise ?? []];
  return 'instructions' in instruction ? [instruction.instructions] : [];
}
