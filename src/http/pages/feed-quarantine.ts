import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Session } from '../../access/sessions.js';
import type { QuarantineRecord } from '../../intake/quarantine-record.js';
import { html, type Html, type HtmlValue } from '../../lib/html.js';
import { printable } from '../../lib/printable.js';
import { Actions, actorOf } from '../actions.js';
import type { HttpContext } from '../context.js';
import { Quarantined } from '../quarantined.js';
import { feedNameOf } from './feed-name.js';
import { sendPage } from './layout.js';
import { bytes, table, time } from './parts.js';
import { questionCard, type Question } from './question.js';
import { NO_PAGE } from './return-path.js';
import { requireSession } from './session.js';

/** Files of a feed that were set aside: to look at, to fetch, to delete. */
export function registerFeedQuarantine(pages: FastifyInstance, context: HttpContext): void {
  const quarantined = new Quarantined(context.daemon.quarantine, new Actions(context));

  pages.get('/feeds/:name/quarantine/:id', NO_PAGE, async (request, reply) => {
    const session = requireSession(request, 'download');
    const { feed, id } = addressed(request);
    return quarantined.send(reply, actorOf(session, request), (one) => one === feed, id);
  });

  pages.get('/feeds/:name/quarantine/:id/delete', async (request, reply) => {
    const session = requireSession(request, 'configure');
    const { feed, id } = addressed(request);
    const record = await quarantined.find((one) => one === feed, id);
    const question = deletion(session, feed, record);
    const body = questionCard(session, question);
    return sendPage(reply, { title: question.title, session, active: '/feeds', body });
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

function deletion(session: Session, feed: string, record: QuarantineRecord): Question {
  const { id, originalFilename, reason, detail, sizeBytes, quarantinedAt } = record;
  const at = `/feeds/${feed}/quarantine/${id}`;
  return {
    title: 'Delete this file?',
    about: `Feed ${feed}.`,
    consequences: html`<dl class="facts">
        <dt>File</dt>
        <dd>${printable(originalFilename)}, ${bytes(sizeBytes)}</dd>
        <dt>Set aside</dt>
        <dd>${time(quarantinedAt)}</dd>
        <dt>Why</dt>
        <dd><code>${reason}</code> ${printable(detail)}</dd>
      </dl>
      <p class="lead">It is the only copy here, and is gone for good.</p>
      ${
        session.may('download')
          ? html`<p>Whoever needs it may <a href="${at}" download>download</a> it first.</p>`
          : null
      }`,
    action: `${at}/delete`,
    button: 'Delete it',
    kind: 'danger',
    back: { href: `/feeds/${feed}#quarantine`, text: 'Back to the feed' },
  };
}

export function quarantineCard(session: Session, feed: string, records: readonly QuarantineRecord[]): HtmlValue {
  if (records.length === 0) return html`<p class="soft" id="quarantine">No file of this feed is set aside.</p>`;
  return html`<section class="card fold" id="quarantine">
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
    <td class="act">
      <span class="actions">
        ${session.may('download') ? html`<a class="button quiet" href="${at}" download>Download</a>` : null}
        ${session.may('configure') ? html`<a class="button quiet danger" href="${at}/delete">Delete…</a>` : null}
      </span>
    </td>
  </tr>`;
}
