import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Capability, Principal } from '../../domain/access.js';
import { Actions, actorOf, type Actor } from '../actions.js';
import type { KeyAuthentication } from '../authentication.js';
import type { HttpContext } from '../context.js';
import { problem } from './problem.js';

/** One thing that the interface does: what validates a request is what the document says of it. */
export interface OperationSpec<
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  Answer extends z.ZodType,
> {
  /** Stable: generated clients name their functions after it. */
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below /api/v1. */
  readonly url: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly capability: Capability;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** What comes back as JSON; absent when nothing does. Names that it does not list are left out. */
  readonly answer?: Answer;
  readonly status?: 200 | 201 | 202 | 204;
  /** What else the answer may be, by content type. */
  readonly media?: Readonly<Record<string, { readonly schema: z.ZodType }>>;
}

/** One request that was let in and understood. */
export interface Call<Params = unknown, Query = unknown, Body = unknown> {
  readonly principal: Principal;
  readonly actor: Actor;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

const errorAnswer = z
  .object({ error: z.object({ code: z.string(), message: z.string(), problems: z.array(problem).optional() }) })
  .describe('What went wrong, with a code of docs/errors.md');

/** Registers operations: each asks for a key first, before anything that was sent is read. */
export class Api {
  readonly #server: FastifyInstance;
  readonly #keys: KeyAuthentication;
  readonly #principals = new WeakMap<FastifyRequest, Principal>();
  readonly actions: Actions;

  constructor(
    server: FastifyInstance,
    readonly context: HttpContext,
    keys: KeyAuthentication,
  ) {
    this.#server = server;
    this.#keys = keys;
    this.actions = new Actions(context);
  }

  operation<
    Params extends z.ZodType = z.ZodUndefined,
    Query extends z.ZodType = z.ZodUndefined,
    Body extends z.ZodType = z.ZodUndefined,
    Answer extends z.ZodType = z.ZodUndefined,
  >(
    spec: OperationSpec<Params, Query, Body, Answer>,
    handle: (call: Call<z.output<Params>, z.output<Query>, z.output<Body>>) => Promise<FastifyReply | z.output<Answer>>,
  ): void {
    const { method, url, capability } = spec;
    this.#server.route({
      method,
      url,
      schema: schemaOf(spec),
      onRequest: async (request) => {
        this.#principals.set(request, await this.#keys.authenticate(request, capability));
      },
      handler: async (request, reply) => {
        const principal = this.#principals.get(request);
        if (principal === undefined) throw new Error('a request came past its authentication');
        const answer = await handle({
          principal,
          actor: actorOf(principal, request),
          params: request.params as z.output<Params>,
          query: request.query as z.output<Query>,
          body: request.body as z.output<Body>,
          request,
          reply,
        });
        if (answer === reply || reply.sent) return reply;
        return reply.code(spec.status ?? (spec.answer === undefined ? 204 : 200)).send(answer);
      },
    });
  }
}

function schemaOf<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, A extends z.ZodType>(
  spec: OperationSpec<P, Q, B, A>,
): Record<string, unknown> {
  const { id, tag, summary, description, capability, params, query, body } = spec;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: `${description === undefined ? '' : `${description} `}Needs the capability \`${capability}\`.`,
    'x-capability': capability,
    ...(params === undefined ? {} : { params }),
    ...(query === undefined ? {} : { querystring: query }),
    ...(body === undefined ? {} : { body }),
    response: { ...answerSchema(spec), default: errorAnswer },
  };
}

function answerSchema<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, A extends z.ZodType>(
  spec: OperationSpec<P, Q, B, A>,
): Record<string, unknown> {
  const { answer, media, status, summary } = spec;
  if (answer === undefined && media === undefined) return { 204: z.undefined().describe('Done') };
  const json = answer === undefined ? {} : { 'application/json': { schema: answer } };
  return { [status ?? 200]: { description: summary, content: { ...json, ...media } } };
}
