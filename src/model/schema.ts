import { z } from 'zod';

/**
 * The shape of `model.json`. Codes are what control files, the database and applications call things by; titles are
 * for people.
 */

/** How the values of an attribute or name are converted and stored. */
export const DATA_TYPES = [
  'text',
  'text-paragraph',
  'text-multiline',
  'configuration-name',
  'isbn',
  'integer',
  'number',
  'boolean',
  'datetime',
  'email-address',
  'url',
  'telephone-number',
  'person-name',
  'postal-address',
  'object-type',
  'ref',
  'json',
  'attribute-group',
] as const;

export type DataType = (typeof DATA_TYPES)[number];

/** Starts with a letter: codes are used as keys of plain objects, and `__proto__` is none. */
const code = z
  .string()
  .max(200, 'a code has at most 200 characters')
  .regex(/^[A-Za-z][A-Za-z0-9:._-]*$/, 'a code starts with a letter, then letters, digits and `: . _ -`');

const title = z.string().min(1, 'a title cannot be empty').max(1000);

const objectType = z.strictObject({ code, title, parent: code.nullable().default(null) });

const attribute = z.strictObject({
  code,
  title,
  dataType: z.enum(DATA_TYPES),
  /** The types of object that have it; their descendants have it too. */
  types: z.array(code).min(1, 'name at least one type that has this attribute'),
  /** For `ref`: types of the objects it may refer to; their descendants are allowed too. */
  refTypes: z.array(code).optional(),
  /** For `attribute-group`: the attributes that one group of values is made of. */
  attributes: z.array(code).optional(),
});

const group = z.strictObject({
  code,
  title,
  /** Only membership of managed groups is the sync's business. */
  managed: z.boolean(),
  /** Type of the profile of an active member; null: the plain person type. */
  typeActive: code.nullable().default(null),
  /** Type of the profile of a blocked member; null: left as it is. */
  typePast: code.nullable().default(null),
});

/** An object that references may name by its behaviour code or title. */
const classificationObject = z.strictObject({ behaviour: code, type: code, title });

const codeAndTitle = z.strictObject({ code, title });

/** Objects that belong to a person, such as appointments: each is linked to its owner by an attribute. */
const objectDestination = z.strictObject({
  name: code,
  title,
  kind: z.literal('object'),
  objectType: code,
  /** The destination whose object owns the objects of this one. */
  depends: code,
  /** The attribute of the dependent object that refers to its owner. */
  link: code,
  /** Without values set by the control file no object is made. */
  optional: z.boolean().default(true),
});

/** A name of a dictionary holds one value, so nothing that has parts of its own. */
const dictionaryName = z.strictObject({
  name: code,
  title,
  dataType: z.enum(DATA_TYPES).exclude(['person-name', 'postal-address', 'attribute-group', 'ref']).default('text'),
  /** The record is rejected when it ends up empty. */
  required: z.boolean().default(false),
});

/** Values of a person that are neither tags nor attributes of the profile, such as what another program needs. */
const dictionaryDestination = z.strictObject({
  name: code,
  title,
  kind: z.literal('dictionary'),
  depends: z.literal('user').default('user'),
  names: z.array(dictionaryName).min(1, 'a dictionary has at least one name'),
  /** Required names are only required of records that set any name of the dictionary. */
  optional: z.boolean().default(true),
});

/** `kind` is `object` unless given. */
const destination = z.preprocess(
  (value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) && !('kind' in value)
      ? { ...value, kind: 'object' }
      : value,
  z.discriminatedUnion('kind', [objectDestination, dictionaryDestination]),
);

export const modelSchema = z.strictObject({
  name: code,
  title: title.optional(),
  types: z.array(objectType),
  attributes: z.array(attribute),
  qualifiers: z.array(codeAndTitle).default([]),
  groups: z.array(group).default([]),
  objects: z.array(classificationObject).default([]),
  tags: z.array(codeAndTitle).default([]),
  destinations: z.array(destination).default([]),
});

export type ModelFile = z.infer<typeof modelSchema>;
export type ObjectType = ModelFile['types'][number];
export type Attribute = ModelFile['attributes'][number];
export type Group = ModelFile['groups'][number];
export type ClassificationObject = ModelFile['objects'][number];
export type ExtraDestination = ModelFile['destinations'][number];
export type DependentDestination = Extract<ExtraDestination, { kind: 'object' }>;
export type DictionaryDestination = Extract<ExtraDestination, { kind: 'dictionary' }>;
export type CodeAndTitle = z.infer<typeof codeAndTitle>;
