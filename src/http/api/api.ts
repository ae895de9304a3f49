import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { KeyAuthentication } from '../authentication.js';
import type { HttpContext } from '../context.js';
import { registerAudit } from './audit.js';
import { registerControlFiles } from './control-files.js';
import { registerFeeds } from './feeds.js';
import { registerKeys } from './keys.js';
import { registerModel } from './model.js';
import { Api } from './operation.js';
import { registerOverrides } from './overrides.js';
import { registerPreview } from './preview.js';
import { registerQuarantine } from './quarantine.js';
import { registerRunDecisions } from './run-decisions.js';
import { registerRunFiles } from './run-files.js';
import { registerRunLog } from './run-log.js';
import { registerRunPlan } from './run-plan.js';
import { registerRuns } from './runs.js';
import { registerUsers } from './users.js';

const DOCUMENT = '/api/openapi.json';

/** The native interface under /api/v1, for keys only, and the document that describes it, for everybody. */
export async function registerApi(
  server: FastifyInstance,
  context: HttpContext,
  keys: KeyAuthentication,
): Promise<void> {
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  server.addHook('onRequest', async (_request, reply) => {
    void reply.header('cache-control', 'no-store');
  });
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'User sync',
        version: context.version,
        description: 'Feeds, runs, people, control files and keys. Every operation needs an API key.',
      },
      servers: [{ url: context.app.config.http.publicUrl ?? '/' }],
      security: [{ bearer: [] }, { basic: [] }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'An API key' },
          basic: { type: 'http', scheme: 'basic', description: 'The user `haplo` with an API key as password' },
        },
      },
    },
    transform: jsonSchemaTransform,
  });
  server.get(DOCUMENT, { schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/json').send(JSON.stringify(server.swagger())),
  );
  await server.register(
    async (scope) => {
      const api = new Api(scope, context, keys);
      registerFeeds(api);
      registerControlFiles(api);
      registerPreview(api);
      registerRuns(api);
      registerRunPlan(api);
      registerRunLog(api);
      registerRunFiles(api);
      registerRunDecisions(api);
      registerUsers(api);
      registerOverrides(api);
      registerModel(api);
      registerKeys(api);
      registerAudit(api);
      registerQuarantine(api);
    },
    { prefix: '/api/v1' },
  );
}
