import type { Model } from '../model/model.js';
import type { ControlFile, Instruction, Target } from './instruction.js';

/** Facts about the instructions of a control file that whoever runs it needs to know. */

/** `destination/name` of everything, pseudo-destinations aside, that instructions set or remove, in the order of the file, each once. */
export function mentionedNames(control: ControlFile, model: Model): readonly string[] {
  const names = new Set<string>();
  for (const instruction of allInstructions(control.instructions)) {
    if (!('destination' in instruction) || instruction.action === 'if-has-value') continue;
    if (model.destinations.get(instruction.destination)?.kind !== 'pseudo') names.add(keyOf(instruction));
  }
  return [...names];
}

/** Destinations of `if-has-value`, which may ask what the directory holds. */
export function questionedDestinations(control: ControlFile): ReadonlySet<string> {
  const questions = allInstructions(control.instructions).filter((one) => one.action === 'if-has-value');
  return new Set(questions.map((one) => one.destination));
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
  return 'instructions' in instruction ? [instruction.instructions] : [];
}
