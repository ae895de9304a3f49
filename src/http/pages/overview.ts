import type { FastifyInstance } from 'fastify';
import type { Session } from '../../access/sessions.js';
import { countUsers, type UserCount } from '../../db/feed-health.js';
import { listRuns, missingFiles, type RunRow } from '../../db/runs.js';
import { counted, percent } from '../../domain/number-text.js';
import type { FeedHealth } from '../../daemon/feed-health.js';
import type { QuarantineRecord } from '../../intake/quarantine-record.js';
import { html, type Html, type HtmlValue } from '../../lib/html.js';
import { printable } from '../../lib/printable.js';
import type { HttpContext } from '../context.js';
import { Remembered } from '../remembered.js';
import { firstBatch } from './first-batch.js';
import { sendPage } from './layout.js';
import { number, statusBadge, table, time } from './parts.js';
import { decisionButtons } from './run-decisions.js';
import { kindText, livePart, needsDecision, outcomeSentence, reasonsToHold } from './run-parts.js';
import { userChart } from './user-chart.js';
import { requireSession } from './session.js';

const CHART_RUNS = 20;
/** Counting all users reads a whole table. */
const KEEP_USERS_MS = 60_000;
/** A browser opens only a few connections to one server. */
const LIVE_FEEDS = 3;

/** What somebody wants to know in the morning: is there something to decide, and does everything run as it should? */
export function registerOverview(pages: FastifyInstance, context: HttpContext): void {
  const { app, daemon } = context;
  const users = new Remembered(() => countUsers(app.database), KEEP_USERS_MS);

  pages.get('/', async (request, reply) => {
    const session = requireSession(request, 'view-runs');
    const [feeds, quarantined, counts, ended] = await Promise.all([
      daemon.health(),
      daemon.quarantine.list(),
      users.get(),
      listRuns(app.database, { statuses: ['complete'], limit: CHART_RUNS * 2 }),
    ]);
    const first = feeds.filter(({ last }) => last === null);
    const lessons = await Promise.all(first.map(({ feed }) => firstBatch(context, feed, feeds.length > 1)));
    const cards = await Promise.all(
      feeds
        .filter(({ last }) => last !== null)
        .map(async (feed, index) => feedCard(feed, quarantined, await now(feed, index < LIVE_FEEDS))),
    );
    const charted = ended.filter((run) => !run.dryRun).slice(0, CHART_RUNS);
    const body = html`<h1>Overview</h1>
      ${feeds.flatMap(({ held }) => held.filter(needsDecision)).map((run) => decisionCard(session, run))}
      ${
        cards.length === 0
          ? null
          : html`<h2 class="unseen">Feeds</h2>
              <div class="grid">${cards}</div>`
      }
      ${lessons.length === 0 ? null : html`<div class="split">${lessons}</div>`}
      <div class="beside">${charted.length === 0 ? null : userChart(charted.reverse())} ${userTotals(counts)}</div>`;
    return sendPage(reply, { title: 'Overview', session, body, active: '/' });
  });

  /** The run under way, or that is being put together. */
  async function now({ active, last }: FeedHealth, isLive: boolean): Promise<HtmlValue> {
    const run = active ?? (last?.status === 'uploading' || last?.status === 'ready' ? last : null);
    if (run === null) return null;
    const missing = await missingFiles(context.app.database, run);
    const title = html`<p><a href="/runs/${run.id}">Run ${run.id}</a> ${statusBadge(run.status)}</p>`;
    return html`${title} ${isLive ? livePart(run, missing) : null}`;
  }
}

function decisionCard(session: Session, run: RunRow): Html {
  const { counts } = run;
  return html`<section class="card urgent">
    <h2><a href="/runs/${run.id}">Run ${run.id}</a> of feed ${run.feed} waits for a decision</h2>
    ${reasonsToHold(run)}
    <p class="soft">
      It would add ${number(counts.added)}, update ${number(counts.updated)}, block ${number(counts.blocked)} and
      unblock ${counted(counts.unblocked, 'user')}. Created ${time(run.createdAt)}, ${kindText(run)}.
    </p>
    ${session.may('decide') ? decisionButtons(session, run) : html`<p><a href="/runs/${run.id}">See the run</a>; an operator or an admin can decide.</p>`}
  </section>`;
}

function feedCard(health: FeedHealth, quarantined: readonly QuarantineRecord[], now: HtmlValue): Html {
  const { feed, last, lastSuccessAt, held, pendingFiles, nextExpectedAt, isOverdue } = health;
  const setAside = quarantined.filter((record) => record.feed === feed).length;
  return html`<section class="card">
    <h3 class="feed-name">${printable(feed)} ${stateOfFeed(health, setAside)}</h3>
    <dl class="facts">
      <dt>Last success</dt>
      <dd>${time(lastSuccessAt, 'none yet')}</dd>
      ${
        nextExpectedAt === null
          ? null
          : html`<dt>Next batch</dt>
              <dd>${isOverdue ? 'overdue; the next one is expected by ' : 'expected by '}${time(nextExpectedAt)}</dd>`
      }
      <dt>Last run</dt>
      <dd>${lastRun(last)}</dd>
      ${
        held.length === 0
          ? null
          : html`<dt>Held</dt>
              <dd>
                ${held.map(({ id }, index) => html`${index === 0 ? '' : ', '}<a href="/runs/${id}">run ${id}</a>`)}
              </dd>`
      }
      <dt>Files</dt>
      <dd>
        ${pendingFiles === 0 ? 'none waiting' : `${number(pendingFiles)} waiting`}${
          setAside === 0 ? null : html`, <a href="/feeds">${number(setAside)} set aside</a>`
        }
      </dd>
    </dl>
    ${now}
    <p class="more"><a href="/runs?${new URLSearchParams({ feed }).toString()}">Its runs</a></p>
  </section>`;
}

/** The worst first. */
function stateOfFeed({ last, held, active, isOverdue }: FeedHealth, setAside: number): Html {
  if (last?.status === 'failed') return html`<span class="badge bad">failed</span>`;
  if (isOverdue) return html`<span class="badge bad">overdue</span>`;
  if (held.some(needsDecision)) return html`<span class="badge warn">needs a decision</span>`;
  if (setAside > 0) return html`<span class="badge warn">files set aside</span>`;
  if (active !== null) return html`<span class="badge busy">under way</span>`;
  return html`<span class="badge good">fine</span>`;
}

function lastRun(run: RunRow | null): HtmlValue {
  if (run === null) return 'none yet';
  const outcome = run.status === 'held' ? undefined : outcomeSentence(run);
  return html`<a href="/runs/${run.id}">Run ${run.id}</a> ${statusBadge(run.status)}
    ${outcome === undefined ? null : html`<br /><small>${outcome}</small>`}`;
}

function userTotals(counts: readonly UserCount[]): HtmlValue {
  if (counts.length === 0) return null;
  const rows = counts.map(({ feed, inFeed, blocked }) => {
    const all = inFeed + blocked;
    return html`<tr>
      <th scope="row">${printable(feed)}</th>
      <td class="number">${number(inFeed)}</td>
      <td class="number">${number(blocked)}</td>
      <td class="number">${all === 0 ? '–' : percent(blocked / all)}</td>
    </tr>`;
  });
  const heads = [
    'Feed',
    ...['In the feed', 'Blocked', 'Share'].map((text) => html`<span class="right">${text}</span>`),
  ];
  return html`<section class="card totals">
    <h2>Users</h2>
    ${table(heads, rows, 'Users of each feed')}
  </section>`;
}
