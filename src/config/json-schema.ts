import { z } from 'zod';
import type { Path } from './pointer.js';
import { configSchema } from './schema.js';

/** The parts of JSON Schema that the configuration's schema uses. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
}

/** The configuration's schema as JSON Schema, describing what may be written rather than what it is parsed to. */
export function configJsonSchema(): JsonSchema {
  return z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema;
}

/**
 * The same for editors: there every value may also be left out after its key, or hold a reference to an environment
 * variable, both of which are gone before the schema proper sees the data.
 */
export function editorSchema(): JsonSchema {
  return { title: 'Configuration of user-sync', ...loosen(configJsonSchema()) };
}

/** The keys known at a path of the configuration; none when the path does not lead to a section. */
export function knownKeys(path: Path): readonly string[] {
  let section: JsonSchema | undefined = sectionOf(configJsonSchema());
  for (const step of path) {
    const further: JsonSchema['additionalProperties'] = section?.additionalProperties;
    const next: JsonSchema | undefined =
      section?.properties?.[step] ?? section?.items ?? (typeof further === 'object' ? further : undefined);
    section = next === undefined ? undefined : sectionOf(next);
  }
  return Object.keys(section?.properties ?? {});
}

/** Of several forms of a value, the one with keys. */
export function sectionOf(schema: JsonSchema): JsonSchema {
  return schema.anyOf?.find((form) => form.properties !== undefined) ?? schema;
}

const REFERENCE: JsonSchema = { type: 'string', pattern: '\\$\\{[A-Za-z_]' };
const NOTHING: JsonSchema = { type: 'null' };

function loosen(schema: JsonSchema): JsonSchema {
  const { properties, additionalProperties, anyOf, ...rest } = schema;
  return {
    ...rest,
    ...(anyOf && { anyOf: anyOf.map(loosen) }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, loosenValue(value)])),
    }),
    ...(additionalProperties !== undefined && {
      additionalProperties:
        typeof additionalProperties === 'object' ? loosenValue(additionalProperties) : additionalProperties,
    }),
  };
}

function loosenValue(schema: JsonSchema): JsonSchema {
  const { description, default: fallback, examples, ...form } = loosen(schema);
  const reference = schema.type === 'object' || schema.type === 'array' ? [] : [REFERENCE];
  return {
    ...(description !== undefined && { description }),
    ...(fallback !== undefined && { default: fallback }),
    ...(examples && { examples }),
    anyOf: [...(form.anyOf ?? [form]), ...reference, NOTHING],
  };
}
