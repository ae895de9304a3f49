import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Session } from '../../access/sessions.js';
import { BEFORE_FIRST, countPlanned, planPage } from '../../db/changes.js';
import { findRun, type RunRow } from '../../db/runs.js';
import { fieldsOf, type ChangedField } from '../../domain/change-fields.js';
import { counted } from '../../domain/number-text.js';
import { CHANGE_KINDS, isEnd, type ChangeKind, type PlannedChange } from '../../domain/run.js';
import { valueText } from '../../domain/value-text.js';
import { html, type Html, type HtmlValue } from '../../lib/html.js';
import { printable } from '../../lib/printable.js';
import { accountsOf } from '../../sync/person.js';
import type { HttpContext } from '../context.js';
import { sendPage, type PageContent } from './layout.js';
import { choice, empty, field, form, number } from './parts.js';
import { personLink } from './person-parts.js';
import { mustBeRun, runIdOf, runTabs } from './run-parts.js';
import { heading } from './run.js';
import { requireSession } from './session.js';
import { cursorOf, queryOf, searchText, fieldOf } from './request.js';

const PAGE_SIZE = 50;
/** Longer values are cut short here; the CSV has them whole. */
const VALUE_CHARACTERS = 600;

interface PlanView {
  readonly kind: ChangeKind | undefined;
  readonly text: string | undefined;
  readonly after: number;
}

/** What a run changes, or would change, user by user. A username to look for is sent as a form and is in no address. */
export function registerRunPlan(pages: FastifyInstance, context: HttpContext): void {
  const { database } = context.app;

  pages.get('/runs/:id/plan', async (request, reply) => {
    const session = requireSession(request, 'see-people');
    const view = viewOf((name) => queryOf(request, name), undefined);
    return sendPage(reply, await pageOf(session, request, view));
  });

  pages.post('/runs/:id/plan', async (request, reply) => {
    const session = requireSession(request, 'see-people');
    const view = viewOf((name) => fieldOf(request, name), searchText(fieldOf(request, 'q')));
    return sendPage(reply, await pageOf(session, request, view));
  });

  async function pageOf(session: Session, request: FastifyRequest, view: PlanView): Promise<PageContent> {
    const id = runIdOf(request);
    const run = mustBeRun(await findRun(database, id), id);
    const { kind, text, after } = view;
    const [counts, found] = await Promise.all([
      countPlanned(database, id, text),
      planPage(database, id, {
        ...(kind === undefined ? {} : { kind }),
        ...(text === undefined ? {} : { text }),
        after,
        limit: PAGE_SIZE + 1,
      }),
    ]);
    const changes = found.slice(0, PAGE_SIZE);
    const next = found.length > PAGE_SIZE ? changes.at(-1)?.ordinal : undefined;
    const accounts = await accountsOf(
      database,
      changes.map(({ username }) => username),
    );
    const total = kind === undefined ? sumOf(counts) : counts[kind];
    const body = html`${heading(run, 'Plan')} ${runTabs(session, run, 'plan')}
    ${text === undefined ? kinds(id, counts, kind) : matches(id, text, total)} ${searchForm(session, id, view)}
    ${changes.length === 0 ? nothing(run, view, sumOf(counts)) : html`<section class="card">${changeTable(run, changes, accounts)}</section>`}
    ${paging(session, id, view, next)} ${download(id, view, total)}`;
    return { title: `Plan of run ${id}`, session, body, active: '/runs' };
  }
}

function viewOf(given: (name: string) => string | undefined, text: string | undefined): PlanView {
  const kind = given('kind');
  return {
    kind: CHANGE_KINDS.find((known) => known === kind),
    text,
    after: cursorOf(given('after')) ?? BEFORE_FIRST,
  };
}

const KIND_TEXT: Readonly<Record<ChangeKind, string>> = {
  add: 'Add',
  update: 'Update',
  block: 'Block',
  unblock: 'Unblock',
};

const KIND_BADGE: Readonly<Record<ChangeKind, string>> = { add: 'good', update: 'busy', block: 'bad', unblock: 'good' };

function kinds(id: number, counts: Readonly<Record<ChangeKind, number>>, chosen: ChangeKind | undefined): Html {
  const link = (kind: ChangeKind | undefined, text: string, count: number): Html =>
    html`<a href="/runs/${id}/plan${kind === undefined ? '' : `?kind=${kind}`}" ${kind === chosen ? CURRENT : null}
      >${text} <small>${number(count)}</small></a
    >`;
  return html`<nav class="kinds" aria-label="Kinds of changes">
    ${link(undefined, 'All', sumOf(counts))} ${CHANGE_KINDS.map((kind) => link(kind, KIND_TEXT[kind], counts[kind]))}
  </nav>`;
}

const CURRENT = html`aria-current="true"`;

function matches(id: number, text: string, total: number): Html {
  return html`<p role="status">
    ${counted(total, 'user')} with “${printable(text)}” in the username. <a href="/runs/${id}/plan">Show all</a>
  </p>`;
}

function searchForm(session: Session, id: number, { kind, text }: PlanView): Html {
  return form(
    session,
    `/runs/${id}/plan`,
    html`${field('q', 'Username, or a part of it', { type: 'search', value: text ?? '', isRequired: false })}
      ${choice('kind', 'Kind', [['', 'Any'], ...CHANGE_KINDS.map((name) => [name, KIND_TEXT[name]] as const)], { chosen: kind ?? '' })}
      <button>Search</button>`,
    'bar',
  );
}

function nothing(run: RunRow, { text, kind, after }: PlanView, total: number): Html {
  if (text !== undefined) return empty('Nobody found', html`<p>No user like that is changed by this run.</p>`);
  if (after !== BEFORE_FIRST)
    return empty('That was all', html`<p><a href="/runs/${run.id}/plan">To the first</a></p>`);
  if (kind !== undefined && total > 0) return empty('Nobody', html`<p>This run has no changes of this kind.</p>`);
  // Planning notes the version of the directory that it saw.
  if (run.plannedVersion !== null || run.outcome === 'nothing-new')
    return empty('Nothing to change', html`<p>The directory agrees with the batch.</p>`);
  const why = isEnd(run.status)
    ? html`It ended before. The <a href="/runs/${run.id}/log">log</a> says why.`
    : 'It is made when all files are there and read.';
  return empty('There is no plan', html`<p>${why}</p>`);
}

function changeTable(run: RunRow, changes: readonly PlannedChange[], accounts: ReadonlyMap<string, number>): Html {
  return html`<div class="wide" role="region" aria-label="Changes" tabindex="0">
    <table class="plan">
      <caption class="unseen">
        Changes, user by user
      </caption>
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      ${changes.map(
        (change) =>
          html`<tbody>
            <tr class="user">
              <th scope="rowgroup" colspan="3">
                <span class="badge ${KIND_BADGE[change.kind]}">${KIND_TEXT[change.kind]}</span>
                <span class="name">${personLink(change.username, accounts.get(change.username))}</span>
                ${isEnd(run.status) ? applied(change) : null}
              </th>
            </tr>
            ${fieldsOf(change).map(fieldRow)}
          </tbody>`,
      )}
    </table>
  </div>`;
}

function applied(change: PlannedChange): HtmlValue {
  return change.applied ? null : html`<small>not applied</small>`;
}

function fieldRow({ name, before, after }: ChangedField): Html {
  return html`<tr>
    <td class="field-name"><code>${printable(name)}</code></td>
    <td class="text">${before === undefined ? NONE : html`<del>${shown(before)}</del>`}</td>
    <td class="text">${after === undefined ? NONE : html`<ins>${shown(after)}</ins>`}</td>
  </tr>`;
}

const NONE = html`<span class="soft">–</span>`;

function shown(value: unknown): HtmlValue {
  const text = printable(valueText(value));
  if (text === '') return html`<span class="soft">(empty)</span>`;
  return text.length > VALUE_CHARACTERS ? `${text.slice(0, VALUE_CHARACTERS)}…` : text;
}

function paging(session: Session, id: number, { kind, text, after }: PlanView, next: number | undefined): HtmlValue {
  const isFirst = after === BEFORE_FIRST;
  if (next === undefined && isFirst) return null;
  if (text !== undefined) {
    const step = (label: string, cursor: string): Html =>
      form(
        session,
        `/runs/${id}/plan`,
        html`<input type="hidden" name="kind" value="${kind ?? ''}" /><input type="hidden" name="q" value="${text}" />
          <input type="hidden" name="after" value="${cursor}" /><button class="quiet">${label}</button>`,
      );
    return html`<nav class="pager" aria-label="Pages">
      ${isFirst ? null : step('First', '')} ${next === undefined ? null : step('Next', String(next))}
    </nav>`;
  }
  const link = (more: Readonly<Record<string, string>>): string =>
    `/runs/${id}/plan?${new URLSearchParams({ ...(kind === undefined ? {} : { kind }), ...more }).toString()}`;
  return html`<nav class="pager" aria-label="Pages">
    ${isFirst ? null : html`<a href="${link({})}">First</a>`}
    ${next === undefined ? null : html`<a rel="next" href="${link({ after: String(next) })}">Next</a>`}
  </nav>`;
}

function download(id: number, { kind, text }: PlanView, total: number): HtmlValue {
  if (total === 0 || text !== undefined) return null;
  const query = kind === undefined ? '' : `?kind=${kind}`;
  return html`<p>
    <a href="/runs/${id}/plan.csv${query}" download>Download as CSV</a>
    <small>(a line a field; noted in the audit log)</small>
  </p>`;
}

function sumOf(counts: Readonly<Record<ChangeKind, number>>): number {
  return CHANGE_KINDS.reduce((sum, kind) => sum + counts[kind], 0);
}
