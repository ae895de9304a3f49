import type { JsonValue } from '../domain/record.js';
import { InvalidFileError, type Problem } from '../lib/errors.js';
import { checkCrossReferences } from './cross-references.js';
import { parseJsonSource, pointerTo, type JsonSource } from './json-source.js';
import { modelOf, type Model } from './model.js';
import type { ModelProblemCode } from './problems.js';
import { modelSchema, type DictionaryDestination, type ModelFile } from './schema.js';

/** Code of the `InvalidFileError` thrown for a model with problems. */
const INVALID_MODEL = 'invalid-model';

/**
 * @param what names the file in messages, such as its path
 * @param more destinations that plugins add to those of the file
 * @throws InvalidFileError with every problem at once
 */
export function parseModel(text: string, what: string, more: readonly DictionaryDestination[] = []): Model {
  const source = parseJsonSource(text);
  const problems = [...source.problems];
  const parsed = source.value === undefined ? undefined : parseShape(source.value, source, problems);
  const file = parsed === undefined ? undefined : { ...parsed, destinations: [...parsed.destinations, ...more] };
  if (file !== undefined) {
    checkCrossReferences(file, (code, pointer, message) => {
      problems.push({ severity: 'error', code, pointer, message, ...source.place(pointer) });
    });
  }
  if (file === undefined || problems.length > 0) throw new InvalidFileError(INVALID_MODEL, what, inOrder(problems));
  return modelOf(file);
}

function parseShape(value: JsonValue, source: JsonSource, problems: Problem[]): ModelFile | undefined {
  const parsed = modelSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    const pointer = issue.path.reduce<string>((parent, key) => pointerTo(parent, String(key)), '');
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        const at = pointerTo(pointer, key);
        const message = `unknown key \`${key}\``;
        problems.push({ severity: 'error', code: 'unknown-key', pointer: at, message, ...source.keyPlace(at) });
      }
    } else {
      // zod says 'received undefined' of what is not there at all.
      const missing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
      const [code, message]: [ModelProblemCode, string] = missing
        ? ['missing-key', 'is missing']
        : ['invalid-value', issue.message];
      problems.push({ severity: 'error', code, pointer, message, ...source.place(pointer) });
    }
  }
  return undefined;
}

function inOrder(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}
