import type { UserChange } from '../../db/changes.js';
import { fieldsOf } from '../../domain/change-fields.js';
import { valueText } from '../../domain/value-text.js';
import { html, type Html, type HtmlValue } from '../../lib/html.js';
import { printable } from '../../lib/printable.js';
import type { Explained } from '../../sync/explain.js';
import type { Account, Person, PersonError, Received } from '../../sync/person.js';
import { empty, notice, number, table, time } from './parts.js';
import { personForms } from './person-forms.js';
import type { PersonView } from './person-parts.js';

export function personName({ account }: Person, username: string | null): string {
  if (account === null) return printable(username ?? '');
  const name = [account.title, account.name_first, account.name_last].filter((part) => part !== null).join(' ');
  return printable(name || account.email);
}

export function personBody(view: PersonView): Html {
  const { person, username, explained } = view;
  const { account, received } = person;
  return html`<h1>${personName(person, username)} ${badges(person)}</h1>
    ${account === null ? notice('warn', 'No account: every record of this user was rejected. The errors below say why.') : null}
    ${
      account !== null && username === null
        ? notice('warn', 'This account was made by hand or by another program: the sync leaves it alone.')
        : null
    }
    <div class="split">
      ${account === null ? null : accountCard(account, person)}
      ${username === null ? null : stateCard(person, username)}
    </div>
    ${personForms(view)} ${errorList(person.errors)} ${received === null ? null : receivedCard(received, explained)}
    ${account === null ? null : profileCard(account, person)} ${username === null ? null : timeline(person.changes)}`;
}

function badges({ account, sync }: Person): HtmlValue {
  if (account === null) return html`<span class="badge bad">no account</span>`;
  return html`<span class="badge ${account.is_active ? 'good' : 'bad'}"
      >${account.is_active ? 'active' : 'blocked'}</span
    >
    ${sync?.inError === true ? html`<span class="badge warn">in error</span>` : null}
    ${sync?.missing == null ? null : html`<span class="badge warn">leaving</span>`}`;
}

function accountCard(account: Account, { overrides }: Person): Html {
  const pinned = new Set(overrides.map(({ name }) => name));
  const pin = (name: string): HtmlValue => (pinned.has(name) ? html` <span class="badge">pinned</span>` : null);
  return html`<section class="card">
    <h2>Account</h2>
    <dl class="facts">
      <dt>Number</dt>
      <dd>${account.id}</dd>
      <dt>E-mail</dt>
      <dd>${printable(account.email)}${pin('email')}</dd>
      <dt>Title</dt>
      <dd>${printable(account.title ?? '–')}${pin('title')}</dd>
      <dt>First name</dt>
      <dd>${printable(account.name_first ?? '–')}${pin('nameFirst')}</dd>
      <dt>Last name</dt>
      <dd>${printable(account.name_last ?? '–')}${pin('nameLast')}</dd>
      <dt>Groups</dt>
      <dd>${printable(account.groups.join(', ') || 'none')}${pin('groups')}</dd>
      ${Object.entries(account.tags).map(
        ([tag, value]) =>
          html`<dt><code>${printable(tag)}</code></dt>
            <dd>${printable(String(value))}</dd>`,
      )}
      <dt>Made</dt>
      <dd>${time(account.created_at)}</dd>
      <dt>Last changed</dt>
      <dd>${time(account.updated_at)}</dd>
    </dl>
  </section>`;
}

function stateCard({ account, sync, overrides, received }: Person, username: string): Html {
  const inFeed =
    account === null ? 'never taken in' : account.in_feed ? html`yes${since(sync)}` : html`no${since(sync)}`;
  return html`<section class="card" id="state">
    <h2>In the feed</h2>
    <dl class="facts">
      <dt>Username</dt>
      <dd><code>${printable(username)}</code></dd>
      <dt>Feed</dt>
      <dd>${printable(account?.feed ?? '–')}</dd>
      <dt>In the feed</dt>
      <dd>${inFeed}</dd>
      <dt>In error</dt>
      <dd>${sync?.inError === true ? 'yes: the last record had errors, and is tried again in the next run' : 'no'}</dd>
      ${
        sync?.missing == null
          ? null
          : html`<dt>Leaving</dt>
              <dd>missing since ${time(sync.missing.since)}, in ${number(sync.missing.runs)} runs; not blocked yet</dd>`
      }
      ${
        sync?.lookAgain === true
          ? html`<dt>Next run</dt>
              <dd>looks at this user again, whatever the record</dd>`
          : null
      }
      <dt>Last changed by</dt>
      <dd>
        ${sync === null ? '–' : html`<a href="/runs/${sync.lastChange.run}">run ${sync.lastChange.run}</a>, ${time(sync.lastChange.at)}`}
      </dd>
      <dt>Last record</dt>
      <dd>${received === null ? '–' : html`run ${received.run}, ${received.accepted ? 'accepted' : 'rejected'}`}</dd>
      ${overrides.map(
        ({ kind, name, value, reason, by, since: from, until }) =>
          html`<dt>${kind === 'protect' ? 'Protected' : html`Pinned: ${printable(name ?? '')}`}</dt>
            <dd>
              ${kind === 'protect' ? 'is not blocked' : printable(valueText(value) || '(none)')}
              <br /><small
                >by ${printable(by)}, ${time(from)}${until === null ? null : html`, until ${time(until)}`}:
                ${printable(reason)}</small
              >
            </dd>`,
      )}
    </dl>
  </section>`;
}

function since(sync: Person['sync']): HtmlValue {
  if (sync === null) return null;
  return html`, since <a href="/runs/${sync.since.run}">run ${sync.since.run}</a> (${time(sync.since.at)})`;
}

function errorList(errors: readonly PersonError[]): HtmlValue {
  if (errors.length === 0) return null;
  const rows = errors.map(
    ({ run, at, code, message, source, value }) =>
      html`<tr>
        <td><span class="folded">Run</span> <a href="/runs/${run}">${run}</a></td>
        <td>${time(at)}</td>
        <td><code>${code ?? ''}</code></td>
        <td class="text">
          ${printable(message)}
          ${value === null ? null : html`<br /><small>${printable(source ?? 'received')}: <code>${printable(value)}</code></small>`}
        </td>
      </tr>`,
  );
  return html`<section class="card fold">
    <h2>Errors</h2>
    ${table(['Run', 'When', 'Code', 'What'], rows, 'Errors of this user, newest first')}
  </section>`;
}

function receivedCard({ run, file, line, record, accepted, raw }: Received, explained: Explained | undefined): Html {
  return html`<section class="card fold" id="received">
    <h2>Received</h2>
    <p>
      In <a href="/runs/${run}">run ${run}</a>: <code>${printable(file)}</code>, line ${number(line)}, record
      ${number(record)}${accepted ? '' : ', rejected'}.
    </p>
    <pre>${asReceived(raw)}</pre>
    <h3>What it was mapped to</h3>
    ${
      explained === undefined
        ? html`<p class="soft">
            The control file or the model of that run cannot be used any more, so this cannot be told.
          </p>`
        : mapping(explained)
    }
  </section>`;
}

/** What `mapping` shows of a record. */
export interface Mapping {
  readonly line: { readonly errors: Explained['line']['errors'] };
  readonly rows: readonly {
    readonly name: string;
    readonly value: string;
    readonly qualifier?: string | undefined;
    readonly isAbsent?: boolean;
    readonly event?: { readonly pointer: string; readonly source?: string | undefined } | undefined;
  }[];
}

/** Each value with the instruction that set it; also used for samples. */
export function mapping({ rows, line }: Mapping): Html {
  const problems = line.errors.map(
    ({ code, source, message }) =>
      html`<li>
        <code>${code}</code>
        ${source === undefined ? null : html`<code>${printable(source)}</code>: `}${printable(message)}
      </li>`,
  );
  const values = rows.map(
    ({ name, value, qualifier, isAbsent, event }) =>
      html`<tr>
        <td><code>${name}</code></td>
        <td class="text">
          ${isAbsent === true ? html`<span class="soft">${value}</span>` : value}
          ${qualifier === undefined ? null : html`<small>(${printable(qualifier)})</small>`}
        </td>
        <td>
          <span class="folded">from</span>
          ${event?.source === undefined ? '–' : html`<code>${printable(event.source)}</code>`}
        </td>
        <td>
          <span class="folded">by</span> ${event === undefined ? '–' : html`<code>${printable(event.pointer)}</code>`}
        </td>
      </tr>`,
  );
  return html`${
    problems.length === 0
      ? null
      : html`<ul class="problems">
          ${problems}
        </ul>`
  }
  ${
    values.length === 0
      ? html`<p class="soft">Nothing: the record was rejected.</p>`
      : table(['Name', 'Value', 'From field', 'By instruction'], values, 'What the record was mapped to')
  }`;
}

function profileCard(account: Account, { objects }: Person): Html {
  const rows = [
    ...attributeRows('', account.profile),
    ...Object.entries(account.dictionaries).flatMap(([name, values]) => attributeRows(`${name}/`, values)),
    ...objects.flatMap(({ ref, types, attributes }) => attributeRows(`${types.join(', ')} ${ref}/`, attributes)),
  ];
  return html`<section class="card fold">
    <h2>Profile</h2>
    <p class="soft">Types: ${printable(account.profile_types.join(', ') || 'none')}</p>
    ${rows.length === 0 ? html`<p>No profile.</p>` : table(['Name', 'Values'], rows, 'Profile')}
  </section>`;
}

function attributeRows(prefix: string, attributes: Readonly<Record<string, unknown>>): Html[] {
  return Object.entries(attributes).map(
    ([name, values]) =>
      html`<tr>
        <td><code>${printable(prefix + name)}</code></td>
        <td class="text">${printable(valueText(values))}</td>
      </tr>`,
  );
}

function timeline(changes: readonly UserChange[]): Html {
  if (changes.length === 0)
    return empty('No changes yet', html`<p>When a run changes something for this user, it is told here.</p>`);
  return html`<section class="card fold">
    <h2>What runs did</h2>
    <ol class="timeline">
      ${changes.map(
        (change) =>
          html`<li>
            <details>
              <summary>
                Run ${change.run}: ${change.kind}${change.applied ? '' : `, not applied (${change.status})`}
                <small>${time(change.at, '')}</small>
              </summary>
              <p><a href="/runs/${change.run}">To run ${change.run}</a></p>
              ${table(
                ['Name', 'Before', 'After'],
                fieldsOf(change).map(
                  ({ name, before, after }) =>
                    html`<tr>
                      <td><code>${printable(name)}</code></td>
                      <td class="text">
                        ${before === undefined ? '–' : html`<del>${printable(valueText(before))}</del>`}
                      </td>
                      <td class="text">
                        ${after === undefined ? '–' : html`<ins>${printable(valueText(after))}</ins>`}
                      </td>
                    </tr>`,
                ),
                `Changes of run ${change.run}`,
              )}
            </details>
          </li>`,
      )}
    </ol>
  </section>`;
}

/** As it came: laid out anew, long numbers would not stay what they were. */
function asReceived(raw: string): string {
  return raw.split(/\r?\n/).map(printable).join('\n');
}
