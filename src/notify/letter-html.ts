import { html, type Html } from '../lib/html.js';
import type { Letter, LetterRow, LetterSection } from './letter.js';

/**
 * A letter as HTML. Styles stand in the elements and images are absent, since mail programs drop style sheets and do
 * not load what is elsewhere.
 */
export function letterHtml(letter: Letter): string {
  const { subject, headline, paragraphs, sections, link, footer } = letter;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${subject}</title>
      </head>
      <body style="font: 15px/1.5 sans-serif; color: #1c1c1c; max-width: 44em; margin: 1.5em">
        <h1 style="font-size: 1.3em">${headline}</h1>
        ${paragraphs.map((paragraph) => html`<p>${paragraph}</p>`)}
        ${link && html`<p><a href="${link.url}" style="font-weight: bold">${link.text}</a></p>`}
        ${sections.map(sectionHtml)}
        <p style="color: #666; font-size: 0.9em; border-top: 1px solid #ddd; padding-top: 0.5em">${footer}</p>
      </body>
    </html>`.toString();
}

function sectionHtml({ title, rows }: LetterSection): Html {
  return html`<h2 style="font-size: 1.05em">${title}</h2>
    <table style="border-collapse: collapse">
      ${rows.map(rowHtml)}
    </table>`;
}

function rowHtml({ label, value, kind }: LetterRow): Html {
  return html`<tr>
    <th
      scope="row"
      style="text-align: left; vertical-align: top; font-weight: normal; color: #666; padding: 2px 1em 2px 0"
    >
      ${label}
    </th>
    <td style="padding: 2px 0${kind === 'number' && '; text-align: right'}">
      ${kind === 'command' ? html`<code>${value}</code>` : value}
    </td>
  </tr>`;
}
