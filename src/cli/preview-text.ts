import stringWidth from 'fast-string-width';
import { number } from '../domain/number-text.js';
import type { TraceEvent } from '../mapping/compile.js';
import { originsOf, type PreviewLine } from '../mapping/preview.js';
import { previewRows, type PreviewRow } from '../mapping/preview-rows.js';
import { printable } from '../lib/printable.js';
import { type Style } from './terminal.js';

/** Previewed records for a person at a terminal. Everything from outside is made printable here. */

/** Colours a text, or leaves it as it is. */
export type Paint = (text: string, ...styles: Style[]) => string;

/** Longer values do not push the instructions of all the others to the right. */
const MOST_PADDED = 40;

/**
 * @param events everything that was traced while the record was mapped; without them, values stand alone
 * @returns a heading, a line for each value, a line for each error
 */
export function previewText(line: PreviewLine, paint: Paint, events?: readonly TraceEvent[]): string[] {
  const rows = previewRows(line, events === undefined ? undefined : originsOf(events));
  const nameWidth = widest(rows.map((row) => row.name));
  const valueWidth = widest(rows.map((row) => textOf(row)).filter((text) => stringWidth(text) <= MOST_PADDED));
  return [
    headingOf(line, paint),
    ...rows.map((row) => {
      const text = textOf(row);
      const value = row.isAbsent ? paint(text, 'dim') : text;
      const start = `  ${padded(row.name, row.name, nameWidth)}  `;
      if (row.event === undefined) return `${start}${value}`;
      return `${start}${padded(value, text, valueWidth)}  ${paint(originText(row.event), 'dim')}`;
    }),
    ...errorLines(line, paint),
  ];
}

/** What `preview` says at the end about all records. */
export class PreviewSummary {
  #records = 0;
  #rejected = 0;
  #withErrors = 0;
  readonly #codes = new Map<string, number>();

  add({ accepted, errors }: PreviewLine): void {
    this.#records += 1;
    if (!accepted) this.#rejected += 1;
    if (errors.length > 0) this.#withErrors += 1;
    for (const { code } of errors) this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1);
  }

  /** `3 records: 2 accepted, 1 rejected, 1 with errors (invalid-email 1, missing-value 1)` */
  text(paint: Paint): string {
    const rejected = `${number(this.#rejected)} rejected`;
    const codes = [...this.#codes]
      .sort(([one, count], [other, otherCount]) => otherCount - count || (one < other ? -1 : 1))
      .map(([code, count]) => `${code} ${number(count)}`);
    return [
      `${number(this.#records)} ${this.#records === 1 ? 'record' : 'records'}: `,
      `${number(this.#records - this.#rejected)} accepted, `,
      `${this.#rejected > 0 ? paint(rejected, 'red') : rejected}, ${number(this.#withErrors)} with errors`,
      codes.length > 0 ? ` (${codes.join(', ')})` : '',
    ].join('');
  }
}

function textOf({ value, qualifier }: PreviewRow): string {
  return qualifier === undefined ? value : `${value} (${printable(qualifier)})`;
}

function headingOf({ file, line, record, username, accepted }: PreviewLine, paint: Paint): string {
  const who = username === null ? paint('(no username)', 'dim') : paint(printable(username), 'bold');
  const verdict = accepted ? paint('accepted', 'green') : paint('rejected', 'red');
  return `${paint(printable(`${file}:${line}`), 'cyan')}  record ${record}  ${who}  ${verdict}`;
}

function originText({ pointer, source }: TraceEvent): string {
  return printable(`← ${pointer}${source === undefined ? '' : ` (source ${source})`}`);
}

function errorLines({ accepted, errors }: PreviewLine, paint: Paint): string[] {
  const sources = errors.map(({ source }) => printable(source ?? ''));
  const codeWidth = widest(errors.map(({ code }) => code));
  const sourceWidth = widest(sources);
  return errors.map(({ code, message }, index) => {
    const source = sources[index] ?? '';
    const styled = padded(paint(code, accepted ? 'yellow' : 'red'), code, codeWidth);
    return [
      `  error ${styled}`,
      ...(sourceWidth === 0 ? [] : [padded(source, source, sourceWidth)]),
      printable(message),
    ]
      .join('  ')
      .trimEnd();
  });
}

/** @param text what `styled` shows */
function padded(styled: string, text: string, width: number): string {
  return styled + ' '.repeat(Math.max(0, width - stringWidth(text)));
}

function widest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, stringWidth(text)), 0);
}
