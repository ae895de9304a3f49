import type { Session } from '../../access/sessions.js';
import type { RunCounts, RunStatus } from '../../domain/run.js';
import { html, type Html, type HtmlValue } from '../../lib/html.js';

/** Small pieces that many pages are made of. */

export function hiddenCsrf(session: Session): Html {
  return html`<input type="hidden" name="_csrf" value="${session.csrf}" />`;
}

/** A form with the session's token. */
export function form(session: Session, action: string, body: HtmlValue, kind = ''): Html {
  return html`<form method="post" action="${action}" class="${kind}">${hiddenCsrf(session)} ${body}</form>`;
}

const UTC = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });

/** A moment: in UTC, and with JavaScript in the reader's zone. */
export function time(at: Date | string | null, otherwise = '–'): HtmlValue {
  if (at === null) return otherwise;
  const date = typeof at === 'string' ? new Date(at) : at;
  return html`<time datetime="${date.toISOString()}">${UTC.format(date)} UTC</time>`;
}

const NUMBER = new Intl.NumberFormat('en-GB');

export function number(value: number): string {
  return NUMBER.format(value);
}

export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let rest = value;
  let unit = 0;
  for (; rest >= 1024 && unit < units.length - 1; unit += 1) rest /= 1024;
  return `${unit === 0 ? rest : rest.toFixed(1)} ${units[unit] ?? ''}`;
}

const STATUS_TEXT: Readonly<Record<RunStatus, string>> = {
  uploading: 'waits for files',
  ready: 'ready',
  planning: 'planning',
  held: 'held',
  applying: 'applying',
  complete: 'complete',
  failed: 'failed',
  cancelled: 'cancelled',
};

/** Told by its text; the colour only helps. */
export function statusBadge(status: RunStatus): Html {
  return html`<span class="badge ${status}">${STATUS_TEXT[status]}</span>`;
}

export function countsList(counts: RunCounts): Html {
  const entries = ['records', 'added', 'updated', 'blocked', 'unblocked', 'unchanged', 'rejected'] as const;
  return html`<dl class="counts">
    ${entries.map(
      (name) =>
        html`<div class="${counts[name] === 0 ? 'zero' : name}">
          <dt>${name}</dt>
          <dd>${number(counts[name])}</dd>
        </div>`,
    )}
  </dl>`;
}

/** A table that scrolls by itself where it is too wide. */
export function table(heads: readonly HtmlValue[], rows: readonly HtmlValue[], caption: string): Html {
  return html`<div class="wide" role="region" aria-label="${caption}" tabindex="0">
    <table>
      <caption class="unseen">
        ${caption}
      </caption>
      <thead>
        <tr>
          ${heads.map((head) => html`<th scope="col">${head}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

/** What is shown where there is nothing yet: what would be here, and how it gets there. */
export function empty(title: string, body: HtmlValue): Html {
  return html`<section class="empty">
    <h2>${title}</h2>
    <div>${body}</div>
  </section>`;
}

export type NoticeKind = 'good' | 'bad' | 'warn';

export function notice(kind: NoticeKind, body: HtmlValue): Html {
  return html`<p class="notice ${kind}" role="${kind === 'bad' ? 'alert' : 'status'}">${body}</p>`;
}

export interface FieldOptions {
  /** Where a page has several forms with a field of this name. */
  readonly id?: string;
  readonly type?: string;
  readonly value?: string;
  readonly hint?: string;
  readonly autocomplete?: string;
  readonly isRequired?: boolean;
  /** Further attributes of the input. */
  readonly more?: Html;
}

/** A field of a form with its label; `hint` is read out with it. */
export function field(name: string, label: string, options: FieldOptions = {}): Html {
  const { id = name, type = 'text', value = '', hint, autocomplete = 'off', isRequired = true, more } = options;
  return html`<div class="field">
    <label for="${id}">${label}</label>
    <input
      id="${id}"
      name="${name}"
      type="${type}"
      value="${value}"
      autocomplete="${autocomplete}"
      ${isRequired ? REQUIRED : null}
      ${more}
      ${hint === undefined ? null : html`aria-describedby="${id}-hint"`}
    />
    ${hint === undefined ? null : html`<p class="hint" id="${id}-hint">${hint}</p>`}
  </div>`;
}

const REQUIRED = html`required`;

/** A list to choose from, with its label. @param choices values with their texts */
export function choice(
  name: string,
  label: string,
  choices: readonly (readonly [value: string, text: string])[],
  { id = name, chosen }: { readonly id?: string; readonly chosen?: string | undefined } = {},
): Html {
  return html`<div class="field">
    <label for="${id}">${label}</label>
    <select id="${id}" name="${name}">
      ${choices.map(([value, text]) => html`<option value="${value}" ${value === chosen ? SELECTED : null}>${text}</option>`)}
    </select>
  </div>`;
}

const SELECTED = html`selected`;

/** Choices whose texts are what they mean. */
export function plainChoices(values: readonly string[]): (readonly [string, string])[] {
  return values.map((value) => [value, value] as const);
}

/** `?before=ID` pages of a list, newest first. */
export function pager(
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  next: number | undefined,
): Html {
  const link = (more: Readonly<Record<string, string>>): string => {
    const given = Object.entries({ ...query, ...more }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    return `${path}?${new URLSearchParams(given).toString()}`;
  };
  return html`<nav class="pager" aria-label="Pages">
    ${query['before'] === undefined ? null : html`<a href="${link({ before: '' }).replace(/before=&?/, '')}">Newest</a>`}
    ${next === undefined ? null : html`<a rel="next" href="${link({ before: String(next) })}">Older</a>`}
  </nav>`;
}
