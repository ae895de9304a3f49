import type { FastifyInstance, FastifyRequest } from 'fastify';
import { revokeKey, unknownKey } from '../../access/keys.js';
import { removeOperator, unknownOperator } from '../../access/operators.js';
import type { Session } from '../../access/sessions.js';
import { listApiKeys, type ApiKeyRow } from '../../db/api-keys.js';
import { listOperators, type OperatorRow } from '../../db/operators.js';
import { html } from '../../lib/html.js';
import { printable } from '../../lib/printable.js';
import { actorOf } from '../actions.js';
import type { HttpContext } from '../context.js';
import { sendPage, type PageContent } from './layout.js';
import { time } from './parts.js';
import { questionCard, type Question } from './question.js';
import { cursorOf, refusalOf } from './request.js';
import { requireSession } from './session.js';

/** Taking access away from a key or a person, each with a page that says what will happen, and asks. */
export function registerAccessRemoval(pages: FastifyInstance, context: HttpContext): void {
  const { database } = context.app;

  pages.get('/access/keys/:id/revoke', async (request, reply) => {
    const session = requireSession(request, 'manage-access');
    return sendPage(reply, pageOf(session, revocation(await keyOf(request))));
  });

  pages.post('/access/keys/:id/revoke', async (request, reply) => {
    const session = requireSession(request, 'manage-access');
    await revokeKey(database, numberOf(request), actorOf(session, request));
    return reply.redirect('/access', 303);
  });

  pages.get('/access/people/:id/remove', async (request, reply) => {
    const session = requireSession(request, 'manage-access');
    return sendPage(reply, pageOf(session, removal(session, await operatorOf(request))));
  });

  pages.post('/access/people/:id/remove', async (request, reply) => {
    const session = requireSession(request, 'manage-access');
    const operator = await operatorOf(request);
    try {
      await removeOperator(database, operator.name, actorOf(session, request));
      return await reply.redirect('/access', 303);
    } catch (error) {
      const { problem, status } = refusalOf(request, error);
      return sendPage(reply, { ...pageOf(session, removal(session, operator), problem), status });
    }
  });

  async function keyOf(request: FastifyRequest): Promise<ApiKeyRow> {
    const id = numberOf(request);
    const found = (await listApiKeys(database)).find((key) => key.id === id);
    if (found === undefined) throw unknownKey(id);
    return found;
  }

  async function operatorOf(request: FastifyRequest): Promise<OperatorRow> {
    const id = numberOf(request);
    const found = (await listOperators(database)).find((operator) => operator.id === id);
    if (found === undefined) throw unknownOperator(`number ${id}`);
    return found;
  }
}

/** No key and nobody has the number 0. */
function numberOf(request: FastifyRequest): number {
  return cursorOf((request.params as { readonly id: string }).id) ?? 0;
}

function pageOf(session: Session, question: Question, problem?: string): PageContent {
  const body = questionCard(session, question, problem);
  return { title: question.title, session, active: '/access', body };
}

function revocation({ id, name, scope, feed, createdBy, createdAt, lastUsedAt }: ApiKeyRow): Question {
  return {
    title: `Revoke the key “${printable(name)}”?`,
    about: html`Made by ${printable(createdBy)}, ${time(createdAt)}.`,
    consequences: html`<dl class="facts">
        <dt>Scope</dt>
        <dd>${scope}</dd>
        <dt>Feed</dt>
        <dd>${feed === null ? 'every feed' : printable(feed)}</dd>
        <dt>Last used</dt>
        <dd>${time(lastUsedAt, 'never')}</dd>
      </dl>
      <p class="lead">Whatever uses it is refused from now on, for good.</p>
      <p>A script that is still needed gets a new key first.</p>`,
    action: `/access/keys/${id}/revoke`,
    button: 'Revoke it',
    kind: 'danger',
    back: BACK,
  };
}

function removal(session: Session, { id, name, role, createdAt }: OperatorRow): Question {
  const isOneself = name === session.actor;
  return {
    title: `Remove ${printable(name)}?`,
    about: html`Role ${role}, since ${time(createdAt)}.`,
    consequences: html`<p class="lead">
        ${isOneself ? 'This is you: you are signed out at once, and may not sign in again.' : 'They are signed out at once, and may not sign in again.'}
      </p>
      <p>
        What ${isOneself ? 'you' : 'they'} decided stays as it is, and in the audit log. API keys that
        ${isOneself ? 'you' : 'they'} made stay in force: revoke those that are not to be.
      </p>`,
    action: `/access/people/${id}/remove`,
    button: isOneself ? 'Remove me' : 'Remove this person',
    kind: 'danger',
    back: BACK,
  };
}

const BACK = { href: '/access', text: 'Back to access' };
