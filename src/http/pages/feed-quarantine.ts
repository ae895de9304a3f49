import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Session } from '../../access/sessions.js';
import type { QuarantineRecord } from '../../intake/quarantine-record.js';
import { html, type Html, type HtmlValue } from '../../lib/html.js';
import { printable } from '../../lib/printable.js';
import { Actions, actorOf } from '../actions.js';
import type { HttpContext } from '../context.js';
import { Quarantined } from '../quarantined.js';
import { feedNameOf } from './feed-name.js';
import { bytes, form, table, time } from './parts.js';
import { requireSession } from './session.js';

/** Files of a feed that were set aside: to look at, to fetch, to delete. */
export function registerFeedQuarantine(pages: FastifyInstance, context: HttpContext): void {
  const quarantined = new Quarantined(context.daemon.quarantine, new Actions(context));

  pages.get('/feeds/:name/quarantine/:id', async (request, reply) => {
    const session = requireSession(request, 'download');
    const { feed, id } = addressed(request);
    return quarantined.send(reply, actorOf(session, request), (one) => one === feed, id);
  });

  pages.post('/feeds/:name/quarantine/:id/delete', async (request, reply) => {
    const session = requireSession(request, 'configure');
    const { feed, id } = addressed(request);
    await quarantined.delete(actorOf(session, request), (one) => one === feed, id);
    return reply.redirect(`/feeds/${feed}#quarantine`, 303);
  });

  function addressed(request: FastifyRequest): { feed: string; id: string } {
    return { feed: feedNameOf(request, context), id: (request.params as { readonly id: string }).id };
  }
}

export function quarantineCard(session: Session, feed: string, records: readonly QuarantineRecord[]): HtmlValue {
  if (records.length === 0) return html`<p class="soft" id="quarantine">No file of this feed is set aside.</p>`;
  return html`<section class="card" id="quarantine">
    <h2>Set aside</h2>
    ${table(
      ['File', 'Why', 'Size', 'When', html`<span class="unseen">Decide</span>`],
      records.map((record) => row(session, feed, record)),
      'Files that were set aside',
    )}
  </section>`;
}

function row(session: Session, feed: string, record: QuarantineRecord): Html {
  const { id, originalFilename, reason, detail, sizeBytes, quarantinedAt, expectedNames } = record;
  const at = `/feeds/${feed}/quarantine/${id}`;
  return html`<tr>
    <td class="text">${printable(originalFilename)}</td>
    <td class="text">
      <code>${reason}</code> ${printable(detail)}
      ${expectedNames === undefined ? null : html`<br /><small>Expected: ${printable(expectedNames.join(', '))}</small>`}
    </td>
    <td>${bytes(sizeBytes)}</td>
    <td>${time(quarantinedAt)}</td>
    <td>
      ${session.may('download') ? html`<a href="${at}">Download</a>` : null}
      ${session.may('configure') ? form(session, `${at}/delete`, html`<button class="quiet danger">Delete</button>`) : null}
    </td>
  </tr>`;
}
