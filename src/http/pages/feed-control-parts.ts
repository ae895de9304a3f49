import { diffLines } from 'diff';
import type { Session } from '../../access/sessions.js';
import type { ControlVersion } from '../../db/control-history.js';
import { describeProblem, type Problem } from '../../lib/errors.js';
import { html, type Html, type HtmlValue } from '../../lib/html.js';
import { printable } from '../../lib/printable.js';
import { choice, empty, hiddenCsrf, notice, plainChoices, table, time } from './parts.js';

/**
 * The control file in force, those before it, and the form for a new one.
 *
 * @param problems of the one in force, when it cannot be used any more
 */
export function controlCard(
  session: Session,
  feed: string,
  control: { readonly id: number; readonly content: string } | undefined,
  history: readonly ControlVersion[],
  problems?: readonly Problem[],
): Html {
  return html`<section class="card" id="control">
    <h2>Control file</h2>
    ${problems === undefined ? null : noLongerUsable(problems)}
    ${
      control === undefined
        ? empty(
            'None yet',
            html`<p>
              It says how records become users. Drop one as <code>_control.json</code>, send one below, or start from
              what the <a href="/workbench">workbench</a> generates. Until then, files wait.
            </p>`,
          )
        : html`<details>
            <summary>In force: number ${control.id}</summary>
            ${numbered(control.content)}
          </details>`
    }
    ${history.length === 0 ? null : versions(feed, history)}
    ${
      session.may('configure')
        ? html`<details${problems === undefined ? '' : ' open'}>
            <summary>Send a new one</summary>
            ${controlForm(session, feed)}
          </details>`
        : null
    }
  </section>`;
}

/** @param problems of what was sent before, which is shown again */
export function controlForm(session: Session, feed: string, sent = '', problems?: readonly Problem[]): Html {
  // As files may be sent, the token comes first: what follows is only read from those who have it.
  return html`<form method="post" action="/feeds/${feed}/control" enctype="multipart/form-data" class="stack wide-form">
    ${hiddenCsrf(session)} ${problems === undefined ? null : problemList(problems)}
    <div class="field">
      <label for="control-file">A file</label>
      <input id="control-file" name="file" type="file" accept=".json,application/json" />
    </div>
    <div class="field">
      <label for="control-text">Or its text</label>
      <textarea id="control-text" name="text" spellcheck="false">${sent}</textarea>
    </div>
    <p class="hint">It is checked first: with any problem, the one in force stays.</p>
    <p class="actions"><button class="primary">Check, and put in force</button></p>
  </form>`;
}

export function problemList(problems: readonly Problem[]): Html {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  return html`<div class="sent-problems">
    ${notice(errors > 0 ? 'bad' : 'warn', errors > 0 ? `It has ${errors} ${errors === 1 ? 'problem' : 'problems'}; nothing was changed.` : 'It can be used, with warnings.')}
    ${listOf(problems)}
  </div>`;
}

function noLongerUsable(problems: readonly Problem[]): Html {
  const what =
    'The model or the plugins no longer allow the one in force. Until another one is in force, files wait in the drop directory.';
  return html`<div class="sent-problems">${notice('bad', what)} ${listOf(problems)}</div>`;
}

function listOf(problems: readonly Problem[]): Html {
  return html`<ul class="problems">
    ${problems.map((problem) => html`<li><code>${problem.code}</code> ${printable(describeProblem(problem))}</li>`)}
  </ul>`;
}

function versions(feed: string, history: readonly ControlVersion[]): Html {
  const rows = history.map(
    ({ id, createdAt, source, inForce }, index) =>
      html`<tr>
        <td>
          <a href="/feeds/${feed}/control/${id}">${id}</a>
          ${inForce ? html`<span class="badge good">in force</span>` : null}
        </td>
        <td>${time(createdAt)}</td>
        <td>${printable(source)}</td>
        <td>${differenceLink(feed, id, history[index + 1])}</td>
      </tr>`,
  );
  const numbers = plainChoices(history.map(({ id }) => String(id)));
  return html`<h3>All versions</h3>
    <div class="fold">${table(['Number', 'Since', 'From', 'Compare'], rows, 'Control files, newest first')}</div>
    <form method="get" action="/feeds/${feed}/control-difference" class="bar">
      ${choice('from', 'Compare', numbers, { chosen: String(history[1]?.id) })} ${choice('to', 'with', numbers)}
      <button>Show differences</button>
    </form>`;
}

function differenceLink(feed: string, id: number, before: ControlVersion | undefined): HtmlValue {
  if (before === undefined) return 'the first';
  return html`<span class="folded">compare</span>
    <a href="/feeds/${feed}/control-difference?from=${before.id}&amp;to=${id}">with ${before.id}</a>`;
}

/** A text with the numbers of its lines, which problems name. */
export function numbered(content: string): Html {
  const lines = content.split('\n');
  const width = String(lines.length).length;
  return codeOf(
    lines.map((line, index) => [
      html`<span class="line">${String(index + 1).padStart(width)}</span>`,
      ` ${printable(line.replace(/\r$/, ''))}`,
    ]),
  );
}

export function difference(older: string, newer: string): Html {
  const parts = diffLines(older, newer, { timeout: 2000, stripTrailingCr: true });
  if (parts === undefined) return html`<p>They are too different to be compared line by line.</p>`;
  if (parts.every(({ added, removed }) => !added && !removed)) return html`<p>No difference.</p>`;
  return codeOf(
    parts.flatMap(({ value, added, removed }) => {
      const lines = value.replace(/\n$/, '').split('\n');
      const shown = added || removed ? lines : abridged(lines);
      return shown.map((line): HtmlValue => {
        const text = printable(line.replace(/\r$/, ''));
        if (added) return html`<ins>+ ${text}</ins>`;
        return removed ? html`<del>- ${text}</del>` : `  ${text}`;
      });
    }),
  );
}

/** The ends of lines are put in as values: in a template the formatter takes them for spaces that mean nothing. */
function codeOf(lines: readonly HtmlValue[]): Html {
  return html`<pre class="code" tabindex="0">${lines.map((line) => [line, '\n'])}</pre>`;
}

const CONTEXT = 3;

/** Of lines that are the same, those next to a difference. */
function abridged(lines: readonly string[]): string[] {
  if (lines.length <= CONTEXT * 2 + 1) return [...lines];
  return [...lines.slice(0, CONTEXT), `… ${lines.length - 2 * CONTEXT} lines`, ...lines.slice(-CONTEXT)];
}
