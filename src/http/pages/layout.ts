import type { FastifyReply } from 'fastify';
import type { Session } from '../../access/sessions.js';
import type { Capability } from '../../domain/access.js';
import { html, type Html, type HtmlValue } from '../../lib/html.js';
import { assetUrl } from '../assets.js';
import { hiddenCsrf } from './parts.js';

export interface PageContent {
  readonly title: string;
  readonly session: Session | null;
  readonly body: HtmlValue;
  /** The entry of the navigation that this page belongs to. */
  readonly active?: string;
  readonly status?: number;
}

const NAVIGATION: readonly { readonly href: string; readonly text: string; readonly needs: Capability }[] = [
  { href: '/', text: 'Overview', needs: 'view-runs' },
  { href: '/runs', text: 'Runs', needs: 'view-runs' },
  { href: '/people', text: 'People', needs: 'see-people' },
  { href: '/feeds', text: 'Feeds', needs: 'view-runs' },
  { href: '/workbench', text: 'Workbench', needs: 'view-runs' },
  { href: '/access', text: 'Access', needs: 'manage-access' },
];

/** Sends a whole page. It is never kept by the browser or anybody between: it may show data of people. */
export async function sendPage(reply: FastifyReply, content: PageContent): Promise<FastifyReply> {
  return reply
    .code(content.status ?? 200)
    .header('cache-control', 'no-store')
    .type('text/html; charset=utf-8')
    .send(`<!doctype html>\n${layout(content).toString()}`);
}

function layout({ title, session, body, active }: PageContent): Html {
  return html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>${title} · User sync</title>
      <link rel="icon" href="data:," />
      <link rel="stylesheet" href="${assetUrl('style.css')}" />
      <script src="${assetUrl('app.js')}" type="module"></script>
    </head>
    <body>
      <a class="skip" href="#content">Skip to content</a>
      <header class="top">
        <a class="brand" href="/">User sync</a>
        ${session === null ? null : navigation(session, active)}
      </header>
      <main id="content" tabindex="-1">${body}</main>
    </body>
  </html>`;
}

function navigation(session: Session, active: string | undefined): Html {
  const entries = NAVIGATION.filter(({ needs }) => session.may(needs));
  return html`<nav aria-label="Main">
      <ul>
        ${entries.map(
          ({ href, text }) => html`<li><a href="${href}" ${href === active ? CURRENT : null}>${text}</a></li>`,
        )}
      </ul>
    </nav>
    <form class="who" method="post" action="/sign-out">
      ${hiddenCsrf(session)}
      <a href="/account">${session.actor} <small>(${session.role})</small></a>
      <button class="quiet">Sign out</button>
    </form>`;
}

const CURRENT = html`aria-current="page"`;
