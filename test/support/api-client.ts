import { expect } from 'chai';
import { z } from 'zod';
import type { HttpSite } from './http-site.js';

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0];
type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;

/** One operation of the document, as far as a client needs to know it. */
export interface DocumentedOperation {
  readonly id: string;
  readonly method: string;
  /** `/api/v1/runs/{run}` */
  readonly path: string;
  readonly capability: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: JsonSchema }[];
  readonly body: Content | undefined;
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

export interface CallOptions {
  readonly path?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly body?: unknown;
  readonly accept?: string;
  readonly key?: string | undefined;
}

/** A client that knows nothing but the document, and holds requests and answers against it. */
export class ApiClient {
  readonly called = new Set<string>();

  private constructor(
    private readonly site: HttpSite,
    private readonly key: string,
    readonly document: Readonly<Record<string, unknown>>,
    readonly operations: readonly DocumentedOperation[],
  ) {}

  static async open(site: HttpSite, key: string): Promise<ApiClient> {
    const document = (await (await site.fetch('/api/openapi.json')).json()) as Record<string, unknown>;
    return new ApiClient(site, key, document, operationsOf(document));
  }

  /** Sends a request as it is described, whatever comes back. */
  async send(id: string, { path = {}, query, body, accept, key = this.key }: CallOptions = {}): Promise<Response> {
    const operation = this.operationOf(id);
    const filled = operation.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) =>
      encodeURIComponent(String(path[name] ?? expect.fail(`${id} needs ${name}`))),
    );
    const search = query === undefined ? '' : `?${new URLSearchParams(asText(query)).toString()}`;
    return this.site.fetch(filled + search, {
      method: operation.method,
      headers: {
        ...(key === '' ? {} : { authorization: `Bearer ${key}` }),
        ...(accept === undefined ? {} : { accept }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** Calls an operation that must succeed, in the way that is described. */
  async call(id: string, options: CallOptions = {}): Promise<Response> {
    const operation = this.operationOf(id);
    const described = operation.body?.['application/json']?.schema;
    expect(described !== undefined, `${id}: a body is described`).to.equal(options.body !== undefined);
    if (described !== undefined) assertFits(described, options.body, `${id}: request`);
    for (const name of Object.keys(options.query ?? {})) {
      expect(
        operation.parameters.map((one) => one.name),
        id,
      ).to.include(name);
    }
    const response = await this.send(id, options);
    const text = await response.clone().text();
    const answer = operation.responses[String(response.status)];
    expect(answer !== undefined && response.ok, `${id}: ${response.status} ${text.slice(0, 500)}`).to.equal(true);
    const type = response.headers.get('content-type')?.split(';')[0] ?? 'none';
    const schema = answer?.content?.[type]?.schema;
    if (response.status !== 204) expect(schema, `${id} answers ${type}`).not.to.equal(undefined);
    if (type === 'application/json') assertFits(schema, JSON.parse(text), `${id}: answer`);
    if (type === 'application/x-ndjson') {
      for (const line of text.trim().split('\n')) assertFits(schema, JSON.parse(line), `${id}: line`);
    }
    this.called.add(id);
    return response;
  }

  async json<T>(id: string, options: CallOptions = {}): Promise<T> {
    return (await (await this.call(id, options)).json()) as T;
  }

  private operationOf(id: string): DocumentedOperation {
    return this.operations.find((one) => one.id === id) ?? expect.fail(`there is no operation ${id}`);
  }
}

function operationsOf(document: Readonly<Record<string, unknown>>): DocumentedOperation[] {
  const paths = document['paths'] as Record<string, Record<string, Record<string, unknown>>>;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      id: String(operation['operationId']),
      method: method.toUpperCase(),
      path,
      capability: String(operation['x-capability']),
      parameters: (operation['parameters'] ?? []) as DocumentedOperation['parameters'],
      body: (operation['requestBody'] as { content: Content } | undefined)?.content,
      responses: operation['responses'] as DocumentedOperation['responses'],
    })),
  );
}

function assertFits(schema: JsonSchema | undefined, value: unknown, what: string): void {
  const result = z.fromJSONSchema(schema ?? false).safeParse(value);
  expect(result.error === undefined ? '' : z.prettifyError(result.error), what).to.equal('');
}

function asText(values: Readonly<Record<string, string | number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}
