import type { JsonValue } from '../domain/record.js';
import { InvalidFileError, type Problem } from '../lib/errors.js';
import { checkCrossReferences } from './cross-references.js';
import { destinationsOf, type Destination } from './destinations.js';
import { parseJsonSource, pointerTo, type JsonSource } from './json-source.js';
import type { ModelProblemCode } from './problems.js';
import {
  modelSchema,
  type Attribute,
  type ClassificationObject,
  type CodeAndTitle,
  type DependentDestination,
  type DictionaryDestination,
  type ExtraDestination,
  type Group,
  type ModelFile,
  type ObjectType,
} from './schema.js';
import { TypeTree } from './type-tree.js';

/** The data model of a directory: what kinds of objects there are, what they hold, which groups the sync manages. */
export interface Model {
  readonly name: string;
  readonly types: readonly ObjectType[];
  readonly attributes: readonly Attribute[];
  readonly qualifiers: readonly CodeAndTitle[];
  /** In the file's order, which decides between several types of one profile. */
  readonly groups: readonly Group[];
  readonly objects: readonly ClassificationObject[];
  readonly tags: readonly CodeAndTitle[];
  readonly extraDestinations: readonly ExtraDestination[];
  /** Those of `extraDestinations` that are objects, owners before what they own. */
  readonly dependents: readonly DependentDestination[];

  readonly typeByCode: ReadonlyMap<string, ObjectType>;
  readonly attributeByCode: ReadonlyMap<string, Attribute>;
  readonly groupByCode: ReadonlyMap<string, Group>;
  readonly objectByBehaviour: ReadonlyMap<string, ClassificationObject>;
  readonly qualifierCodes: ReadonlySet<string>;
  /** Everything a control file can name as `destination`. */
  readonly destinations: ReadonlyMap<string, Destination>;
  /** The type itself or one of its ancestors is `ancestor`. */
  isKindOf(type: string, ancestor: string): boolean;

  /**
   * The model as JSON without spaces and with sorted keys: equal models have equal sources, so it can be digested,
   * stored with a run, and parsed again on another thread.
   */
  readonly source: string;
}

/** The control files' word for this data model. */
export const USER_SYNC_MODEL = 'haplo:user-sync';

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
  return buildModel(file);
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

function buildModel(file: ModelFile): Model {
  const types = new TypeTree(file.types);
  return {
    name: file.name,
    types: file.types,
    attributes: file.attributes,
    qualifiers: file.qualifiers,
    groups: file.groups,
    objects: file.objects,
    tags: file.tags,
    extraDestinations: file.destinations,
    dependents: ownersFirst(file.destinations),
    typeByCode: new Map(file.types.map((type) => [type.code, type])),
    attributeByCode: new Map(file.attributes.map((attribute) => [attribute.code, attribute])),
    groupByCode: new Map(file.groups.map((group) => [group.code, group])),
    objectByBehaviour: new Map(file.objects.map((object) => [object.behaviour, object])),
    qualifierCodes: new Set(file.qualifiers.map((qualifier) => qualifier.code)),
    destinations: destinationsOf(file),
    isKindOf: (type, ancestor) => types.isKindOf(type, ancestor),
    source: canonicalJson(file as unknown as JsonValue),
  };
}

/** The cross references were checked: every owner is there, and nobody owns itself. */
function ownersFirst(destinations: readonly ExtraDestination[]): DependentDestination[] {
  const all = destinations.filter((one): one is DependentDestination => one.kind === 'object');
  const sorted: DependentDestination[] = [];
  while (sorted.length < all.length) {
    const placed = (name: string): boolean => name === 'profile' || sorted.some((one) => one.name === name);
    sorted.push(...all.filter((one) => !sorted.includes(one) && placed(one.depends)));
  }
  return sorted;
}

function canonicalJson(value: JsonValue): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
