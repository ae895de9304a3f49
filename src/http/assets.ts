import type { FastifyInstance } from 'fastify';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../lib/package-root.js';

const TYPES = { 'style.css': 'text/css; charset=utf-8', 'app.js': 'text/javascript; charset=utf-8' } as const;

type AssetName = keyof typeof TYPES;

/** Stylesheet and script, read once; their addresses change with their content, so that browsers may keep them. */
const assets = new Map<AssetName, { readonly content: Buffer; readonly version: string }>();

/** Where a page finds an asset. */
export function assetUrl(name: AssetName): string {
  return `/assets/${name}?v=${load(name).version}`;
}

export function registerAssets(server: FastifyInstance): void {
  for (const [name, type] of Object.entries(TYPES) as [AssetName, string][]) {
    server.get(`/assets/${name}`, async (_request, reply) =>
      reply.header('cache-control', 'public, max-age=31536000, immutable').type(type).send(load(name).content),
    );
  }
}

function load(name: AssetName): { readonly content: Buffer; readonly version: string } {
  const loaded = assets.get(name);
  if (loaded !== undefined) return loaded;
  const content = readFileSync(join(packageRoot(), 'src', 'http', 'assets', name));
  const version = createHash('sha256').update(content).digest('hex').slice(0, 12);
  assets.set(name, { content, version });
  return { content, version };
}
