import type { FastifyRequest } from 'fastify';
import { principalOfKey } from '../access/keys.js';
import { noteAudit } from '../db/audit.js';
import { mayUseFeed, type Capability, type Principal } from '../domain/access.js';
import { forbidden, tooManyRequests, unauthorized } from './errors.js';
import type { HttpContext } from './context.js';

/** User name of basic authentication, as existing upload scripts send it. */
const BASIC_USER = 'haplo';

/**
 * API keys, as bearer token or as the password of basic authentication. Whoever sends wrong ones again and again is not
 * listened to for a minute.
 */
export class KeyAuthentication {
  readonly #context: HttpContext;
  readonly #isExceeded: (request: FastifyRequest) => Promise<boolean>;

  /** @param isExceeded counts a wrong key from the address of a request, and says whether there were too many */
  constructor(context: HttpContext, isExceeded: (request: FastifyRequest) => Promise<boolean>) {
    this.#context = context;
    this.#isExceeded = isExceeded;
  }

  /** @throws UserSyncError `unauthorized`, `forbidden` or `too-many-requests` */
  async authenticate(request: FastifyRequest, capability: Capability): Promise<Principal> {
    const { app, now } = this.#context;
    const secret = secretIn(request.headers.authorization);
    const principal = secret === undefined ? undefined : await principalOfKey(app.database, secret, now());
    if (principal === undefined) {
      if (secret !== undefined) await this.#noteWrongKey(request);
      throw unauthorized();
    }
    if (!principal.may(capability)) throw forbidden(`The scope of this key does not allow it (${capability}).`);
    return principal;
  }

  async #noteWrongKey(request: FastifyRequest): Promise<void> {
    const { app } = this.#context;
    if (await this.#isExceeded(request)) throw tooManyRequests();
    app.logger.warn('A wrong, expired or revoked API key was used', { address: request.ip });
    await noteAudit(app.database, { by: 'unknown', address: request.ip }, { action: 'key-refused' });
  }
}

/** @throws UserSyncError `forbidden` for a key of another feed */
export function assertFeed(principal: Principal, feed: string): void {
  if (!mayUseFeed(principal, feed)) throw forbidden('This key is for another feed.');
}

function secretIn(header: string | undefined): string | undefined {
  const [, scheme, credentials] = /^(bearer|basic) +(.+)$/i.exec(header ?? '') ?? [];
  if (scheme === undefined || credentials === undefined) return undefined;
  if (scheme.toLowerCase() === 'bearer') return credentials.trim();
  const decoded = Buffer.from(credentials, 'base64').toString('utf8');
  const at = decoded.indexOf(':');
  return at >= 0 && decoded.slice(0, at) === BASIC_USER ? decoded.slice(at + 1) : undefined;
}
