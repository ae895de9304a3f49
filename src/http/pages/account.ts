import type { FastifyInstance } from 'fastify';
import { changePassword } from '../../access/operators.js';
import { SHORTEST_PASSWORD } from '../../access/passwords.js';
import type { Session } from '../../access/sessions.js';
import { UserSyncError } from '../../lib/errors.js';
import { html, type Html } from '../../lib/html.js';
import type { HttpContext } from '../context.js';
import { sendPage } from './layout.js';
import { field, form, notice } from './parts.js';
import { requireSession, type PageSessions } from './session.js';
import { fieldOf } from './request.js';

/** One's own password. */
export function registerAccount(pages: FastifyInstance, context: HttpContext, sessions: PageSessions): void {
  const { app, now } = context;

  pages.get('/account', async (request, reply) => {
    const session = requireSession(request, 'view-runs');
    const isChanged = (request.query as { changed?: string }).changed !== undefined;
    return sendPage(reply, { title: 'Your password', session, body: body(session, undefined, isChanged) });
  });

  pages.post('/account', async (request, reply) => {
    const session = requireSession(request, 'view-runs');
    const password = fieldOf(request, 'password') ?? '';
    try {
      if (password !== fieldOf(request, 'again')) {
        throw new UserSyncError('password', 'The two passwords are not the same.', { kind: 'usage' });
      }
      const current = fieldOf(request, 'current') ?? '';
      const change = { name: session.actor, current, password, now: now(), address: request.ip };
      const operator = await changePassword(app.database, change);
      // All sessions have ended with the old password; this browser gets a new one.
      await sessions.open(request, reply, operator);
      return await reply.redirect('/account?changed', 303);
    } catch (error) {
      if (!(error instanceof UserSyncError)) throw error;
      return sendPage(reply, { title: 'Your password', session, body: body(session, error.message), status: 400 });
    }
  });
}

function body(session: Session, problem?: string, isChanged = false): Html {
  return html`<section class="card narrow">
    <h1>Your password</h1>
    ${problem === undefined ? null : notice('bad', problem)}
    ${isChanged ? notice('good', 'It is changed. Everywhere else you are signed out.') : null}
    ${form(
      session,
      '/account',
      html`${field('current', 'Password now', { type: 'password', autocomplete: 'current-password' })}
        ${field('password', 'New password', {
          type: 'password',
          autocomplete: 'new-password',
          hint: `At least ${SHORTEST_PASSWORD} characters. Several words do well.`,
        })}
        ${field('again', 'New password again', { type: 'password', autocomplete: 'new-password' })}
        <button class="primary">Change it</button>`,
      'stack',
    )}
  </section>`;
}
