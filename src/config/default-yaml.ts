import { stringify } from 'yaml';
import { configJsonSchema, sectionOf, type JsonSchema } from './json-schema.js';

const WIDTH = 116;
const FLAG_WORDS = new Set(['on', 'off', 'true', 'false']);

const PREAMBLE = `yaml-language-server: $schema=./user-sync.schema.json

The configuration of user-sync, with every key and its default: a key may be left out, and a key without a value counts as left out. Found through --config FILE, the environment variable USER_SYNC_CONFIG, or as user-sync.yaml in the working directory. Relative paths are relative to the folder of this file.

\${NAME} in a text stands for the environment variable of that name, \${NAME:-text} gives a text to use when it is not set, and $\${ stands for \${ itself.`;

/** The text of config/default.yaml: every key of the schema with its description and default. */
export function defaultYaml(): string {
  const lines = PREAMBLE.split('\n').flatMap((paragraph) => comment(paragraph, 0));
  return [...lines, ...section(configJsonSchema(), 0)].join('\n') + '\n';
}

function section(schema: JsonSchema, indent: number): string[] {
  const entries = Object.entries(schema.properties ?? {});
  return entries.flatMap(([key, value], index) => {
    const apart = indent === 0 || (index > 0 && (isSection(value) || isSection(entries[index - 1]?.[1] ?? {})));
    return [...(apart ? [''] : []), ...entry(key, value, indent)];
  });
}

function entry(key: string, schema: JsonSchema, indent: number): string[] {
  const margin = ' '.repeat(indent);
  const about = [...comment(schema.description ?? '', indent), ...exampleOf(schema, indent)];
  if (typeof schema.additionalProperties === 'object') {
    return [...about, `${margin}${key}:`, `${margin}  default:`, ...section(schema.additionalProperties, indent + 4)];
  }
  if (isSection(schema)) {
    return [...about, `${margin}${key}:`, ...section(sectionOf(schema), indent + 2)];
  }
  const value = defaultOf(schema);
  return [...about, `${margin}${key}:${value === undefined ? '' : ` ${scalar(value)}`}`];
}

/** A guard has forms with and without keys; it is written on one line, with its limits. */
function isSection(schema: JsonSchema): boolean {
  return sectionOf(schema).properties !== undefined && schema.examples === undefined;
}

function exampleOf(schema: JsonSchema, indent: number): string[] {
  const example = schema.examples?.[0];
  return typeof example === 'string' ? [`${' '.repeat(indent)}# For example: ${scalar(example)}`] : [];
}

/** What is in force when the key is absent: guards are on, with the limits that their schema gives as example. */
function defaultOf(schema: JsonSchema): unknown {
  if (schema.default !== undefined) return schema.default;
  const example = schema.examples?.[0];
  if (typeof example === 'object') return example;
  return isSwitch(schema) ? 'on' : undefined;
}

function isSwitch(schema: JsonSchema): boolean {
  return schema.anyOf?.some((form) => form.enum?.includes('on') === true || form.const === 'on') === true;
}

function scalar(value: unknown): string {
  // `on` needs no quotes in YAML 1.2, and the library adds them only for readers of older versions.
  if (typeof value === 'string' && FLAG_WORDS.has(value)) return value;
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0, singleQuote: false }).trim();
}

function comment(text: string, indent: number): string[] {
  const margin = ' '.repeat(indent);
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && indent + line.length + word.length + 3 > WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.map((line) => `${margin}# ${line}`.trimEnd());
}
