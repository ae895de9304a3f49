import { scryptSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createKey, type CreatedKey } from '../../src/access/keys.js';
import { insertOperator } from '../../src/db/operators.js';
import type { App } from '../../src/app.js';
import type { Daemon } from '../../src/daemon/daemon.js';
import type { Database } from '../../src/db/database.js';
import type { Role, Scope } from '../../src/domain/access.js';
import { HttpServer } from '../../src/http/server.js';
import type { MemoryLogger } from '../../src/lib/logger.js';
import { DaemonSite, type SiteFeed } from './daemon-site.js';
import { eventually } from './eventually.js';

export const PASSWORD = 'four words do very well';

/** A daemon with its server in this process, and a browser's or script's way to it. */
export class HttpSite implements AsyncDisposable {
  private constructor(
    readonly site: DaemonSite,
    readonly app: App,
    readonly daemon: Daemon,
    readonly log: MemoryLogger,
    readonly server: HttpServer,
  ) {}

  /**
   * @param http more settings of the section `http`
   * @param options `more`: other sections of the configuration
   */
  static async open(
    feeds: Readonly<Record<string, SiteFeed>> = {},
    http: object = {},
    options: { bodyMs?: number; more?: object } = {},
  ): Promise<HttpSite> {
    const { more = {}, ...rest } = options;
    const site = await DaemonSite.open(feeds, { http: { port: 0, ...http }, ...more });
    const { daemon, app, log } = await site.start();
    const server = await HttpServer.listen({ app, daemon, version: '0.0.0-test', ...rest });
    const [first] = daemon.feeds;
    await eventually('duty', async () => first?.isOnDuty || undefined);
    for (const { dropDirectory } of Object.values(app.config.feeds))
      await eventually('drop directory', async () => existsSync(dropDirectory) || undefined);
    return new HttpSite(site, app, daemon, log, server);
  }

  get origin(): string {
    return this.server.origin;
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(new URL(path, this.origin), { redirect: 'manual', ...init });
  }

  key(scope: Scope, feed: string | null = null, expiresAt: Date | null = null): Promise<CreatedKey> {
    return createKey(this.app.database, { name: `${scope} key`, scope, feed, expiresAt }, { by: 'test' });
  }

  /** Somebody with a role, signed in. */
  signIn(role: Role, name?: string): Promise<SignedIn> {
    return SignedIn.to(this, this.app.database, role, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.site[Symbol.asyncDispose]();
  }
}

/** As it is kept, but not as dear to check as the passwords of people: that takes most of the time of a test. */
function cheaplyHashed(password: string): string {
  const cost = { N: 2 ** 4, r: 8, p: 1 };
  const salt = Buffer.from('salt');
  const key = scryptSync(password, salt, 32, cost).toString('base64url');
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64url'), key].join('$');
}

/** What a browser with a session does, without a browser. */
export class SignedIn {
  private constructor(
    private readonly site: Pick<HttpSite, 'fetch'>,
    readonly cookie: string,
  ) {}

  /** Makes somebody known to a server, and signs them in. */
  static async to(
    site: Pick<HttpSite, 'fetch'>,
    database: Database,
    role: Role,
    name: string = role,
  ): Promise<SignedIn> {
    await insertOperator(database, { name, role, password: cheaplyHashed(PASSWORD) });
    const response = await site.fetch('/sign-in', form({ name, password: PASSWORD }));
    const cookie = response.headers.getSetCookie().map((line) => line.split(';')[0] ?? '');
    return new SignedIn(site, cookie.join('; '));
  }

  get(path: string): Promise<Response> {
    return this.site.fetch(path, { headers: { cookie: this.cookie } });
  }

  async page(path: string): Promise<string> {
    return (await this.get(path)).text();
  }

  /** Sends a form as the page at `from` would. */
  async post(path: string, fields: Readonly<Record<string, string>>, from = '/'): Promise<Response> {
    const csrf = /name="_csrf" value="([^"]+)"/.exec(await this.page(from))?.[1] ?? '';
    return this.postAs(path, { _csrf: csrf, ...fields });
  }

  /** A form with files. */
  send(path: string, body: FormData): Promise<Response> {
    return this.site.fetch(path, { method: 'POST', body, headers: { cookie: this.cookie } });
  }

  postAs(path: string, fields: Readonly<Record<string, string>>, headers: object = {}): Promise<Response> {
    const init = form(fields);
    return this.site.fetch(path, { ...init, headers: { ...init.headers, cookie: this.cookie, ...headers } });
  }
}

export function form(fields: Readonly<Record<string, string>>): {
  method: 'POST';
  body: string;
  headers: Record<string, string>;
} {
  return {
    method: 'POST',
    body: new URLSearchParams(fields).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  };
}
