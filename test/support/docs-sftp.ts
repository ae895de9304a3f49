import { fencesOf, tableRows } from './docs-markdown.js';

/** What docs/sftp.md shows as the configuration of a server of its own. */
export function sshdConfigOf(markdown: string): string {
  return fenceWith(markdown, 'Port ');
}

/** What it shows for a server that is there already. */
export function sshdBlockOf(markdown: string): string {
  return fenceWith(markdown, 'Match ');
}

/** The lines that it explains, without the explanations. */
export function explainedLines(markdown: string): string[] {
  const rows = tableRows(markdown).get('A server for drops') ?? [];
  return rows.flatMap(([lines = '']) => [...lines.matchAll(/`([^`]+)`/g)].map(([, line = '']) => line));
}

function fenceWith(markdown: string, beginning: string): string {
  const fence = fencesOf(markdown).find(({ info, text }) => info === 'sshd_config' && text.startsWith(beginning));
  if (fence === undefined) throw new Error(`docs/sftp.md shows no configuration that begins with ${beginning}`);
  return fence.text;
}
