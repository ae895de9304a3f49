import { Validator } from '@seriousme/openapi-schema-validator';
import { expect } from 'chai';
import Fastify from 'fastify';
import { SCOPES, scopeMay, type Capability } from '../../../src/domain/access.js';
import { KeyAuthentication } from '../../../src/http/authentication.js';
import { registerApi } from '../../../src/http/api/api.js';
import { ApiClient } from '../../support/api-client.js';
import { readDocuments, tableRows } from '../../support/docs-markdown.js';
import { HttpSite } from '../../support/http-site.js';

describe('The document of the interface', () => {
  it('is OpenAPI 3.1, open to everybody', async () => {
    await using http = await HttpSite.open();
    const response = await http.fetch('/api/openapi.json');
    expect([response.status, response.headers.get('content-type')?.split(';')[0]]).to.deep.equal([
      200,
      'application/json',
    ]);
    const document = (await response.json()) as Record<string, unknown>;
    expect(document['openapi']).to.equal('3.1.0');
    const { valid, errors } = await new Validator().validate(document);
    expect(errors ?? []).to.deep.equal([]);
    expect(valid).to.equal(true);
  });

  it('has every route under /api/v1, and nothing that is no route', async () => {
    await using http = await HttpSite.open();
    const routes = new Set<string>();
    const server = Fastify();
    server.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) if (one !== 'HEAD') routes.add(`${one} ${url}`);
    });
    const { app, daemon } = http;
    const draining = new AbortController().signal;
    const context = { app, daemon, draining, now: () => new Date(), version: '0', startedAt: new Date(), bodyMs: 1000 };
    const keys = new KeyAuthentication(context, async () => false);
    await server.register((api) => registerApi(api, context, keys));
    await server.ready();
    const { operations } = await ApiClient.open(http, '');
    const documented = operations.map(({ method, path }) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`);
    const served = [...routes].filter((route) => route.includes(' /api/v1'));
    expect(served.length).to.be.greaterThan(30);
    expect(documented.sort()).to.deep.equal(served.sort());
    await server.close();
  });

  it('gives every operation a name of its own, a summary, the capability it needs and what errors look like', async () => {
    await using http = await HttpSite.open();
    const { operations } = await ApiClient.open(http, '');
    const ids = operations.map(({ id }) => id);
    expect(new Set(ids).size).to.equal(ids.length);
    for (const { id, capability, responses } of operations) {
      expect(id).to.match(/^[a-z][A-Za-z]+$/);
      expect(capability, id).to.match(/^[a-z-]+$/);
      expect(Object.keys(responses), id).to.include('default');
    }
  });

  it('has the operations that docs/api.md lists, with the scopes that may call them', async () => {
    await using http = await HttpSite.open();
    const { operations } = await ApiClient.open(http, '');
    const described = operations.map(({ id, method, path, capability }) => [
      `\`${id}\``,
      `\`${method} ${path.replace('/api/v1', '')}\``,
      SCOPES.filter((scope) => scopeMay(scope, capability as Capability)).join(', '),
    ]);
    const rows = tableRows(readDocuments().get('docs/api.md') ?? '').get('Operations') ?? [];
    expect(rows.map((row) => row.slice(0, 3)).sort()).to.deep.equal(described.sort());
  });
});
