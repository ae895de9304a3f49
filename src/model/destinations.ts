import type { Attribute, DataType, DependentDestination, DictionaryDestination, ModelFile } from './schema.js';
import { TypeTree } from './type-tree.js';

/**
 * Where instructions of a control file can put values: the `haplo:user-sync` model's destinations and their names,
 * derived from the lists of the model file.
 */
export interface Destination {
  readonly name: string;
  readonly title: string;
  readonly kind: 'dictionary' | 'object' | 'pseudo';
  readonly role: DestinationRole;
  readonly names: ReadonlyMap<string, DestinationName>;
  /** For `structured` pseudo-destinations: the data type of what is collected there. */
  readonly structure?: StructuredType;
  /** For `attribute-group` pseudo-destinations: the object destination and its attribute. */
  readonly groupOf?: { readonly destination: string; readonly attribute: string };
  /** For dependent destinations: what their objects are and whose. */
  readonly dependent?: DependentObjects;
  /** For dictionaries other than `user`: nothing needs to be set. */
  readonly optional?: boolean;
}

export interface DependentObjects {
  readonly objectType: string;
  /** The destination whose object owns these. */
  readonly owner: string;
  /** The attribute that refers to the owner; the sync itself sets it. */
  readonly link: string;
  /** An object is only made for values that the control file sets. */
  readonly optional: boolean;
}

export type DestinationRole =
  'user' | 'tags' | 'dictionary' | 'profile' | 'dependent' | 'structured' | 'attribute-group' | 'load';

export interface DestinationName {
  readonly name: string;
  readonly title: string;
  readonly dataType: DataType;
  /** The record is rejected when it ends up empty. */
  readonly required: boolean;
  /** Can hold several values. */
  readonly multivalue: boolean;
  readonly refTypes: readonly string[];
}

export type StructuredType = 'person-name' | 'postal-address';

export const PERSON_TYPE = 'std:type:person';
export const TITLE_ATTRIBUTE = 'dc:attribute:title';
export const TYPE_ATTRIBUTE = 'dc:attribute:type';
export const EMAIL_ATTRIBUTE = 'std:attribute:email';

/** The fields of structured values, in the order in which they are stored and shown. */
export const STRUCTURED_FIELDS: Readonly<Record<StructuredType, readonly string[]>> = {
  'person-name': ['title', 'first', 'middle', 'last', 'suffix'],
  'postal-address': ['street1', 'street2', 'city', 'county', 'postcode', 'country'],
};

export function destinationsOf(file: ModelFile): ReadonlyMap<string, Destination> {
  const types = new TypeTree(file.types);
  const profile = objectDestination('profile', 'Profile', 'profile', PERSON_TYPE, file, types);
  const dependents = file.destinations.flatMap((extra) =>
    extra.kind === 'object' ? [dependentDestination(extra, file, types)] : [],
  );
  const dictionaries = file.destinations.flatMap((extra) => (extra.kind === 'dictionary' ? [dictionary(extra)] : []));
  const objects = [profile, ...dependents];
  const all: Destination[] = [
    USER,
    {
      name: 'user:tags',
      title: 'Tags of the user',
      kind: 'dictionary',
      role: 'tags',
      names: namesMap(file.tags.map((tag) => textName(tag.code, tag.title))),
    },
    ...dictionaries,
    ...objects,
    structured('person-name', "Parts of a person's name"),
    structured('postal-address', 'Parts of a postal address'),
    { name: 'load:by-ref', title: 'Object to load', kind: 'pseudo', role: 'load', names: namesMap([LOAD_REF]) },
    ...objects.flatMap((destination) => attributeGroups(destination, file)),
  ];
  return new Map(all.map((destination) => [destination.name, destination]));
}

/** What the sync sets by itself and control files therefore cannot. */
const SET_BY_SYNC: readonly string[] = [TYPE_ATTRIBUTE, EMAIL_ATTRIBUTE];

function dependentDestination(extra: DependentDestination, file: ModelFile, types: TypeTree): Destination {
  const { name, title, objectType, depends: owner, link, optional } = extra;
  const destination = objectDestination(name, title, 'dependent', objectType, file, types, [TYPE_ATTRIBUTE, link]);
  return { ...destination, dependent: { objectType, owner, link, optional } };
}

function dictionary({ name, title, names, optional }: DictionaryDestination): Destination {
  const all = names.map(({ name: own, title: ownTitle, dataType, required }) =>
    textName(own, ownTitle, { dataType, required }),
  );
  return { name, title, kind: 'dictionary', role: 'dictionary', names: namesMap(all), optional };
}

function objectDestination(
  name: string,
  title: string,
  role: 'profile' | 'dependent',
  objectType: string,
  file: ModelFile,
  types: TypeTree,
  setBySync: readonly string[] = SET_BY_SYNC,
): Destination {
  // A profile changes its type with its groups, so attributes of types below are names of it too.
  const has = (attribute: Attribute): boolean =>
    attribute.types.some((type) => types.isKindOf(objectType, type) || types.isKindOf(type, objectType));
  const attributes = file.attributes.filter((attribute) => has(attribute) && !setBySync.includes(attribute.code));
  return { name, title, kind: 'object', role, names: namesMap(attributes.map(attributeName)) };
}

function attributeGroups(owner: Destination, file: ModelFile): Destination[] {
  const byCode = new Map(file.attributes.map((attribute) => [attribute.code, attribute]));
  return file.attributes
    .filter((attribute) => attribute.dataType === 'attribute-group' && owner.names.has(attribute.code))
    .map((group) => ({
      name: `${owner.name}:attribute-group:${group.code}`,
      title: group.title,
      kind: 'pseudo',
      role: 'attribute-group',
      groupOf: { destination: owner.name, attribute: group.code },
      names: namesMap(
        (group.attributes ?? []).flatMap((code) => {
          const member = byCode.get(code);
          return member === undefined ? [] : [attributeName(member)];
        }),
      ),
    }));
}

function structured(type: StructuredType, title: string): Destination {
  return {
    name: `value:${type}`,
    title,
    kind: 'pseudo',
    role: 'structured',
    structure: type,
    names: namesMap(STRUCTURED_FIELDS[type].map((field) => textName(field, field))),
  };
}

function attributeName(attribute: Attribute): DestinationName {
  const { code, title, dataType } = attribute;
  return { name: code, title, dataType, required: false, multivalue: true, refTypes: attribute.refTypes ?? [] };
}

function textName(name: string, title: string, more: Partial<DestinationName> = {}): DestinationName {
  return { name, title, dataType: 'text', required: false, multivalue: false, refTypes: [], ...more };
}

function namesMap(names: readonly DestinationName[]): ReadonlyMap<string, DestinationName> {
  return new Map(names.map((name) => [name.name, name]));
}

const LOAD_REF: DestinationName = textName('ref', 'Reference to the object', { dataType: 'ref' });

const USER: Destination = {
  name: 'user',
  title: 'User account',
  kind: 'dictionary',
  role: 'user',
  names: namesMap([
    textName('username', 'Username', { required: true }),
    textName('title', 'Title'),
    textName('nameFirst', 'First name', { required: true }),
    textName('nameLast', 'Last name', { required: true }),
    textName('email', 'E-mail address', { required: true, dataType: 'email-address' }),
    textName('groups', 'Codes of managed groups', { multivalue: true }),
  ]),
};
