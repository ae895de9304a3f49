import { printable } from './printable.js';

/**
 * One line of CSV (RFC 4180). A cell that a spreadsheet would take for a formula gets an apostrophe in front: the data
 * comes from outside. It may also be shown on a terminal, so control characters other than line breaks and tabs are written as text.
 */
export function csvLine(cells: readonly string[]): string {
  return cells.map(csvCell).join(',');
}

function csvCell(text: string): string {
  const visible = text.replace(/[^\P{Cc}\t\n\r]/gu, printable);
  const safe = /^[=+\-@\t\n\r]/.test(visible) ? `'${visible}` : visible;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
