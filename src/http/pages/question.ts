import type { Session } from '../../access/sessions.js';
import { html, type Html, type HtmlValue } from '../../lib/html.js';
import { form, notice } from './parts.js';

/** What is asked before something is done that others feel, or that cannot be taken back. */
export interface Question {
  readonly title: string;
  /** What it is about, in a few words. */
  readonly about: HtmlValue;
  readonly consequences: HtmlValue;
  /** Where the answer is sent. */
  readonly action: string;
  /** What else is to be said. */
  readonly fields?: HtmlValue;
  readonly button: string;
  readonly kind: 'primary' | 'danger' | '';
  /** Where whoever does not mean it goes. */
  readonly back: { readonly href: string; readonly text: string };
}

/** @param problem why the answer that was sent could not be taken */
export function questionCard(session: Session, question: Question, problem?: string): Html {
  const { title, about, consequences, action, fields, button, kind, back } = question;
  return html`<section class="card question">
    <h1>${title}</h1>
    <p class="soft">${about} Nothing has happened yet.</p>
    ${problem === undefined ? null : notice('bad', problem)} ${consequences}
    ${form(
      session,
      action,
      html`${fields}
        <p class="actions">
          <button class="${kind}">${button}</button>
          <a class="button" href="${back.href}">${back.text}</a>
        </p>`,
      'stack',
    )}
  </section>`;
}
