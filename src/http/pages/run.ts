import type { FastifyInstance } from 'fastify';
import type { Session } from '../../access/sessions.js';
import { runTransitions, type RunTransition } from '../../db/run-details.js';
import { errorsByCode } from '../../db/run-log.js';
import { findRun, missingFiles, runFiles, type RunRow } from '../../db/runs.js';
import { breachName, describeGuard } from '../../domain/guard-text.js';
import { duration } from '../../domain/number-text.js';
import { isEnd } from '../../domain/run.js';
import { html, type Html, type HtmlValue } from '../../lib/html.js';
import { printable } from '../../lib/printable.js';
import type { HttpContext } from '../context.js';
import { sendPage } from './layout.js';
import { bytes, countsList, notice, number, statusBadge, table, time } from './parts.js';
import { decisionButtons } from './run-decisions.js';
import {
  isApproved,
  kindText,
  livePart,
  mustBeRun,
  needsDecision,
  outcomeSentence,
  reasonsToHold,
  runIdOf,
  runTabs,
  sentence,
} from './run-parts.js';
import { requireSession } from './session.js';

/** Everything known of one run but its plan and its log, which have pages of their own. */
export function registerRun(pages: FastifyInstance, context: HttpContext): void {
  const { database } = context.app;

  pages.get('/runs/:id', async (request, reply) => {
    const session = requireSession(request, 'view-runs');
    const id = runIdOf(request);
    const run = mustBeRun(await findRun(database, id), id);
    const [files, transitions, problems, missing] = await Promise.all([
      runFiles(database, id),
      runTransitions(database, id),
      errorsByCode(database, id),
      missingFiles(database, run),
    ]);
    const body = html`${heading(run)} ${runTabs(session, run, 'run')} ${failure(run)} ${decision(session, run)}
      ${current(run, missing)} ${numbers(run, problems)} ${guards(run)}
      <div class="split">${facts(run)} ${history(transitions)}</div>
      ${fileList(session, run, files)} ${further(session, run)}`;
    return sendPage(reply, { title: `Run ${id}`, session, body, active: '/runs' });
  });
}

/** The top of each page about a run. */
export function heading(run: RunRow, what?: string): Html {
  return html`<h1>${what === undefined ? 'Run' : `${what} of run`} ${run.id} ${statusBadge(run.status)}</h1>
    <p class="soft under">
      Feed ${run.feed} · ${kindText(run)} · by ${printable(run.source)} · ${time(run.createdAt)}
    </p>`;
}

function failure(run: RunRow): HtmlValue {
  if (run.status !== 'failed') return null;
  const remains = outcomeSentence(run) ?? '';
  return html`${notice('bad', `${sentence(run.failureMessage ?? 'It is not known why')}\n${remains}`)}
    <p class="hint">
      Code <code>${run.failureCode ?? 'unknown'}</code>; the <a href="/runs/${run.id}/log">log</a> says more. When the
      cause is mended, apply the batch again (below) or send it again: what is done already is not done twice.
    </p>`;
}

function decision(session: Session, run: RunRow): HtmlValue {
  if (!needsDecision(run)) return null;
  return html`<section class="card urgent">
    <h2>It waits for a decision</h2>
    ${reasonsToHold(run)}
    <p class="soft">
      Nothing has been written yet.
      ${session.may('decide') ? 'Look at the plan, then decide.' : 'An operator or an admin can decide.'}
    </p>
    ${decisionButtons(session, run)}
  </section>`;
}

function current(run: RunRow, missing: readonly string[]): HtmlValue {
  if (isEnd(run.status) || needsDecision(run)) return null;
  return html`<section class="card">
    <h2>Now</h2>
    ${livePart(run, missing)}
  </section>`;
}

/** Nothing is counted before the run is planned. */
function numbers(run: RunRow, problems: Readonly<Record<string, number>>): HtmlValue {
  const { status, counts, outcome } = run;
  if (!isEnd(status) && counts.records === 0 && run.plannedVersion === null) return null;
  const isReal = status === 'applying' || (isEnd(status) && outcome !== 'dry-run');
  const title = !isReal ? 'What it would do' : isEnd(status) ? 'What it did' : 'What it does';
  return html`<section class="card">
    <h2>${title}</h2>
    ${countsList(counts)} ${outcomeText(run)} ${problemList(run, problems)}
  </section>`;
}

/** What is said at the top of a run that failed or is held is not said again. */
function outcomeText(run: RunRow): HtmlValue {
  const text = run.status === 'failed' || run.status === 'held' ? undefined : outcomeSentence(run);
  return text === undefined ? null : html`<p>${text}</p>`;
}

function problemList(run: RunRow, problems: Readonly<Record<string, number>>): HtmlValue {
  const codes = Object.entries(problems);
  if (codes.length === 0) return null;
  return html`<p>
    Problems, by their code:
    ${codes.map(([code, count], index) => html`${index === 0 ? '' : ', '}<code>${code}</code> ${number(count)}`)}.
    <a href="/runs/${run.id}/log?level=error">See them all</a>
  </p>`;
}

function guards({ guards: results }: RunRow): HtmlValue {
  if (results.length === 0) return null;
  const rows = results
    .toSorted((a, b) => Number(b.breached) - Number(a.breached))
    .map(
      (result) =>
        html`<tr class="${result.breached ? 'marked' : ''}">
          <th scope="row">${printable(breachName(result))}</th>
          <td>
            ${result.breached ? html`<span class="badge warn">breached</span>` : html`<span class="badge good">passed</span>`}
          </td>
          <td class="text">${sentence(describeGuard(result))}</td>
        </tr>`,
    );
  const breached = results.filter((result) => result.breached).length;
  return html`<details class="card fold" ${breached > 0 ? OPEN : null}>
    <summary>
      Guards: ${breached === 0 ? 'all within their limits' : `${breached} of ${results.length} breached`}
    </summary>
    ${table(['Guard', 'Result', 'What was found'], rows, 'Guards')}
  </details>`;
}

const OPEN = html`open`;

function facts(run: RunRow): Html {
  const { timings } = run;
  const total = timings.stage + timings.plan + timings.apply;
  return html`<section class="card">
    <h2>Facts</h2>
    <dl class="facts">
      ${fact('Kind', kindText(run))} ${fact('Started by', printable(run.source))}
      ${fact('Created', time(run.createdAt))} ${fact('Started', time(run.startedAt, 'not yet'))}
      ${fact('Finished', time(run.finishedAt, 'not yet'))}
      ${fact('Took', total === 0 ? '–' : `${duration(total)}: read ${duration(timings.stage)}, compared ${duration(timings.plan)}, wrote ${duration(timings.apply)}`)}
      ${approval(run)} ${run.force ? fact('Forced', 'every user was looked at, also those unchanged') : null}
      ${run.cancelRequested ? fact('Cancelled', 'asked for') : null}
    </dl>
  </section>`;
}

function approval(run: RunRow): HtmlValue {
  if (run.approvedBy === null) return null;
  const how = run.withoutBlocks ? ', without blocks' : '';
  return html`${fact('Approved', html`by ${printable(run.approvedBy)}${how}, ${time(run.approvedAt)}`)}
  ${fact('Reason', run.approvalReason === null ? 'none given' : printable(run.approvalReason))}`;
}

function fact(name: string, value: HtmlValue): Html {
  return html`<dt>${name}</dt>
    <dd>${value}</dd>`;
}

function history(transitions: readonly RunTransition[]): Html {
  return html`<section class="card">
    <h2>History</h2>
    <ol class="history">
      ${transitions.map(
        ({ at, to, actor, note }) =>
          html`<li>
            ${statusBadge(to)} <span>${time(at)}, by ${printable(actor)}</span>
            ${note === null ? null : html`<span class="note">${printable(note)}</span>`}
          </li>`,
      )}
    </ol>
  </section>`;
}

function fileList(session: Session, run: RunRow, files: Awaited<ReturnType<typeof runFiles>>): HtmlValue {
  if (files.length === 0) return null;
  const mayDownload = session.may('download');
  const rows = files.map(
    ({ name, digest, sizeBytes, originalFilename, receivedAt }) =>
      html`<tr>
        <th scope="row">${printable(name)}</th>
        <td class="number">${bytes(sizeBytes)}</td>
        <td><code title="SHA-256 ${digest}">${digest.slice(0, 12)}</code></td>
        <td class="text">${printable(originalFilename)}</td>
        <td>${time(receivedAt)}</td>
        ${mayDownload ? html`<td><a href="/runs/${run.id}/files/${encodeURIComponent(name)}" download>Download</a></td>` : null}
      </tr>`,
  );
  const heads = [
    'File',
    html`<span class="right">Size</span>`,
    'SHA-256',
    'Received as',
    'When',
    ...(mayDownload ? [html`<span class="unseen">Download</span>`] : []),
  ];
  return html`<section class="card fold">
    <h2>Files</h2>
    ${table(heads, rows, 'Files of the batch')}
    ${mayDownload ? html`<p class="hint">Batch files are data of people. Each download is noted in the audit log.</p>` : null}
  </section>`;
}

/** What else may be decided; of a held run the buttons are at its top. */
function further(session: Session, run: RunRow): HtmlValue {
  const buttons = needsDecision(run) ? undefined : decisionButtons(session, run);
  if (buttons === undefined) return null;
  return html`<section class="card">
    <h2>Decide</h2>
    ${isApproved(run) ? html`<p>It is approved, and can still be cancelled.</p>` : null} ${buttons}
  </section>`;
}
