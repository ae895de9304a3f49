import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/lib/package-root.js';

/** Documents of the repository, by their path in it. */
export function readDocuments(): ReadonlyMap<string, string> {
  const root = packageRoot();
  const docs = readdirSync(join(root, 'docs')).map((name) => `docs/${name}`);
  const names = [...readdirSync(root), ...docs].filter((name) => name.endsWith('.md'));
  return new Map(names.sort().map((name) => [name, readFileSync(join(root, name), 'utf8')]));
}

/** A fenced block of code. */
export interface Fence {
  /** What stands behind the opening fence: a language, then words of our own. */
  readonly info: string;
  readonly text: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
}

export function fencesOf(markdown: string): Fence[] {
  const fences: Fence[] = [];
  const lines = markdown.split('\n');
  for (let index = 0; index < lines.length; index += 1) {
    const info = /^```(.*)$/.exec(lines[index] ?? '')?.[1];
    if (info === undefined) continue;
    const end = lines.indexOf('```', index + 1);
    if (end < 0) throw new Error(`the fence at line ${index + 1} is not closed`);
    fences.push({ info: info.trim(), line: index + 1, text: `${lines.slice(index + 1, end).join('\n')}\n` });
    index = end;
  }
  return fences;
}

/** Text without fenced blocks, which may hold anything. */
export function proseOf(markdown: string): string {
  return markdown.replace(/^```[^\n]*\n[\s\S]*?^```$/gm, '');
}

/** Fenced blocks and what stands between backticks. */
export function codeOf(markdown: string): string[] {
  const inline = [...proseOf(markdown).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code ?? '');
  return [...fencesOf(markdown).map((fence) => fence.text), ...inline];
}

/** Cells of the tables below each `## ` heading, without the heads of the tables. */
export function tableRows(markdown: string): ReadonlyMap<string, readonly (readonly string[])[]> {
  const sections = proseOf(markdown).split(/^## /m).slice(1);
  return new Map(
    sections.map((section) => {
      const [title = '', ...lines] = section.split('\n');
      const rows = lines.filter((line) => line.startsWith('|'));
      // A head is the row before a row of dashes.
      const body = rows.filter((row, index) => !isRuler(row) && !isRuler(rows[index + 1] ?? ''));
      return [title.trim(), body.map(cellsOf)] as const;
    }),
  );
}

/** Targets of links, except those to other sites. */
export function localLinks(markdown: string): string[] {
  return [...proseOf(markdown).matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target ?? '')
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchors of a document's headings, as code hosts make them. */
export function anchorsOf(markdown: string): Set<string> {
  const titles = [...proseOf(markdown).matchAll(/^#{1,6} (.+)$/gm)].map(([, title]) => title ?? '');
  return new Set(
    titles.map((title) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{Letter}\p{Number}\s_-]/gu, '')
        .trim()
        .replaceAll(/\s/g, '-'),
    ),
  );
}

function isRuler(row: string): boolean {
  return /^\|(?:\s*:?-+:?\s*\|)+\s*$/.test(row);
}

function cellsOf(row: string): string[] {
  return row
    .replace(/^\||\|\s*$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}
