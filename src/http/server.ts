import cookie from '@fastify/cookie';
import formbody from '@fastify/formbody';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { App } from '../app.js';
import type { Daemon } from '../daemon/daemon.js';
import { UserSyncError, messageOf } from '../lib/errors.js';
import { registerApi } from './api/api.js';
import { KeyAuthentication } from './authentication.js';
import type { HttpContext } from './context.js';
import { logError, publicError, sendJsonError } from './errors.js';
import { registerAssets } from './assets.js';
import { registerMetrics } from './metrics.js';
import { registerPages } from './pages/pages.js';
import { registerProbes } from './probes.js';
import { registerStatus } from './status.js';
import { registerUploadApi } from './upload-api.js';

export interface HttpServerOptions {
  readonly app: App;
  readonly daemon: Daemon;
  readonly version: string;
  readonly now?: () => Date;
  /** How long sending a form or JSON may take; half a minute unless told. */
  readonly bodyMs?: number;
}

const MINUTE_MS = 60_000;
/** Forms and JSON; files have a limit of their own. */
const BODY_BYTES = 1024 ** 2;
/** Requests of one address in a minute, uploads and pages together. */
const REQUESTS_PER_MINUTE = 6000;
const WRONG_KEYS_PER_MINUTE = 20;
const BODY_MS = 30_000;
/** How long a connection may be silent. */
const SILENCE_MS = 60_000;

/** Status, interfaces and web page on one port. */
export class HttpServer {
  readonly #server: FastifyInstance;
  readonly #draining: AbortController;

  private constructor(
    server: FastifyInstance,
    draining: AbortController,
    readonly origin: string,
  ) {
    this.#server = server;
    this.#draining = draining;
  }

  /** @throws UserSyncError `http-listen` when the port cannot be had */
  static async listen(options: HttpServerOptions): Promise<HttpServer> {
    const draining = new AbortController();
    const { app, daemon, version, now = () => new Date(), bodyMs = BODY_MS } = options;
    const server = await buildServer({
      app,
      daemon,
      version,
      now,
      draining: draining.signal,
      startedAt: now(),
      bodyMs,
    });
    const { host, port } = app.config.http;
    try {
      const origin = await server.listen({ host, port });
      app.logger.info('Listening', { origin });
      return new HttpServer(server, draining, origin);
    } catch (error) {
      await server.close();
      throw new UserSyncError(
        'http-listen',
        `Listening on ${host}:${port}: ${messageOf(error)}. Check http.host and http.port, and that no other program uses the port.`,
        { cause: error },
      );
    }
  }

  /** /readyz says from now on that the program ends; requests are still answered. */
  drain(): void {
    this.#draining.abort();
  }

  /** Lets requests under way finish. May be called twice. */
  async close(): Promise<void> {
    this.drain();
    await this.#server.close();
  }
}

export async function buildServer(context: HttpContext): Promise<FastifyInstance> {
  const { app } = context;
  const server = Fastify({
    logger: false,
    trustProxy: app.config.http.trustProxy,
    bodyLimit: BODY_BYTES,
    connectionTimeout: SILENCE_MS,
    forceCloseConnections: 'idle',
    // Not from the client: a number of its choosing could not be found in the log.
    requestIdHeader: false,
    genReqId: () => randomUUID(),
    routerOptions: { ignoreTrailingSlash: true },
  });
  server.server.requestTimeout = 0;
  await server.register(helmet, {
    enableCSPNonces: true,
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'script-src': ["'self'"],
        'style-src': ["'self'"],
        'img-src': ["'self'", 'data:'],
        'connect-src': ["'self'"],
        'form-action': ["'self'"],
        'base-uri': ["'none'"],
        'frame-ancestors': ["'none'"],
      },
    },
    referrerPolicy: { policy: 'same-origin' },
    // Over plain HTTP, as behind a proxy on the same machine, it means nothing.
    strictTransportSecurity: app.config.http.publicUrl?.startsWith('https:') === true,
  });
  await server.register(cookie);
  await server.register(formbody, { bodyLimit: BODY_BYTES });
  await server.register(rateLimit, { global: true, max: REQUESTS_PER_MINUTE, timeWindow: MINUTE_MS });
  limitSlowBodies(server, context.bodyMs);
  server.setErrorHandler(async (error, request, reply) => {
    const shown = publicError(error, request);
    logError(app.logger, error, request, shown);
    return sendJsonError(reply, shown);
  });
  server.setNotFoundHandler(async (_request, reply) =>
    sendJsonError(reply, { status: 404, code: 'not-found', message: 'There is nothing at this address.' }),
  );
  const countWrongKey = server.createRateLimit({ max: WRONG_KEYS_PER_MINUTE, timeWindow: MINUTE_MS });
  const keys = new KeyAuthentication(context, async (request) => {
    const limit = await countWrongKey(request);
    return !limit.isAllowed && limit.isExceeded;
  });
  registerProbes(server, context);
  registerStatus(server, context);
  registerMetrics(server, context);
  registerAssets(server);
  await server.register((pages) => registerPages(pages, context));
  await server.register((api) => registerApi(api, context, keys));
  await server.register((uploads) => registerUploadApi(uploads, context, keys));
  return server;
}

/** A body that comes byte by byte must not hold a connection for ever. Uploads may take their time; see `slowBody`. */
function limitSlowBodies(server: FastifyInstance, bodyMs: number): void {
  const timers = new WeakMap<FastifyRequest, NodeJS.Timeout>();
  server.addHook('onRequest', async (request) => {
    if (request.routeOptions.config.slowBody === true) return;
    timers.set(request, setTimeout(() => request.raw.destroy(), bodyMs).unref());
  });
  server.addHook('preHandler', async (request) => clearTimeout(timers.get(request)));
  server.addHook('onResponse', async (request) => clearTimeout(timers.get(request)));
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body may come slowly: it is a file. */
    slowBody?: boolean;
  }
}
