import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMap, isScalar, parse, parseDocument } from 'yaml';
import { z } from 'zod';
import {
  configJsonSchema,
  editorSchema,
  knownKeys,
  sectionOf,
  type JsonSchema,
} from '../../../src/config/json-schema.js';
import { packageRoot } from '../../../src/lib/package-root.js';
import { DEFAULT_LIMITS } from '../../../src/readers/reader.js';
import { generatedFiles } from '../../support/generated-files.js';

const defaultYaml = await readFile(join(packageRoot(), 'config', 'default.yaml'), 'utf8');

/** Every key of the schema as a path; feeds by the name `default`. */
function keysOfSchema(schema: JsonSchema, path = ''): Map<string, JsonSchema> {
  const { properties = {}, additionalProperties } = sectionOf(schema);
  const named = typeof additionalProperties === 'object' ? { default: additionalProperties } : properties;
  const inner = Object.entries(named).flatMap(([key, value]) => [
    [`${path}/${key}`, value] as const,
    ...keysOfSchema(value, `${path}/${key}`),
  ]);
  return new Map(inner);
}

function keysOfYaml(node: unknown, path = ''): string[] {
  if (!isMap(node)) return [];
  return node.items.flatMap((pair) => {
    const key = `${path}/${isScalar(pair.key) ? String(pair.key.value) : '?'}`;
    return [key, ...keysOfYaml(pair.value, key)];
  });
}

describe('the documentation of the configuration', () => {
  it('has every key of the schema in default.yaml, and no other', () => {
    const keys = [...keysOfSchema(configJsonSchema()).keys()];
    expect(keys).to.include('/feeds/default/guards/blocked/share').and.to.have.length.greaterThan(60);
    expect(keysOfYaml(parseDocument(defaultYaml).contents).sort()).to.deep.equal(keys.sort());
  });

  it('explains every key in one to three sentences', () => {
    for (const [key, schema] of keysOfSchema(configJsonSchema())) {
      if (key === '/feeds/default') continue;
      expect(schema.description, key)
        .to.be.a('string')
        .and.to.match(/^[A-Za-z].{15,}\.$/);
    }
  });

  it('has the descriptions as comments in default.yaml', () => {
    const comments = defaultYaml.replace(/\s*#/g, '');
    for (const [key, schema] of keysOfSchema(configJsonSchema())) {
      // The keys of a guard's limit are explained with "guards", where they stand on one line.
      if (key === '/feeds/default' || /\/guards\/[^/]+\//.test(key)) continue;
      expect(comments, key).to.include(schema.description);
    }
  });

  it('is what the code generates now (npm run generate)', async () => {
    for (const [file, text] of await generatedFiles()) {
      expect(await readFile(file, 'utf8'), file).to.equal(text);
    }
  });

  it('lets an editor accept default.yaml and references to the environment, and no unknown key', () => {
    const schema = z.fromJSONSchema(editorSchema() as Parameters<typeof z.fromJSONSchema>[0]);
    expect(schema.safeParse(parse(defaultYaml)).error).to.equal(undefined);
    expect(schema.safeParse({ http: { port: '${PORT}' }, database: null }).success).to.equal(true);
    expect(schema.safeParse({ http: { port: 'x' } }).success).to.equal(false);
    expect(schema.safeParse({ htpp: {} }).success).to.equal(false);
  });

  it('knows the keys at a path', () => {
    expect(knownKeys(['leavers'])).to.deep.equal([]);
    expect(knownKeys(['feeds', 'hr', 'leavers'])).to.deep.equal(['graceRuns', 'graceDays']);
    expect(knownKeys(['feeds', 'hr', 'guards', 'file-size'])).to.deep.equal(['share', 'bytes']);
  });

  it('has the limits that the readers have', () => {
    const { limits } = z.fromJSONSchema(configJsonSchema() as Parameters<typeof z.fromJSONSchema>[0]).parse({}) as {
      limits: unknown;
    };
    expect(limits).to.deep.equal({});
    const defaults = Object.entries(configJsonSchema().properties?.['limits']?.properties ?? {});
    expect(Object.fromEntries(defaults.map(([key, schema]) => [key, schema.default]))).to.deep.equal(DEFAULT_LIMITS);
  });
});
