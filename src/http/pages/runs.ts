import type { FastifyInstance } from 'fastify';
import type { App } from '../../app.js';
import { feedNames } from '../../db/run-details.js';
import { listRuns, type RunRow } from '../../db/runs.js';
import { duration } from '../../domain/number-text.js';
import { RUN_STATUSES, type RunStatus } from '../../domain/run.js';
import { html, type Html, type HtmlValue } from '../../lib/html.js';
import { printable } from '../../lib/printable.js';
import type { HttpContext } from '../context.js';
import { sendPage } from './layout.js';
import { choice, empty, number, pager, plainChoices, statusBadge, table, time } from './parts.js';
import { isApproved, kindText } from './run-parts.js';
import { requireSession } from './session.js';
import { cursorOf, queryOf } from './request.js';

const PAGE_SIZE = 50;

/** All runs, newest first. */
export function registerRuns(pages: FastifyInstance, context: HttpContext): void {
  const { app } = context;

  pages.get('/runs', async (request, reply) => {
    const session = requireSession(request, 'view-runs');
    const feed = queryOf(request, 'feed');
    const status = RUN_STATUSES.find((known) => known === queryOf(request, 'status'));
    const before = cursorOf(queryOf(request, 'before'));
    const [found, feeds] = await Promise.all([
      listRuns(app.database, {
        ...(feed === undefined ? {} : { feed: feed.replaceAll('\0', '') }),
        ...(status === undefined ? {} : { statuses: [status] }),
        ...(before === undefined ? {} : { before }),
        limit: PAGE_SIZE + 1,
      }),
      knownFeeds(app),
    ]);
    const runs = found.slice(0, PAGE_SIZE);
    const next = found.length > PAGE_SIZE ? runs.at(-1)?.id : undefined;
    const filter = { feed, status };
    const list =
      runs.length === 0
        ? noRuns(filter, before !== undefined)
        : html`<section class="card runs">${runTable(runs)}</section>
            ${pager('/runs', { ...filter, before: before === undefined ? undefined : String(before) }, next)}`;
    const body = html`<h1>Runs</h1>
      ${filterForm(filter, feeds)} ${list}`;
    return sendPage(reply, { title: 'Runs', session, body, active: '/runs' });
  });
}

/** Those of the configuration first, then others that the database knows. */
async function knownFeeds(app: App): Promise<string[]> {
  return [...new Set([...Object.keys(app.config.feeds), ...(await feedNames(app.database))])];
}

interface RunsFilter {
  readonly feed: string | undefined;
  readonly status: RunStatus | undefined;
}

function filterForm({ feed, status }: RunsFilter, feeds: readonly string[]): Html {
  return html`<form class="bar" method="get" action="/runs">
    ${choice('feed', 'Feed', [['', 'All feeds'], ...plainChoices(feeds)], { chosen: feed ?? '' })}
    ${choice('status', 'Status', [['', 'Any status'], ...plainChoices(RUN_STATUSES)], { chosen: status ?? '' })}
    <button>Show</button>
  </form>`;
}

function noRuns({ feed, status }: RunsFilter, isLaterPage: boolean): Html {
  if (isLaterPage) return empty('No older runs', html`<p><a href="/runs">To the newest</a></p>`);
  if (feed === undefined && status === undefined)
    return empty(
      'No runs yet',
      html`<p>
        A run begins when a batch of files arrives. The <a href="/">overview</a> says where to put the first one.
      </p>`,
    );
  return empty(
    'No runs like that',
    html`<p>Choose another feed or status, or look at <a href="/runs">all runs</a>.</p>`,
  );
}

function runTable(runs: readonly RunRow[]): Html {
  const heads: readonly HtmlValue[] = [
    'Run',
    'Feed',
    'Status',
    ...['Records', 'Added', 'Updated', 'Blocked', 'Unblocked', 'Rejected'].map(
      (head) => html`<span class="right">${head}</span>`,
    ),
    'Created',
    html`<span class="right">Took</span>`,
    'Started by',
  ];
  return table(heads, runs.map(row), 'Runs, newest first');
}

function row(run: RunRow): Html {
  const { counts, timings } = run;
  const seconds = timings.stage + timings.plan + timings.apply;
  return html`<tr>
    <th scope="row">
      <a href="/runs/${run.id}">${run.id}</a
      >${run.kind === 'batch' && !run.dryRun ? null : html`<br /><small>${kindText(run)}</small>`}
    </th>
    <td>${run.feed}</td>
    <td>
      ${statusBadge(run.status)}
      ${run.outcome === null || run.outcome === 'applied' ? null : html`<br /><small>${run.outcome.replaceAll('-', ' ')}</small>`}
      ${isApproved(run) ? html`<br /><small>approved</small>` : null}
    </td>
    ${[counts.records, counts.added, counts.updated, counts.blocked, counts.unblocked, counts.rejected].map(
      (count) => html`<td class="number ${count === 0 ? 'zero' : ''}">${number(count)}</td>`,
    )}
    <td>${time(run.createdAt)}</td>
    <td class="number">${seconds === 0 ? '–' : duration(seconds)}</td>
    <td>${printable(run.source)}</td>
  </tr>`;
}
