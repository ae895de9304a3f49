import type { FastifyInstance } from 'fastify';
import type { Session } from '../../access/sessions.js';
import { laterBatch, usersInFeed } from '../../db/run-details.js';
import { findRun, type RunRow } from '../../db/runs.js';
import type { Capability } from '../../domain/access.js';
import { counted, number, percent } from '../../domain/number-text.js';
import { isEnd } from '../../domain/run.js';
import { UserSyncError } from '../../lib/errors.js';
import { html, type Html, type HtmlValue } from '../../lib/html.js';
import { actorOf, Actions, type Actor } from '../actions.js';
import type { HttpContext } from '../context.js';
import { sendPage, type PageContent } from './layout.js';
import { field, notice } from './parts.js';
import { questionCard, type Question } from './question.js';
import { isApproved, mustBeRun, needsDecision, reasonsToHold, runIdOf } from './run-parts.js';
import { requireSession } from './session.js';
import { fieldOf, refusalOf, type RefusedForm } from './request.js';

const LONGEST_REASON = 1000;

/** What is known when somebody is asked whether they mean it. */
interface Asked {
  readonly run: RunRow;
  /** Users of the feed now. */
  readonly inFeed: number;
  /** A batch that was applied after this run's. */
  readonly later: number | undefined;
}

interface Decision {
  /** The end of its address. */
  readonly name: string;
  readonly needs: Capability;
  readonly question: (id: number) => string;
  /** On the button that leads to the question. */
  readonly offer: string;
  /** On the button that does it. */
  readonly button: string;
  readonly kind: 'primary' | 'danger' | '';
  readonly reason: 'required' | 'optional' | 'none';
  readonly isPossible: (run: RunRow) => boolean;
  readonly consequences: (asked: Asked) => Html;
  /** @returns the run to show */
  readonly decide: (actions: Actions, actor: Actor, id: number, reason: string) => Promise<RunRow>;
}

const DECISIONS: readonly Decision[] = [
  {
    name: 'approve',
    needs: 'decide',
    question: (id) => `Approve run ${id}?`,
    offer: 'Approve…',
    button: 'Approve and apply',
    kind: 'primary',
    reason: 'required',
    isPossible: needsDecision,
    consequences: (asked) =>
      html`${blocksSentence(asked, true)} ${otherChanges(asked)} ${whyHeld(asked)} ${goesBack(asked)}`,
    decide: (actions, actor, id, reason) => actions.approve(actor, id, { reason, withoutBlocks: false }),
  },
  {
    name: 'approve-without-blocks',
    needs: 'decide',
    question: (id) => `Approve run ${id} without blocks?`,
    offer: 'Approve without blocks…',
    button: 'Apply all but the blocks',
    kind: '',
    reason: 'required',
    isPossible: (run) => needsDecision(run) && run.counts.blocked > 0,
    consequences: (asked) =>
      html`${blocksSentence(asked, false)} ${otherChanges(asked)} ${whyHeld(asked)} ${goesBack(asked)}`,
    decide: (actions, actor, id, reason) => actions.approve(actor, id, { reason, withoutBlocks: true }),
  },
  {
    name: 'cancel',
    needs: 'decide',
    question: (id) => `Cancel run ${id}?`,
    offer: 'Cancel…',
    button: 'Cancel the run',
    kind: 'danger',
    reason: 'optional',
    isPossible: ({ status, cancelRequested }) => !isEnd(status) && !cancelRequested,
    consequences: ({ run }) =>
      run.status === 'applying'
        ? html`<p>
            The run stops after the users that it is writing just now. What it has written stays, and is listed; the
            next run does the rest.
          </p>`
        : html`<p>Nothing of this run is applied. The next batch is compared with the directory as it is now.</p>`,
    decide: (actions, actor, id, reason) => actions.cancel(actor, id, reason === '' ? undefined : reason),
  },
  {
    name: 'reapply',
    needs: 'decide',
    question: (id) => `Apply the batch of run ${id} again?`,
    offer: 'Re-apply…',
    button: 'Apply this batch again',
    kind: '',
    reason: 'none',
    isPossible: ({ status, kind, controlId }) => isEnd(status) && kind !== 'revert' && controlId !== null,
    consequences: (asked) =>
      html`<p>
          A new run takes the files of run ${asked.run.id} and its control file, compares them with the directory as it
          is now, and applies what differs. Guards apply: when one is breached, the new run is held.
        </p>
        ${goesBack(asked)}`,
    decide: (actions, actor, id) => actions.reapply(actor, id),
  },
  {
    name: 'revert',
    needs: 'revert',
    question: (id) => `Take run ${id} back?`,
    offer: 'Revert…',
    button: 'Take the run back',
    kind: 'danger',
    reason: 'none',
    isPossible: ({ finishedAt, published }) => finishedAt !== null && published,
    consequences: ({ run: { id, counts } }) =>
      html`<p>A new run takes back what run ${id} changed:</p>
        <ul>
          ${item(counts.added, 'that it added is blocked', 'that it added are blocked')}
          ${item(counts.updated, 'that it updated gets the values from before', 'that it updated get the values from before')}
          ${item(counts.blocked, 'that it blocked may sign in again', 'that it blocked may sign in again')}
          ${item(counts.unblocked, 'that it unblocked is blocked again', 'that it unblocked are blocked again')}
        </ul>
        <p>
          Users whom something else has changed since are left alone, and listed in the new run's log. Guards apply:
          when one is breached, the new run is held. The next batch of the feed brings the changes again, unless its
          source has been put right.
        </p>`,
    decide: (actions, actor, id) => actions.revert(actor, id),
  },
];

/** What may be decided about a run, each with a page that says what will happen, and asks. */
export function registerRunDecisions(pages: FastifyInstance, context: HttpContext): void {
  const { database } = context.app;
  const actions = new Actions(context);

  for (const decision of DECISIONS) {
    const path = `/runs/:id/${decision.name}`;

    pages.get(path, async (request, reply) => {
      const session = requireSession(request, decision.needs);
      return sendPage(reply, pageOf(session, decision, await ask(runIdOf(request))));
    });

    pages.post(path, async (request, reply) => {
      const session = requireSession(request, decision.needs);
      const id = runIdOf(request);
      const reason = (fieldOf(request, 'reason') ?? '').replaceAll('\0', '').trim().slice(0, LONGEST_REASON);
      try {
        if (decision.reason === 'required' && reason === '') throw unsaid();
        const run = await decision.decide(actions, actorOf(session, request), id, reason);
        return await reply.redirect(`/runs/${run.id}`, 303);
      } catch (error) {
        return sendPage(reply, pageOf(session, decision, await ask(id), refusalOf(request, error)));
      }
    });
  }

  async function ask(id: number): Promise<Asked> {
    const run = mustBeRun(await findRun(database, id), id);
    const [inFeed, later] = await Promise.all([usersInFeed(database, run.feedId), laterBatch(database, run)]);
    return { run, inFeed, later };
  }
}

/** Links to what this person may decide about a run now. */
export function decisionButtons(session: Session, run: RunRow): Html | undefined {
  const offered = DECISIONS.filter(({ needs, isPossible }) => session.may(needs) && isPossible(run));
  if (offered.length === 0) return undefined;
  return html`<p class="actions">
    ${offered.map(
      ({ name, offer, kind }) => html`<a class="button ${kind}" href="/runs/${run.id}/${name}">${offer}</a> `,
    )}
  </p>`;
}

function pageOf(session: Session, decision: Decision, asked: Asked, refused?: RefusedForm): PageContent {
  const { run } = asked;
  if (!decision.isPossible(run)) return tooLate(session, run, refused?.problem);
  const title = decision.question(run.id);
  const { button, kind } = decision;
  const question: Question = {
    title,
    about: `Feed ${run.feed}.`,
    consequences: decision.consequences(asked),
    action: `/runs/${run.id}/${decision.name}`,
    fields: reasonField(decision, refused?.given('reason')),
    button,
    kind,
    back: { href: `/runs/${run.id}`, text: 'Back to the run' },
  };
  const body = questionCard(session, question, refused?.problem);
  return { title, session, body, active: '/runs', status: refused?.status ?? 200 };
}

function unsaid(): UserSyncError {
  return new UserSyncError('usage', 'Say why. The reason is kept with the run, for whoever asks later.', {
    kind: 'usage',
  });
}

function reasonField({ reason }: Decision, value = ''): HtmlValue {
  if (reason === 'none') return null;
  const isRequired = reason === 'required';
  return field('reason', isRequired ? 'Why it is right' : 'Why (optional)', {
    isRequired,
    value,
    more: html`maxlength="${LONGEST_REASON}"`,
    hint: 'Kept with the run, with your name and the time.',
  });
}

/** @param problem what a decision that was sent met with */
function tooLate(session: Session, run: RunRow, problem?: string): PageContent {
  const title = 'Not possible now';
  const text =
    `Run ${run.id} is ${run.status}${isApproved(run) ? ', and approved already' : ''}: this cannot be decided about it ` +
    'now. Somebody may have been faster.';
  const body = html`<section class="card question">
    <h1>${title}</h1>
    ${problem === undefined ? html`<p>${text}</p>` : notice('bad', problem)}
    <p class="actions"><a class="button" href="/runs/${run.id}">To the run</a></p>
  </section>`;
  return { title, session, body, active: '/runs', status: 409 };
}

/** `87 of 412 users (21 %) will be blocked.` */
function blocksSentence({ run, inFeed }: Asked, willBlock: boolean): Html {
  const { blocked } = run.counts;
  if (blocked === 0) return html`<p class="lead">Nobody will be blocked.</p>`;
  const share = inFeed === 0 ? '' : ` (${percent(blocked / inFeed)})`;
  const users = inFeed === 0 ? counted(blocked, 'user') : `${number(blocked)} of ${counted(inFeed, 'user')}${share}`;
  return willBlock
    ? html`<p class="lead bad">${users} will be blocked: they are in the feed now, and not in this batch.</p>`
    : html`<p class="lead">
        Nobody will be blocked. ${users} would have been: they stay as they are, and are planned again with the next
        run.
      </p>`;
}

function otherChanges({ run: { counts } }: Asked): Html {
  return html`<p>
    ${counted(counts.added, 'user')} will be added, ${number(counts.updated)} updated and ${number(counts.unblocked)}
    unblocked; ${number(counts.unchanged)} stay unchanged. ${rejected(counts.rejected)}
  </p>`;
}

function rejected(count: number): HtmlValue {
  if (count === 0) return null;
  const whose = count === 1 ? 'its user stays as it is' : 'their users stay as they are';
  return `${counted(count, 'record was', 'records were')} rejected: ${whose}.`;
}

function whyHeld({ run }: Asked): Html {
  return html`<h2>Why it is held</h2>
    ${reasonsToHold(run)}`;
}

function goesBack({ run, later }: Asked): HtmlValue {
  if (later === undefined) return null;
  return notice(
    'warn',
    html`Run <a href="/runs/${later}">${later}</a> with a later batch was applied after run ${run.id}. This goes back to
      the older batch: who came since is blocked, and what changed since changes back.`,
  );
}

function item(count: number, one: string, many: string): HtmlValue {
  return count === 0 ? null : html`<li>${counted(count, 'user')} ${count === 1 ? one : many}</li>`;
}
