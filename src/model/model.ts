import type { JsonValue } from '../domain/record.js';
import { destinationsOf, type Destination } from './destinations.js';
import type {
  Attribute,
  ClassificationObject,
  CodeAndTitle,
  DependentDestination,
  ExtraDestination,
  Group,
  ModelFile,
  ObjectType,
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

/** @param source the `source` of another model: it was checked */
export function modelOfSource(source: string): Model {
  return modelOf(JSON.parse(source) as ModelFile);
}

/** @param file checked, also for what its parts say of one another */
export function modelOf(file: ModelFile): Model {
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
