import type { Session } from '../../access/sessions.js';
import { html, type Html, type HtmlValue } from '../../lib/html.js';
import { PINNABLE_NAMES } from '../../sync/overrides.js';
import { choice, field, form, notice, plainChoices } from './parts.js';
import type { PersonForm, PersonView, RefusedPersonForm } from './person-parts.js';
import { givenIn, type Fields } from './request.js';

const NAME_TEXT: Readonly<Record<(typeof PINNABLE_NAMES)[number], string>> = {
  email: 'E-mail',
  title: 'Title',
  nameFirst: 'First name',
  nameLast: 'Last name',
  groups: 'Groups',
};

/** The forms for what may be decided about a person, as far as the session may send them. */
export function personForms(view: PersonView): HtmlValue {
  const { session, person, username, refused } = view;
  const { account, overrides } = person;
  if (account === null) return null;
  if (username === null) return session.may('adopt') ? adoptCard(view, account.id) : null;
  if (!session.may('override')) return null;
  const at = `/people/${account.id}`;
  const ends = overrides.map(({ kind, name }) =>
    form(
      session,
      `${at}/end#decide`,
      html`<input type="hidden" name="name" value="${name ?? ''}" />
        <button>
          ${kind === 'protect' ? 'End the protection' : `Unpin ${NAME_TEXT[name as keyof typeof NAME_TEXT] ?? name ?? ''}`}
        </button>`,
    ),
  );
  return html`<section class="card" id="decide">
      <h2>Decide</h2>
      ${refused?.form === 'look-again' || refused?.form === 'end' ? notice('bad', refused.problem) : null}
      <div class="bar">
        ${form(session, `${at}/look-again#decide`, html`<button>Retry in the next run</button>`)} ${ends}
      </div>
      ${folded(session, at, 'Protect from being blocked', 'protect', refused, (given) => protectFields(given))}
      ${folded(session, at, 'Pin a value, whatever the feed says', 'pin', refused, (given) => pinFields(given))}
    </section>
    ${session.may('adopt') && (view.feeds.length > 1 || refused?.form === 'adopt') ? adoptCard(view, account.id) : null}`;
}

function adoptCard({ session, username, feeds, refused }: PersonView, id: number): Html {
  const isKnown = username !== null;
  const title = isKnown ? 'Hand over to another feed' : 'Adopt: let a feed look after this account';
  return html`<section class="card">
    ${folded(session, `/people/${id}`, title, 'adopt', refused, (given) => adoptFields(given, isKnown, feeds))}
  </section>`;
}

/** A form behind its title, open with what is wrong where it was refused. */
function folded(
  session: Session,
  at: string,
  title: string,
  name: PersonForm,
  refused: RefusedPersonForm | undefined,
  fields: (given: Fields) => Html,
): Html {
  const own = refused?.form === name ? refused : undefined;
  return html`<details id="${name}" ${own === undefined ? null : OPEN}>
    <summary>${title}</summary>
    ${own === undefined ? null : notice('bad', own.problem)}
    ${form(session, `${at}/${name}#${name}`, fields(givenIn(own)), 'stack')}
  </details>`;
}

const OPEN = html`open`;

function protectFields(given: Fields): Html {
  return html`${reason('protect', given)} ${until('protect', given)}<button class="primary">Protect</button>`;
}

function pinFields(given: Fields): Html {
  return html`${choice(
      'name',
      'Name',
      PINNABLE_NAMES.map((name) => [name, NAME_TEXT[name]] as const),
      { id: 'pin-name', chosen: given('name') },
    )}
    ${field('value', 'Value', {
      id: 'pin-value',
      value: given('value'),
      isRequired: false,
      hint: 'For groups: their codes, separated by commas. Only title and groups may be empty.',
    })}
    ${reason('pin', given)} ${until('pin', given)}<button class="primary">Pin</button>`;
}

function adoptFields(given: Fields, isKnown: boolean, feeds: readonly string[]): Html {
  const username = field('username', 'Username', {
    id: 'adopt-username',
    value: given('username'),
    hint: 'As the feed knows this person.',
  });
  return html`${isKnown ? null : username}
    ${choice('feed', 'Feed', plainChoices(feeds), { id: 'adopt-feed', chosen: given('feed') })}
    <p class="hint">
      From the next run on the feed's record decides what this account holds, and whether it is blocked.
    </p>
    <button class="danger">${isKnown ? 'Hand over' : 'Adopt'}</button>`;
}

function reason(at: PersonForm, given: Fields): Html {
  return field('reason', 'Reason', { id: `${at}-reason`, value: given('reason') });
}

function until(at: PersonForm, given: Fields): Html {
  const value = given('until');
  return field('until', 'Until the end of (not needed)', { id: `${at}-until`, type: 'date', value, isRequired: false });
}
