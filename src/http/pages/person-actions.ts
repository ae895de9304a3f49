import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Session } from '../../access/sessions.js';
import type { Capability } from '../../domain/access.js';
import { UserSyncError } from '../../lib/errors.js';
import { html, type Html, type HtmlValue } from '../../lib/html.js';
import { lookUpAccount } from '../../sync/person.js';
import { PINNABLE_NAMES } from '../../sync/overrides.js';
import { Actions, actorOf, type Actor } from '../actions.js';
import type { HttpContext } from '../context.js';
import { choice, field, form, plainChoices } from './parts.js';
import { accountIdOf, type PersonView } from './person-parts.js';
import { requireSession } from './session.js';
import { fieldOf } from './request.js';

/** What an operator may decide about one person; afterwards the page shows what is in force. */
export function registerPersonActions(pages: FastifyInstance, context: HttpContext): void {
  const actions = new Actions(context);

  /** @param act gets the person's username */
  const decide = (
    name: string,
    capability: Capability,
    act: (actor: Actor, username: string, request: FastifyRequest) => Promise<void>,
  ): void => {
    pages.post(`/people/:id/${name}`, async (request, reply) => {
      const session = requireSession(request, capability);
      const id = accountIdOf(request);
      const { account } = await lookUpAccount(context.app.sync, id);
      if (account?.username == null) throw handMade();
      await act(actorOf(session, request), account.username, request);
      return back(reply, id);
    });
  };

  decide('look-again', 'override', (actor, username) => actions.lookAgain(actor, username));
  decide('protect', 'override', (actor, username, request) =>
    actions.protect(actor, username, reasonOf(request), dayOf(request)),
  );
  decide('pin', 'override', (actor, username, request) => {
    const pin = { name: fieldOf(request, 'name') ?? '', text: fieldOf(request, 'value') ?? '' };
    return actions.pin(actor, username, pin, reasonOf(request), dayOf(request));
  });
  decide('end', 'override', (actor, username, request) => {
    const name = fieldOf(request, 'name') ?? '';
    return actions.endOverride(actor, username, name === '' ? 'protect' : 'pin', name === '' ? null : name);
  });

  pages.post('/people/:id/adopt', async (request, reply) => {
    const session = requireSession(request, 'adopt');
    const { account } = await lookUpAccount(context.app.sync, accountIdOf(request));
    const username = account?.username ?? fieldOf(request, 'username') ?? '';
    const adoption = {
      username,
      feed: fieldOf(request, 'feed') ?? '',
      ...(account === null || account.username !== null ? {} : { email: account.email }),
    };
    return back(reply, await actions.adopt(actorOf(session, request), adoption));
  });
}

async function back(reply: FastifyReply, id: number): Promise<FastifyReply> {
  return reply.redirect(`/people/${id}`, 303);
}

function handMade(): UserSyncError {
  return new UserSyncError('invalid-override', 'The sync leaves this account alone: adopt it for a feed first.', {
    kind: 'usage',
  });
}

function reasonOf(request: FastifyRequest): string {
  const reason = fieldOf(request, 'reason')?.trim() ?? '';
  if (reason !== '') return reason;
  throw new UserSyncError('invalid-override', 'Say why: a reason is kept with the user.', { kind: 'usage' });
}

/** A day ends when it is over everywhere it is named: at midnight UTC after it. */
function dayOf(request: FastifyRequest): Date | undefined {
  const text = fieldOf(request, 'until') ?? '';
  if (text === '') return undefined;
  const date = new Date(`${text}T24:00:00Z`);
  if (/^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(date.getTime())) return date;
  throw new UserSyncError('invalid-override', 'Write a day as 2027-01-31.', { kind: 'usage' });
}

const NAME_TEXT: Readonly<Record<(typeof PINNABLE_NAMES)[number], string>> = {
  email: 'E-mail',
  title: 'Title',
  nameFirst: 'First name',
  nameLast: 'Last name',
  groups: 'Groups',
};

/** The forms for it, as far as the session may send them. */
export function personActions({ session, person, username, feeds }: PersonView): HtmlValue {
  const { account, overrides } = person;
  if (account === null) return null;
  const at = `/people/${account.id}`;
  if (username === null) return session.may('adopt') ? adoptCard(session, at, feeds, false) : null;
  if (!session.may('override')) return null;
  const ends = overrides.map(({ kind, name }) =>
    form(
      session,
      `${at}/end`,
      html`<input type="hidden" name="name" value="${name ?? ''}" />
        <button>
          ${kind === 'protect' ? 'End the protection' : `Unpin ${NAME_TEXT[name as keyof typeof NAME_TEXT] ?? name ?? ''}`}
        </button>`,
    ),
  );
  return html`<section class="card">
      <h2>Decide</h2>
      <div class="bar">${form(session, `${at}/look-again`, html`<button>Retry in the next run</button>`)} ${ends}</div>
      <details>
        <summary>Protect from being blocked</summary>
        ${form(
          session,
          `${at}/protect`,
          html`${field('reason', 'Reason')} ${until()}<button class="primary">Protect</button>`,
          'stack',
        )}
      </details>
      <details>
        <summary>Pin a value, whatever the feed says</summary>
        ${form(
          session,
          `${at}/pin`,
          html`${choice(
              'name',
              'Name',
              PINNABLE_NAMES.map((name) => [name, NAME_TEXT[name]] as const),
              { id: 'pin-name' },
            )}
            ${field('value', 'Value', { id: 'pin-value', isRequired: false, hint: 'For groups: their codes, separated by commas.' })}
            ${field('reason', 'Reason', { id: 'pin-reason', isRequired: false })} ${until('pin-until')}
            <button class="primary">Pin</button>`,
          'stack',
        )}
      </details>
    </section>
    ${session.may('adopt') && feeds.length > 1 ? adoptCard(session, at, feeds, true) : null}`;
}

function adoptCard(session: Session, at: string, feeds: readonly string[], isKnown: boolean): Html {
  return html`<section class="card">
    <details>
      <summary>${isKnown ? 'Hand over to another feed' : 'Adopt: let a feed look after this account'}</summary>
      ${form(
        session,
        `${at}/adopt`,
        html`${isKnown ? null : field('username', 'Username', { id: 'adopt-username', isRequired: false, hint: 'As the feed knows this person.' })}
          ${choice('feed', 'Feed', plainChoices(feeds), { id: 'adopt-feed' })}
          <p class="hint">
            From the next run on the feed's record decides what this account holds, and whether it is blocked.
          </p>
          <button class="danger">${isKnown ? 'Hand over' : 'Adopt'}</button>`,
        'stack',
      )}
    </details>
  </section>`;
}

function until(id = 'until'): Html {
  return field('until', 'Until the end of (not needed)', { id, type: 'date', isRequired: false });
}
