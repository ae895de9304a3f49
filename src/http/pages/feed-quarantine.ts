import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Session } from '../../access/sessions.js';
import type { QuarantineRecord } from '../../intake/quarantine-record.js';
import { UserSyncError } from '../../lib/errors.js';
import { html, type Html, type HtmlValue } from '../../lib/html.js';
import { printable } from '../../lib/printable.js';
import { Actions, actorOf } from '../actions.js';
import type { HttpContext } from '../context.js';
import { openRegularFile, sendDownload } from '../download.js';
import { feedNameOf } from './feed-name.js';
import { bytes, form, table, time } from './parts.js';
import { requireSession } from './session.js';

/** Files of a feed that were set aside: to look at, to fetch, to delete. */
export function registerFeedQuarantine(pages: FastifyInstance, context: HttpContext): void {
  const { quarantine } = context.daemon;
  const actions = new Actions(context);

  const find = async (request: FastifyRequest): Promise<QuarantineRecord> => {
    const feed = feedNameOf(request, context);
    const { id } = request.params as { readonly id: string };
    const found = (await quarantine.list()).find((record) => record.id === id && record.feed === feed);
    if (found !== undefined) return found;
    throw new UserSyncError('quarantine-unknown', 'This file is not in quarantine any more.', { kind: 'usage' });
  };

  pages.get('/feeds/:name/quarantine/:id', async (request, reply) => {
    const session = requireSession(request, 'download');
    const { id, feed, originalFilename } = await find(request);
    const handle = await openRegularFile(quarantine.pathOf(id));
    if (handle === undefined) {
      throw new UserSyncError('quarantine-unknown', 'This is no file that could be fetched.', { kind: 'usage' });
    }
    await actions.note(actorOf(session, request), 'quarantine-downloaded', `feed ${feed}`, { id, originalFilename });
    return sendDownload(reply, handle, `quarantine-${id}`);
  });

  pages.post('/feeds/:name/quarantine/:id/delete', async (request, reply) => {
    const session = requireSession(request, 'configure');
    const { id, feed, originalFilename } = await find(request);
    await quarantine.delete(id);
    await actions.note(actorOf(session, request), 'quarantine-deleted', `feed ${feed}`, { id, originalFilename });
    return reply.redirect(`/feeds/${feed}#quarantine`, 303);
  });
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
