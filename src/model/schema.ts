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

const destination = z.strictObject({
  name: code,
  title,
  kind: z.literal('object').default('object'),
  objectType: code,
  /** The destination whose object owns the objects of this one. */
  depends: code,
  /** The attribute of the dependent object that refers to its owner. */
  link: code,
  /** Without values set by the control file no object is made. */
  optional: z.boolean().default(true),
});

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
export type DependentDestination = ModelFile['destinations'][number];
export type CodeAndTitle = z.infer<typeof codeAndTitle>;
