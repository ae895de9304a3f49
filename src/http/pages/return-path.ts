import type { FastifyRequest } from 'fastify';

/** Where somebody goes after signing in: to the page that they asked for, and never to another site. */

declare module 'fastify' {
  interface FastifyContextConfig {
    /** False for what is fetched rather than gone to. */
    isPage?: boolean;
  }
}

/** For routes of GET that send no page: a file, or what a page's script follows. */
export const NO_PAGE = { exposeHeadRoute: false, config: { isPage: false } } as const;

/** Longer than the address of any page. */
const LONGEST = 2000;

/** An address is read as on this site, which there is not: so it shows whether it leads elsewhere. */
const HERE = 'http://here.invalid';

/** @returns a path of this site with its query, as a redirect can have it; undefined for anything else */
export function localPath(text: string | undefined): string | undefined {
  // Browsers read a backslash as a slash, and leave some control characters out.
  if (text === undefined || text.length > LONGEST || !/^\/(?![/\\])\P{Cc}*$/u.test(text)) return undefined;
  if (!URL.canParse(text, HERE)) return undefined;
  const { origin, pathname, search } = new URL(text, HERE);
  // What `/.//other.example` comes to begins with two slashes.
  return origin === HERE && !pathname.startsWith('//') ? `${pathname}${search}` : undefined;
}

/** The sign-in page, for a request that needs somebody signed in. What was sent by a form is not kept: it says so. */
export function signInPath({ method, url, routeOptions }: FastifyRequest): string {
  if (method === 'POST') return '/sign-in?unsent=1';
  const to = routeOptions.config.isPage === false ? undefined : localPath(url);
  return to === undefined || to === '/' ? '/sign-in' : `/sign-in?${new URLSearchParams({ to }).toString()}`;
}
