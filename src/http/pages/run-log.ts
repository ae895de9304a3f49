import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Session } from '../../access/sessions.js';
import { countLog, logPage, type RunLogEntry } from '../../db/run-log.js';
import { findRun } from '../../db/runs.js';
import { counted } from '../../domain/number-text.js';
import { html, type Html, type HtmlValue } from '../../lib/html.js';
import { printable } from '../../lib/printable.js';
import { accountsOf } from '../../sync/person.js';
import type { HttpContext } from '../context.js';
import { sendPage, type PageContent } from './layout.js';
import { choice, empty, field, form, number, table, time } from './parts.js';
import { personLink } from './person-parts.js';
import { mustBeRun, runIdOf, runTabs } from './run-parts.js';
import { heading } from './run.js';
import { requireSession } from './session.js';
import { cursorOf, queryOf, searchText, fieldOf } from './request.js';

const PAGE_SIZE = 100;

/** What may be shown of a log, by how bad it is. */
const LEVELS = {
  error: { text: 'Errors', levels: ['error'] },
  warn: { text: 'Errors and warnings', levels: ['error', 'warn'] },
  all: { text: 'Everything', levels: ['error', 'warn', 'info'] },
} as const satisfies Readonly<Record<string, { text: string; levels: readonly RunLogEntry['level'][] }>>;

type LevelChoice = keyof typeof LEVELS;

interface LogView {
  readonly level: LevelChoice;
  readonly text: string | undefined;
  readonly after: number;
}

/**
 * A run's log. What somebody searches for is sent as a form: a username in an address would be in histories and in the
 * logs of proxies.
 */
export function registerRunLog(pages: FastifyInstance, context: HttpContext): void {
  const { database } = context.app;

  pages.get('/runs/:id/log', async (request, reply) => {
    const session = requireSession(request, 'view-runs');
    const view = viewOf((name) => queryOf(request, name), undefined);
    return sendPage(reply, await pageOf(session, request, view));
  });

  pages.post('/runs/:id/log', async (request, reply) => {
    const session = requireSession(request, 'view-runs');
    const view = viewOf((name) => fieldOf(request, name), searchText(fieldOf(request, 'q')));
    return sendPage(reply, await pageOf(session, request, view));
  });

  async function pageOf(session: Session, request: FastifyRequest, view: LogView): Promise<PageContent> {
    const id = runIdOf(request);
    const run = mustBeRun(await findRun(database, id), id);
    const { level, text, after } = view;
    const [found, counts] = await Promise.all([
      logPage(database, id, {
        levels: LEVELS[level].levels,
        ...(text === undefined ? {} : { text }),
        after,
        limit: PAGE_SIZE + 1,
      }),
      countLog(database, id),
    ]);
    const entries = found.slice(0, PAGE_SIZE);
    const next = found.length > PAGE_SIZE ? entries.at(-1)?.id : undefined;
    const seesPeople = session.may('see-people');
    const accounts = await accountsOf(database, seesPeople ? usernamesIn(entries) : []);
    const list =
      entries.length === 0
        ? nothing(view, run.id)
        : html`<section class="card fold">${logTable(entries, seesPeople, accounts)}</section>
            ${paging(session, run.id, view, next)}`;
    const body = html`${heading(run, 'Log')} ${runTabs(session, run, 'log')}
      <p class="soft">
        ${counted(counts.error, 'error')}, ${counted(counts.warn, 'warning')}, ${counted(counts.info, 'note')}.
        ${seesPeople ? null : 'What the records held is shown to operators and admins.'}
      </p>
      ${filterForm(session, run.id, view)} ${list}`;
    return { title: `Log of run ${id}`, session, body, active: '/runs' };
  }
}

function viewOf(given: (name: string) => string | undefined, text: string | undefined): LogView {
  const level = given('level');
  return {
    level: level !== undefined && Object.hasOwn(LEVELS, level) ? (level as LevelChoice) : 'all',
    text,
    after: cursorOf(given('after')) ?? 0,
  };
}

function filterForm(session: Session, id: number, { level, text }: LogView): Html {
  return form(
    session,
    `/runs/${id}/log`,
    html`${choice(
        'level',
        'Show',
        Object.entries(LEVELS).map(([name, { text: shown }]) => [name, shown] as const),
        { chosen: level },
      )}
      ${field('q', 'With the text, username or code', { type: 'search', value: text ?? '', isRequired: false })}
      <button>Show</button>`,
    'bar',
  );
}

function nothing({ level, text, after }: LogView, id: number): Html {
  const all = html`<p><a href="/runs/${id}/log">The whole log</a></p>`;
  if (after > 0) return empty('That was all', all);
  if (text !== undefined) return empty(`Nothing with “${printable(text)}”`, all);
  if (level === 'error')
    return empty(
      'No errors',
      html`<p>Every record could be used.</p>
        ${all}`,
    );
  return empty('Nothing here', level === 'all' ? html`<p>The run has not begun.</p>` : all);
}

function usernamesIn(entries: readonly RunLogEntry[]): string[] {
  return entries.flatMap(({ username }) => (username === null ? [] : [username]));
}

function logTable(entries: readonly RunLogEntry[], withValues: boolean, accounts: ReadonlyMap<string, number>): Html {
  const rows = entries.map(
    (entry) =>
      html`<tr>
        <td>${time(entry.at)}</td>
        <td>${levelBadge(entry.level)}</td>
        <td class="text">
          ${printable(entry.message)} ${entry.code === null ? null : html`<code>${printable(entry.code)}</code>`}
          ${withValues ? value(entry) : source(entry)}
        </td>
        <td class="name">
          ${entry.username === null ? null : personLink(entry.username, accounts.get(entry.username))}
        </td>
        <td class="place">${place(entry)}</td>
      </tr>`,
  );
  return table(['When', 'Level', 'What', 'User', 'Where'], rows, 'Log, in order');
}

function levelBadge(level: RunLogEntry['level']): Html {
  const text = { info: 'note', warn: 'warning', error: 'error' }[level];
  return html`<span class="badge ${level === 'info' ? '' : level}">${text}</span>`;
}

/** Which field a problem is about. */
function source(entry: RunLogEntry): HtmlValue {
  return entry.source === null ? null : html`<br /><small>Field <code>${printable(entry.source)}</code></small>`;
}

function value(entry: RunLogEntry): HtmlValue {
  if (entry.value === null) return source(entry);
  const name = entry.source === null ? 'Received' : html`Field <code>${printable(entry.source)}</code>`;
  return html`<br /><small>${name}: <code>${printable(entry.value)}</code></small>`;
}

function place({ file, record, line }: RunLogEntry): HtmlValue {
  if (file === null) return null;
  const where = [record === null ? '' : `record ${number(record)}`, line === null ? '' : `line ${number(line)}`];
  return html`${printable(file)} <br /><small>${where.filter((text) => text !== '').join(', ')}</small>`;
}

function paging(session: Session, id: number, { level, text, after }: LogView, next: number | undefined): HtmlValue {
  if (next === undefined && after === 0) return null;
  if (text !== undefined) {
    const step = (label: string, cursor: number): Html =>
      form(
        session,
        `/runs/${id}/log`,
        html`<input type="hidden" name="level" value="${level}" /><input type="hidden" name="q" value="${text}" />
          <input type="hidden" name="after" value="${cursor}" /><button class="quiet">${label}</button>`,
      );
    return html`<nav class="pager" aria-label="Pages">
      ${after === 0 ? null : step('First', 0)} ${next === undefined ? null : step('Next', next)}
    </nav>`;
  }
  return html`<nav class="pager" aria-label="Pages">
    ${after === 0 ? null : html`<a href="/runs/${id}/log?level=${level}">First</a>`}
    ${next === undefined ? null : html`<a rel="next" href="/runs/${id}/log?level=${level}&amp;after=${next}">Next</a>`}
  </nav>`;
}
