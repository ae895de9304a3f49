import type { FastifyInstance, FastifyRequest } from 'fastify';
import { createKey, isInForce, revokeKey, type CreatedKey } from '../../access/keys.js';
import { addOperator, removeOperator } from '../../access/operators.js';
import { SHORTEST_PASSWORD } from '../../access/passwords.js';
import type { Session } from '../../access/sessions.js';
import { listApiKeys, type ApiKeyRow } from '../../db/api-keys.js';
import { listAudit, type AuditRow } from '../../db/audit.js';
import { listOperators, type OperatorRow } from '../../db/operators.js';
import { ROLES, SCOPES, type Role, type Scope } from '../../domain/access.js';
import { UserSyncError } from '../../lib/errors.js';
import { html, type Html, type HtmlValue } from '../../lib/html.js';
import { printable } from '../../lib/printable.js';
import type { HttpContext } from '../context.js';
import { sendPage } from './layout.js';
import { choice, empty, field, form, notice, pager, plainChoices, table, time } from './parts.js';
import { requireSession } from './session.js';
import { cursorOf, queryOf, fieldOf } from './request.js';

const AUDIT_PAGE = 100;

/** What a page shows besides the lists: the key that was just made, or what was wrong. */
interface Told {
  readonly created?: CreatedKey;
  readonly problem?: string;
}

/** API keys, people who may sign in, and the audit log. */
export function registerAccess(pages: FastifyInstance, context: HttpContext): void {
  const { app, now } = context;
  const { database } = app;

  const body = async (session: Session, told: Told = {}): Promise<Html> => {
    const [keys, people] = await Promise.all([listApiKeys(database), listOperators(database)]);
    return html`<h1>Access</h1>
      ${told.problem === undefined ? null : notice('bad', told.problem)}
      ${told.created === undefined ? null : createdKey(told.created)} ${keysCard(session, keys, now())}
      <div class="split">${newKeyCard(session, Object.keys(app.config.feeds))} ${newPersonCard(session)}</div>
      ${peopleCard(session, people)}
      <p><a href="/access/audit">The audit log</a>: who did what, and when.</p>`;
  };

  pages.get('/access', async (request, reply) => {
    const session = requireSession(request, 'manage-access');
    return sendPage(reply, { title: 'Access', session, active: '/access', body: await body(session) });
  });

  pages.post('/access/keys', async (request, reply) => {
    const session = requireSession(request, 'manage-access');
    const told = await outcomeOf(async () => ({
      created: await createKey(database, { ...keyIn(request, app.config.feeds), createdBy: session.actor }),
    }));
    // Rendered from the POST: the secret is shown once and is in no address.
    return sendPage(reply, { title: 'Access', session, active: '/access', body: await body(session, told) });
  });

  pages.post('/access/keys/:id/revoke', async (request, reply) => {
    const session = requireSession(request, 'manage-access');
    const { id } = request.params as { readonly id: string };
    await revokeKey(database, /^\d{1,15}$/.test(id) ? Number(id) : 0, session.actor);
    return reply.redirect('/access', 303);
  });

  pages.post('/access/people', async (request, reply) => {
    const session = requireSession(request, 'manage-access');
    const name = fieldOf(request, 'name')?.trim() ?? '';
    const password = fieldOf(request, 'password') ?? '';
    const told = await outcomeOf(async () => {
      await addOperator(database, { name, password, role: roleIn(request), by: session.actor });
      return {};
    });
    if (told.problem === undefined) return reply.redirect('/access', 303);
    return sendPage(reply, {
      title: 'Access',
      session,
      active: '/access',
      body: await body(session, told),
      status: 400,
    });
  });

  pages.post('/access/people/remove', async (request, reply) => {
    const session = requireSession(request, 'manage-access');
    await removeOperator(database, fieldOf(request, 'name') ?? '', session.actor);
    return reply.redirect('/access', 303);
  });

  pages.get('/access/audit', async (request, reply) => {
    const session = requireSession(request, 'manage-access');
    const before = cursorOf(queryOf(request, 'before'));
    const rows = await listAudit(database, { limit: AUDIT_PAGE + 1, ...(before === undefined ? {} : { before }) });
    const shown = rows.slice(0, AUDIT_PAGE);
    const next = rows.length > AUDIT_PAGE ? shown.at(-1)?.id : undefined;
    const auditBody = html`<h1>Audit log</h1>
      ${auditTable(shown)} ${pager('/access/audit', before === undefined ? {} : { before: String(before) }, next)}`;
    return sendPage(reply, { title: 'Audit log', session, active: '/access', body: auditBody });
  });
}

/** What the page is to say of what was asked for. */
async function outcomeOf(work: () => Promise<Told>): Promise<Told> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UserSyncError) return { problem: error.message };
    throw error;
  }
}

function keyIn(
  request: FastifyRequest,
  feeds: Readonly<Record<string, unknown>>,
): { name: string; scope: Scope; feed: string | null; expiresAt: Date | null } {
  const name = (fieldOf(request, 'name') ?? '').replaceAll('\0', '').trim().slice(0, 100);
  const scope = SCOPES.find((known) => known === fieldOf(request, 'scope'));
  const feed = fieldOf(request, 'feed') ?? '';
  const expires = fieldOf(request, 'expires') ?? '';
  const expiresAt = expires === '' ? null : new Date(`${expires}T24:00:00Z`);
  const isWrong = name === '' || scope === undefined || (feed !== '' && !Object.hasOwn(feeds, feed));
  if (isWrong || Number.isNaN(expiresAt?.getTime())) {
    throw new UserSyncError('usage', 'A key has a name, a scope, a feed that there is, and a day such as 2027-01-31.', {
      kind: 'usage',
    });
  }
  return { name, scope, feed: feed === '' ? null : feed, expiresAt };
}

function roleIn(request: FastifyRequest): Role {
  const role = ROLES.find((known) => known === fieldOf(request, 'role'));
  if (role !== undefined) return role;
  throw new UserSyncError('usage', `A role is one of: ${ROLES.join(', ')}.`, { kind: 'usage' });
}

function createdKey({ name, secret }: CreatedKey): Html {
  return html`<section class="card urgent" role="status">
    <h2>The key ${printable(name)}</h2>
    <p>Copy it now: it is not shown again.</p>
    <pre class="secret">${secret}</pre>
  </section>`;
}

const SCOPE_TEXT: Readonly<Record<Scope, string>> = {
  upload: 'upload: send files and start batches',
  read: 'read: runs and status, no data of people',
  operate: 'operate: also decide and look people up',
  admin: 'admin: everything',
};

function newKeyCard(session: Session, feeds: readonly string[]): Html {
  return html`<section class="card">
    <h2>New key</h2>
    ${form(
      session,
      '/access/keys',
      html`${field('name', 'Name', { id: 'key-name', hint: 'What uses it, such as "HR export".' })}
        ${choice(
          'scope',
          'Scope',
          SCOPES.map((scope) => [scope, SCOPE_TEXT[scope]] as const),
        )}
        ${choice('feed', 'Feed', [['', 'every feed'], ...plainChoices(feeds)])}
        ${field('expires', 'Valid until the end of (not needed)', { type: 'date', isRequired: false })}
        <button class="primary">Create key</button>`,
      'stack',
    )}
  </section>`;
}

function keysCard(session: Session, keys: readonly ApiKeyRow[], now: Date): Html {
  if (keys.length === 0)
    return empty(
      'No API keys yet',
      html`<p>Scripts that upload files or ask for runs over HTTP need one. Make it below.</p>`,
    );
  const rows = keys.map(
    (key) =>
      html`<tr>
        <td>${printable(key.name)}<br /><small>by ${printable(key.createdBy)}, ${time(key.createdAt)}</small></td>
        <td>${key.scope}</td>
        <td>${key.feed === null ? 'every feed' : printable(key.feed)}</td>
        <td>${time(key.lastUsedAt, 'never')}</td>
        <td>${stateOf(key, now)}</td>
        <td>
          ${
            isInForce(key, now)
              ? form(
                  session,
                  `/access/keys/${key.id}/revoke`,
                  html`<button class="quiet danger">Revoke <span class="unseen">${printable(key.name)}</span></button>`,
                )
              : null
          }
        </td>
      </tr>`,
  );
  return html`<section class="card">
    <h2>API keys</h2>
    ${table(['Key', 'Scope', 'Feed', 'Last used', 'State', html`<span class="unseen">Decide</span>`], rows, 'API keys')}
  </section>`;
}

function stateOf(key: ApiKeyRow, now: Date): HtmlValue {
  if (key.revokedAt !== null) return html`<span class="badge">revoked</span> ${time(key.revokedAt)}`;
  if (key.expiresAt === null) return html`<span class="badge good">in force</span>`;
  const badge =
    key.expiresAt > now
      ? html`<span class="badge good">in force</span> until`
      : html`<span class="badge">expired</span>`;
  return html`${badge} ${time(key.expiresAt)}`;
}

const ROLE_TEXT: Readonly<Record<Role, string>> = {
  viewer: 'viewer: runs and status',
  operator: 'operator: decide, look people up',
  admin: 'admin: everything',
};

function newPersonCard(session: Session): Html {
  return html`<section class="card">
    <h2>New person</h2>
    ${form(
      session,
      '/access/people',
      html`${field('name', 'Name', { id: 'person-name', hint: 'What they sign in with.' })}
        ${choice(
          'role',
          'Role',
          ROLES.map((role) => [role, ROLE_TEXT[role]] as const),
        )}
        ${field('password', 'Password', {
          type: 'password',
          autocomplete: 'new-password',
          hint: `At least ${SHORTEST_PASSWORD} characters. They change it under their name.`,
        })} <button class="primary">Add person</button>`,
      'stack',
    )}
  </section>`;
}

function peopleCard(session: Session, people: readonly OperatorRow[]): Html {
  const rows = people.map(
    ({ name, role, createdAt, lockedUntil }) =>
      html`<tr>
        <td>${printable(name)}</td>
        <td>${role}</td>
        <td>${time(createdAt)}</td>
        <td>
          ${lockedUntil === null ? null : html`<span class="badge warn">locked</span> until ${time(lockedUntil)}`}
        </td>
        <td>
          ${form(
            session,
            '/access/people/remove',
            html`<input type="hidden" name="name" value="${name}" />
              <button class="quiet danger">Remove <span class="unseen">${printable(name)}</span></button>`,
          )}
        </td>
      </tr>`,
  );
  return html`<section class="card">
    <h2>People</h2>
    ${table(['Name', 'Role', 'Since', 'State', html`<span class="unseen">Decide</span>`], rows, 'People who may sign in')}
  </section>`;
}

function auditTable(rows: readonly AuditRow[]): Html {
  return html`<section class="card">
    ${table(
      ['When', 'Who', 'What', 'About', 'More', 'From'],
      rows.map(
        ({ at, actor, action, subject, details, address }) =>
          html`<tr>
            <td>${time(at)}</td>
            <td>${printable(actor)}</td>
            <td>${action}</td>
            <td class="text">${subject === null ? null : printable(subject)}</td>
            <td class="text">
              <small>${Object.keys(details).length === 0 ? null : printable(JSON.stringify(details))}</small>
            </td>
            <td>${address}</td>
          </tr>`,
      ),
      'Audit log, newest first',
    )}
  </section>`;
}
