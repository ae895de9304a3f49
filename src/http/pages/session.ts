import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { closeSession, findSession, openSession, type Session } from '../../access/sessions.js';
import { isSameSecret } from '../../access/secrets.js';
import type { Capability } from '../../domain/access.js';
import { UserSyncError } from '../../lib/errors.js';
import type { HttpContext } from '../context.js';
import { forbidden } from '../errors.js';
import { fieldOf } from './request.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is signed in; null on pages that are open. */
    session: Session | null;
  }
}

/** Sessions of the web page: a cookie that only its own pages get, and a token in each form that only they know. */
export class PageSessions {
  readonly #context: HttpContext;
  readonly #cookie: string;
  readonly #isSecure: boolean;

  constructor(context: HttpContext) {
    this.#context = context;
    this.#isSecure = context.app.config.http.publicUrl?.startsWith('https:') === true;
    this.#cookie = this.#isSecure ? '__Host-user-sync' : 'user-sync';
  }

  register(pages: FastifyInstance): void {
    pages.decorateRequest('session', null);
    // Before the body is read, so that a route may ask who sends a large one.
    pages.addHook('onRequest', async (request) => {
      const token = request.cookies[this.#cookie];
      request.session = token === undefined ? null : ((await findSession(this.#context.app.database, token)) ?? null);
    });
    pages.addHook('preHandler', async (request) => {
      if (request.method === 'POST') this.#assertOwnForm(request);
    });
  }

  /** Replaces whatever session the browser had. */
  async open(request: FastifyRequest, reply: FastifyReply, operatorId: number): Promise<void> {
    await this.close(request, reply);
    const token = await openSession(this.#context.app.database, operatorId);
    void reply.setCookie(this.#cookie, token, {
      path: '/',
      httpOnly: true,
      sameSite: 'lax',
      secure: this.#isSecure,
    });
  }

  async close(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const token = request.cookies[this.#cookie];
    if (token !== undefined) await closeSession(this.#context.app.database, token);
    void reply.clearCookie(this.#cookie, { path: '/', secure: this.#isSecure });
  }

  /**
   * A form of another site can have the browser send it here with our cookie. It cannot know the session's token, and the
   * browser says where it comes from, which is what counts before anybody is signed in.
   */
  #assertOwnForm(request: FastifyRequest): void {
    const site = request.headers['sec-fetch-site'];
    const origin = request.headers.origin;
    const isForeign =
      (site !== undefined && site !== 'same-origin' && site !== 'none') ||
      (origin !== undefined && !this.#isOwnOrigin(origin, request));
    const given = fieldOf(request, '_csrf');
    const { session } = request;
    if (!isForeign && (session === null || (given !== undefined && isSameSecret(given, session.csrf)))) return;
    throw forbidden(
      'This form was not sent from a page of user-sync, or is from before you signed in. Go back, reload and try again.',
    );
  }

  #isOwnOrigin(origin: string, request: FastifyRequest): boolean {
    const { publicUrl } = this.#context.app.config.http;
    if (publicUrl !== undefined && origin === new URL(publicUrl).origin) return true;
    return URL.canParse(origin) && new URL(origin).host === request.host;
  }
}

/** Whom a page is for. @throws SignInNeeded; UserSyncError `forbidden` */
export function requireSession(request: FastifyRequest, capability: Capability): Session {
  const { session } = request;
  if (session === null) throw new SignInNeeded();
  if (!session.may(capability)) throw forbidden(`This needs more than the role ${session.role}. Ask an admin.`);
  return session;
}

/** Nobody is signed in: the browser is sent to the sign-in page. */
export class SignInNeeded extends UserSyncError {
  constructor() {
    super('unauthorized', 'Sign in first.', { kind: 'usage' });
  }
}
