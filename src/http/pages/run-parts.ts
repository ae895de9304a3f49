import type { FastifyRequest } from 'fastify';
import type { Session } from '../../access/sessions.js';
import { unknownRun, type RunRow } from '../../db/runs.js';
import { describeGuard } from '../../domain/guard-text.js';
import { describeOutcome } from '../../domain/outcome-text.js';
import type { RunPhase, RunProgress } from '../../domain/run.js';
import { UserSyncError } from '../../lib/errors.js';
import { html, type Html, type HtmlValue } from '../../lib/html.js';
import { printable } from '../../lib/printable.js';
import { bytes, number } from './parts.js';

/** Pieces that several pages about runs share. */

/** The run that an address names. @throws UserSyncError `run-unknown` for what is no number of a run */
export function runIdOf(request: FastifyRequest): number {
  const { id } = request.params as { readonly id: string };
  const value = /^[1-9]\d{0,14}$/.test(id) ? Number(id) : undefined;
  if (value !== undefined) return value;
  throw new UserSyncError('run-unknown', 'There is no run of this number.', { kind: 'usage' });
}

export function mustBeRun(run: RunRow | undefined, id: number): RunRow {
  if (run === undefined) throw unknownRun(id);
  return run;
}

/** Where a run comes from: a batch, or another run. */
export function kindText({ kind, ofRun, dryRun }: RunRow): HtmlValue {
  const of = ofRun === null ? '' : html`<a href="/runs/${ofRun}">${ofRun}</a>`;
  const text = kind === 'reapply' ? html`re-apply of ${of}` : kind === 'revert' ? html`revert of ${of}` : 'batch';
  return dryRun ? html`${text}, dry run` : text;
}

/** Approved, and waiting for the daemon to apply it. */
export function isApproved({ status, approvedAt }: RunRow): boolean {
  return status === 'held' && approvedAt !== null;
}

export function needsDecision(run: RunRow): boolean {
  return run.status === 'held' && !isApproved(run);
}

/** Why a run is held: each breach with its numbers, or that every run of the feed waits. */
export function reasonsToHold({ guards }: RunRow): Html {
  const breached = guards.filter((guard) => guard.breached);
  if (breached.length === 0)
    return html`<p>No guard is breached. The feed does not apply by itself, so each run waits for an approval.</p>`;
  return html`<ul class="reasons">
    ${breached.map((guard) => html`<li>${sentence(describeGuard(guard))}</li>`)}
  </ul>`;
}

/** What the status means, as a sentence. */
export function outcomeSentence(run: RunRow): string | undefined {
  const text = describeOutcome(run);
  return text === undefined ? undefined : sentence(text);
}

/** Text of ours, which may quote what came from outside. */
export function sentence(text: string): string {
  const shown = printable(text);
  const end = /[.!?]$/.test(shown) ? '' : '.';
  // What begins with a name, such as `user/title`, stays as it is.
  const first = /^[a-z]+[ ,]/.test(shown) ? shown.charAt(0).toUpperCase() : shown.charAt(0);
  return `${first}${shown.slice(1)}${end}`;
}

/** What pages that are open must know of: when it changes, they are loaded again. */
export function stateOf({ status, approvedAt, cancelRequested }: RunRow): string {
  const more = status === 'held' && approvedAt !== null ? '-approved' : cancelRequested ? '-cancelling' : '';
  return `${status}${more}`;
}

/** The part of a page that follows a run: kept up to date where there is JavaScript. */
export function livePart(run: RunRow, missing: readonly string[]): Html {
  return html`<div class="live" data-live="/runs/${run.id}/live?state=${stateOf(run)}">
    ${liveContent(run, missing)}
  </div>`;
}

const PHASES: Readonly<Record<RunPhase, string>> = {
  stage: 'Reading the files',
  plan: 'Comparing with the directory',
  apply: 'Writing the changes',
};

/** What a run does just now, or waits for. */
export function liveContent(run: RunRow, missing: readonly string[]): Html {
  const { status, progress, cancelRequested } = run;
  if (status === 'uploading') return html`<p>${waitsFor(missing)}</p>`;
  if (status === 'ready')
    return html`<p>
      ${run.queued ? 'All files are there. It starts when the feed has no other run under way.' : 'All files are there. It waits for the signal to start.'}
    </p>`;
  if (isApproved(run)) return html`<p>Approved. It is applied next.</p>`;
  if (status !== 'planning' && status !== 'applying') return html``;
  if (progress === null) return html`<p>${status === 'planning' ? 'Begins to plan.' : 'Begins to write.'}</p>`;
  const { phase, done, total } = progress;
  return html`<label class="progress">
    <span>${PHASES[phase]}${cancelRequested ? ', and stops soon' : ''}</span>
    <span class="soft">${progressText(progress)}</span>
    <progress value="${Math.min(done, total)}" max="${Math.max(total, 1)}"></progress>
  </label>`;
}

function waitsFor(missing: readonly string[]): Html {
  if (missing.length === 0) return html`Waits for the feed's control file, which says what files a batch has.`;
  return html`Waits for
  ${missing.map((name, index) => html`${index === 0 ? '' : index === missing.length - 1 ? ' and ' : ', '}<code>${name}</code>`)}.`;
}

function progressText({ done, total, unit, records }: RunProgress): string {
  const read = records === undefined ? '' : `, ${number(records)} records`;
  if (unit === 'bytes') return `${bytes(done)} of ${bytes(total)}${read}`;
  return `${unit === 'steps' ? 'step ' : ''}${number(done)} of ${number(total)}${unit === 'users' ? ' users' : ''}${read}`;
}

export type RunTab = 'run' | 'plan' | 'log';

/** The parts of what is known of a run, as links. */
export function runTabs(session: Session, run: RunRow, current: RunTab): Html {
  const tabs: readonly { readonly tab: RunTab; readonly href: string; readonly text: HtmlValue }[] = [
    { tab: 'run', href: `/runs/${run.id}`, text: 'Summary' },
    ...(session.may('see-people') ? [{ tab: 'plan', href: `/runs/${run.id}/plan`, text: 'Plan' } as const] : []),
    {
      tab: 'log',
      href: `/runs/${run.id}/log`,
      text:
        run.errors === 0
          ? 'Log'
          : html`Log <small>(${number(run.errors)} ${run.errors === 1 ? 'error' : 'errors'})</small>`,
    },
  ];
  return html`<nav class="tabs" aria-label="Run ${run.id}">
    ${tabs.map(({ tab, href, text }) => html`<a href="${href}" ${tab === current ? CURRENT : null}>${text}</a>`)}
  </nav>`;
}

const CURRENT = html`aria-current="page"`;
