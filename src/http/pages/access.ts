import type { FastifyInstance, FastifyReply } from 'fastify';
import { createKey, isInForce, type CreatedKey } from '../../access/keys.js';
import { addOperator } from '../../access/operators.js';
import { SHORTEST_PASSWORD } from '../../access/passwords.js';
import type { Session } from '../../access/sessions.js';
import { listApiKeys, type ApiKeyRow } from '../../db/api-keys.js';
import { listAudit, type AuditRow } from '../../db/audit.js';
import { listOperators, type OperatorRow } from '../../db/operators.js';
import { ROLES, SCOPES, type Role, type Scope } from '../../domain/access.js';
import { UserSyncError } from '../../lib/errors.js';
import { html, type Html, type HtmlValue } from '../../lib/html.js';
import { printable } from '../../lib/printable.js';
import { actorOf } from '../actions.js';
import type { HttpContext } from '../context.js';
import { sendPage } from './layout.js';
import { choice, empty, field, form, notice, pager, plainChoices, table, time } from './parts.js';
import { requireSession } from './session.js';
import { cursorOf, queryOf, fieldOf, fieldsOf, refusalOf, givenIn, type Fields, type RefusedForm } from './request.js';

const AUDIT_PAGE = 100;

/** What a page shows besides the lists: the key that was just made, or the form that was refused. */
interface Told {
  readonly created?: CreatedKey;
  readonly refusedKey?: RefusedForm;
  readonly refusedPerson?: RefusedForm;
}

/** API keys, people who may sign in, and the audit log. */
export function registerAccess(pages: FastifyInstance, context: HttpContext): void {
  const { app, now } = context;
  const { database } = app;

  const show = async (reply: FastifyReply, session: Session, told: Told = {}): Promise<FastifyReply> => {
    const [keys, people] = await Promise.all([listApiKeys(database), listOperators(database)]);
    const body = html`<h1>Access</h1>
      ${told.created === undefined ? null : createdKey(told.created)} ${keysCard(keys, now())}
      <div class="split">
        ${newKeyCard(session, Object.keys(app.config.feeds), told.refusedKey)}
        ${newPersonCard(session, told.refusedPerson)}
      </div>
      ${peopleCard(people)}
      <p><a href="/access/audit">The audit log</a>: who did what, and when.</p>`;
    const { status } = told.refusedKey ?? told.refusedPerson ?? { status: 200 };
    return sendPage(reply, { title: 'Access', session, active: '/access', body, status });
  };

  pages.get('/access', async (request, reply) => show(reply, requireSession(request, 'manage-access')));

  pages.post('/access/keys', async (request, reply) => {
    const session = requireSession(request, 'manage-access');
    try {
      const key = keyIn(fieldsOf(request), app.config.feeds);
      const created = await createKey(database, key, actorOf(session, request));
      // Rendered from the POST: the secret is shown once and is in no address.
      return await show(reply, session, { created });
    } catch (error) {
      return show(reply, session, { refusedKey: refusalOf(request, error) });
    }
  });

  pages.post('/access/people', async (request, reply) => {
    const session = requireSession(request, 'manage-access');
    const given = fieldsOf(request);
    const password = fieldOf(request, 'password') ?? '';
    try {
      const person = { name: given('name'), password, role: roleIn(given) };
      await addOperator(database, person, actorOf(session, request));
      return await reply.redirect('/access', 303);
    } catch (error) {
      return show(reply, session, { refusedPerson: refusalOf(request, error) });
    }
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

function keyIn(
  given: Fields,
  feeds: Readonly<Record<string, unknown>>,
): { name: string; scope: Scope; feed: string | null; expiresAt: Date | null } {
  const name = given('name').replaceAll('\0', '').slice(0, 100);
  const scope = SCOPES.find((known) => known === given('scope'));
  const feed = given('feed');
  const expires = given('expires');
  const expiresAt = expires === '' ? null : new Date(`${expires}T24:00:00Z`);
  const isWrong = name === '' || scope === undefined || (feed !== '' && !Object.hasOwn(feeds, feed));
  if (isWrong || Number.isNaN(expiresAt?.getTime())) {
    throw new UserSyncError('usage', 'A key has a name, a scope, a feed that there is, and a day such as 2027-01-31.', {
      kind: 'usage',
    });
  }
  return { name, scope, feed: feed === '' ? null : feed, expiresAt };
}

function roleIn(given: Fields): Role {
  const role = ROLES.find((known) => known === given('role'));
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

function newKeyCard(session: Session, feeds: readonly string[], refused?: RefusedForm): Html {
  const given = givenIn(refused);
  return html`<section class="card">
    <h2>New key</h2>
    ${refused === undefined ? null : notice('bad', refused.problem)}
    ${form(
      session,
      '/access/keys',
      html`${field('name', 'Name', { id: 'key-name', value: given('name'), hint: 'What uses it, such as "HR export".' })}
        ${choice(
          'scope',
          'Scope',
          SCOPES.map((scope) => [scope, SCOPE_TEXT[scope]] as const),
          { chosen: given('scope') },
        )}
        ${choice('feed', 'Feed', [['', 'every feed'], ...plainChoices(feeds)], { chosen: given('feed') })}
        ${field('expires', 'Valid until the end of (not needed)', { type: 'date', value: given('expires'), isRequired: false })}
        <button class="primary">Create key</button>`,
      'stack',
    )}
  </section>`;
}

function keysCard(keys: readonly ApiKeyRow[], now: Date): Html {
  if (keys.length === 0)
    return empty(
      'No API keys yet',
      html`<p>Scripts that upload files or ask for runs over HTTP need one. Make it below.</p>`,
    );
  const rows = keys.map(
    (key) =>
      html`<tr>
        <td class="name">
          ${printable(key.name)}<br /><small>by ${printable(key.createdBy)}, ${time(key.createdAt)}</small>
        </td>
        <td>${key.scope}</td>
        <td>${key.feed === null ? 'every feed' : printable(key.feed)}</td>
        <td><span class="folded">used</span> ${time(key.lastUsedAt, 'never')}</td>
        <td>${stateOf(key, now)}</td>
        <td class="act">
          ${
            isInForce(key, now)
              ? html`<a class="button quiet danger" href="/access/keys/${key.id}/revoke"
                  >Revoke… <span class="unseen">${printable(key.name)}</span></a
                >`
              : null
          }
        </td>
      </tr>`,
  );
  return html`<section class="card fold">
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

function newPersonCard(session: Session, refused?: RefusedForm): Html {
  const given = givenIn(refused);
  return html`<section class="card">
    <h2>New person</h2>
    ${refused === undefined ? null : notice('bad', refused.problem)}
    ${form(
      session,
      '/access/people',
      html`${field('name', 'Name', { id: 'person-name', value: given('name'), hint: 'What they sign in with.' })}
        ${choice(
          'role',
          'Role',
          ROLES.map((role) => [role, ROLE_TEXT[role]] as const),
          { chosen: given('role') },
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

function peopleCard(people: readonly OperatorRow[]): Html {
  const rows = people.map(
    ({ id, name, role, createdAt, lockedUntil }) =>
      html`<tr>
        <td class="name">${printable(name)}</td>
        <td>${role}</td>
        <td><span class="folded">since</span> ${time(createdAt)}</td>
        <td>
          ${lockedUntil === null ? null : html`<span class="badge warn">locked</span> until ${time(lockedUntil)}`}
        </td>
        <td class="act">
          <a class="button quiet danger" href="/access/people/${id}/remove"
            >Remove… <span class="unseen">${printable(name)}</span></a
          >
        </td>
      </tr>`,
  );
  return html`<section class="card fold">
    <h2>People</h2>
    ${table(['Name', 'Role', 'Since', 'State', html`<span class="unseen">Decide</span>`], rows, 'People who may sign in')}
  </section>`;
}

function auditTable(rows: readonly AuditRow[]): Html {
  return html`<section class="card fold">
    ${table(
      ['When', 'Who', 'What', 'About', 'More', 'From'],
      rows.map(
        ({ at, actor, action, subject, details, address }) =>
          html`<tr>
            <td>${time(at)}</td>
            <td>${printable(actor)}</td>
            <td class="short">${action}</td>
            <td class="text">${subject === null ? null : printable(subject)}</td>
            <td class="text">
              <small>${Object.keys(details).length === 0 ? null : printable(JSON.stringify(details))}</small>
            </td>
            <td>${address === null ? null : html`<span class="folded">from</span> ${address}`}</td>
          </tr>`,
      ),
      'Audit log, newest first',
    )}
  </section>`;
}
