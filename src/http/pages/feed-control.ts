import type { FastifyInstance, FastifyRequest } from 'fastify';
import { findControlFile } from '../../db/control-history.js';
import { InvalidFileError, UserSyncError } from '../../lib/errors.js';
import { html } from '../../lib/html.js';
import { MAX_CONTROL_BYTES } from '../../sync/control.js';
import { Actions, actorOf } from '../actions.js';
import type { HttpContext } from '../context.js';
import { controlForm, difference, numbered } from './feed-control-parts.js';
import { feedNameOf } from './feed-name.js';
import { takeFormsWithFile } from './form-with-file.js';
import { sendPage } from './layout.js';
import { requireSession } from './session.js';
import { cursorOf, queryOf, fieldOf } from './request.js';

/** The control files of a feed: each version, what differs between two, and a new one. */
export function registerFeedControl(pages: FastifyInstance, context: HttpContext): void {
  const { app } = context;
  const actions = new Actions(context);

  const version = async (feed: string, id: number | undefined): Promise<{ id: number; content: string }> => {
    const found = id === undefined ? undefined : await findControlFile(app.database, feed, id);
    if (found !== undefined) return found;
    throw new UserSyncError('control-unknown', 'This feed has no control file of this number.', { kind: 'usage' });
  };

  pages.get('/feeds/:name/control/:id', async (request, reply) => {
    const session = requireSession(request, 'view-runs');
    const feed = feedNameOf(request, context);
    const { id, content } = await version(feed, cursorOf((request.params as { id: string }).id));
    const body = html`<h1>Control file ${id} of feed ${feed}</h1>
      <p><a href="/feeds/${feed}#control">Back to the feed</a></p>
      <section class="card">${numbered(content)}</section>`;
    return sendPage(reply, { title: `Control file ${id}`, session, active: '/feeds', body });
  });

  pages.get('/feeds/:name/control-difference', async (request, reply) => {
    const session = requireSession(request, 'view-runs');
    const feed = feedNameOf(request, context);
    const older = await version(feed, cursorOf(queryOf(request, 'from')));
    const newer = await version(feed, cursorOf(queryOf(request, 'to')));
    const body = html`<h1>Control file ${older.id} and ${newer.id} of feed ${feed}</h1>
      <p><a href="/feeds/${feed}#control">Back to the feed</a></p>
      <section class="card">${difference(older.content, newer.content)}</section>`;
    return sendPage(reply, { title: 'Differences', session, active: '/feeds', body });
  });

  void pages.register(async (scope) => {
    await takeFormsWithFile(scope, { capability: 'configure', maxBytes: MAX_CONTROL_BYTES });
    scope.post('/feeds/:name/control', async (request, reply) => {
      const session = requireSession(request, 'configure');
      const feed = feedNameOf(request, context);
      const text = textIn(request);
      try {
        await actions.replaceControl(actorOf(session, request), feed, text);
        return await reply.redirect(`/feeds/${feed}#control`, 303);
      } catch (error) {
        if (!(error instanceof InvalidFileError)) throw error;
        const body = html`<h1>New control file of feed ${feed}</h1>
          <section class="card">${controlForm(session, feed, text, error.problems)}</section>
          <section class="card">
            <h2>What was sent</h2>
            ${numbered(text)}
          </section>`;
        return sendPage(reply, { title: 'Control file', session, active: '/feeds', body, status: 400 });
      }
    });
    return Promise.resolve();
  });
}

/** A file wins over text. Browsers end the lines of text with CR LF, whatever they were: those of a file are kept. */
function textIn(request: FastifyRequest): string {
  const file = fieldOf(request, 'file') ?? '';
  return file.trim() === '' ? (fieldOf(request, 'text') ?? '').replaceAll('\r\n', '\n') : file;
}
