import type { Letter, LetterRow, LetterSection } from './letter.js';

/** A letter as plain text. */
export function letterText(letter: Letter): string {
  const { headline, paragraphs, sections, link, footer } = letter;
  const parts = [
    headline,
    ...paragraphs,
    ...(link === null ? [] : [`${link.text}:\n  ${link.url}`]),
    ...sections.map(sectionText),
    // What mail programs take for the mark of a signature.
    `-- \n${footer}`,
  ];
  return `${parts.join('\n\n')}\n`;
}

function sectionText({ title, rows }: LetterSection): string {
  const labels = Math.max(...rows.map((row) => row.label.length));
  const numbers = Math.max(...rows.filter((row) => row.kind === 'number').map((row) => row.value.length));
  const line = ({ label, value, kind }: LetterRow): string =>
    kind === 'sentence'
      ? `  - ${label}: ${value}`
      : `  ${label.padEnd(labels)}  ${kind === 'number' ? value.padStart(numbers) : value}`;
  return [`${title}:`, ...rows.map(line)].join('\n');
}
