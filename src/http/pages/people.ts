import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Session } from '../../access/sessions.js';
import { UserSyncError } from '../../lib/errors.js';
import { html, type Html } from '../../lib/html.js';
import type { SyncContext } from '../../sync/context.js';
import { explainReceived } from '../../sync/explain.js';
import { lookUpAccount, lookUpPerson, type Person } from '../../sync/person.js';
import { Actions, actorOf } from '../actions.js';
import type { HttpContext } from '../context.js';
import { sendPage } from './layout.js';
import { field, form, notice } from './parts.js';
import { personBody, personName } from './person.js';
import { accountIdOf, type PersonView } from './person-parts.js';
import { requireSession } from './session.js';
import { fieldOf } from './request.js';

/** Looking people up. Who is looked for is sent as a form, and pages have numbers: no name is in an address. */
export function registerPeople(pages: FastifyInstance, context: HttpContext): void {
  const { sync } = context.app;

  pages.get('/people', async (request, reply) => {
    const session = requireSession(request, 'see-people');
    return sendPage(reply, { title: 'People', session, active: '/people', body: search(session) });
  });

  pages.post('/people', async (request, reply) => {
    const session = requireSession(request, 'see-people');
    const typed = (fieldOf(request, 'who') ?? '').replaceAll('\0', '').slice(0, 1000);
    try {
      const { person, who } = await lookUpTyped(sync, typed);
      if (person.account !== null) return await reply.redirect(`/people/${person.account.id}`, 303);
      // Only ever rejected: there is no number to send the browser to.
      return await sendPerson(context, request, reply, { session, person, username: who.toLowerCase() });
    } catch (error) {
      if (!isUnknown(error)) throw error;
      const body = search(session, typed.trim(), error.message);
      return sendPage(reply, { title: 'People', session, active: '/people', body, status: 404 });
    }
  });

  pages.get('/people/:id', async (request, reply) => {
    const session = requireSession(request, 'see-people');
    const person = await lookUpAccount(sync, accountIdOf(request));
    return sendPerson(context, request, reply, { session, person, username: person.account.username });
  });
}

/** The page about a person. That somebody sees it is noted, also when it says why a form was refused. */
export async function sendPerson(
  context: HttpContext,
  request: FastifyRequest,
  reply: FastifyReply,
  shown: Pick<PersonView, 'session' | 'person' | 'username' | 'refused'>,
): Promise<FastifyReply> {
  const { app } = context;
  const { session, person, username, refused } = shown;
  const subject = username ?? `account ${person.account?.id ?? ''}`;
  await new Actions(context).note(actorOf(session, request), 'person-looked-up', subject);
  const explained = person.received === null ? undefined : await explainReceived(app.sync, person.received);
  const body = personBody({ ...shown, explained, feeds: Object.keys(app.config.feeds) });
  const status = refused?.status ?? 200;
  return sendPage(reply, { title: personName(person, username), session, active: '/people', body, status });
}

/** Usernames are opaque, spaces included: only when nobody is called as it was typed, those around it are a slip. */
async function lookUpTyped(sync: SyncContext, typed: string): Promise<{ person: Person; who: string }> {
  const who = typed.trim();
  const asTyped = who === typed ? undefined : await lookUpPerson(sync, typed).catch(unlessUnknown);
  return asTyped === undefined ? { person: await lookUpPerson(sync, who), who } : { person: asTyped, who: typed };
}

function unlessUnknown(error: unknown): undefined {
  if (!isUnknown(error)) throw error;
  return undefined;
}

function isUnknown(error: unknown): error is UserSyncError {
  return error instanceof UserSyncError && error.code === 'user-unknown';
}

function search(session: Session, who = '', problem?: string): Html {
  return html`<h1>People</h1>
    <section class="card">
      ${problem === undefined ? null : notice('bad', problem)}
      ${form(
        session,
        '/people',
        html`${field('who', 'Username or e-mail address', { value: who, hint: 'Whole, in any case.' })}
          <button class="primary">Look up</button>`,
        'stack',
      )}
    </section>
    <section class="empty">
      <h2>Why can this person not sign in?</h2>
      <p>
        Look them up: you see the account with its groups, whether they are in the feed and since when, the record that
        was last received and what each value of it became, and every run that changed something. That you looked is
        noted in the audit log.
      </p>
    </section>`;
}
