import type { FileFormat } from '../../../src/readers/registry.js';

export type Fields = Readonly<Record<string, string>>;

/** A file of a format, with the index at which the text of each record starts. */
export interface SampleFile {
  readonly text: string;
  readonly starts: readonly number[];
}

/** Writes files of one format, for tests that hold for every format. */
export interface SampleFormat {
  readonly format: FileFormat;
  readonly write: (records: readonly Fields[]) => SampleFile;
}

function join(head: string, records: readonly string[], between: string, tail: string): SampleFile {
  let text = head;
  const starts: number[] = [];
  for (const [index, record] of records.entries()) {
    if (index > 0) text += between;
    starts.push(text.length);
    text += record;
  }
  return { text: text + tail, starts };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

function namesOf(records: readonly Fields[]): string[] {
  return [...new Set(records.flatMap((record) => Object.keys(record)))];
}

export const SAMPLE_FORMATS: readonly SampleFormat[] = [
  {
    format: { read: 'json' },
    write: (records) =>
      join(
        '[\n',
        records.map((record) => JSON.stringify(record, null, 1)),
        ',\n  ',
        '\n]\n',
      ),
  },
  {
    format: { read: 'jsonl' },
    write: (records) =>
      join(
        '',
        records.map((record) => JSON.stringify(record)),
        '\n\n',
        '\n',
      ),
  },
  {
    format: { read: 'xml-text-of-children' },
    write(records) {
      const element = ([name, value]: [string, string]): string => `\n <${name}>${escaped(value)}</${name}>`;
      const texts = records.map((record) => `<user>${Object.entries(record).map(element).join('')}</user>`);
      return join('<!-- all -->\n<users>', texts, '\n', '</users>\n');
    },
  },
  {
    format: { read: 'xml-attributes' },
    write(records) {
      const attribute = ([name, value]: [string, string]): string => `\n ${name}="${escaped(value)}"`;
      const texts = records.map((record) => `<user${Object.entries(record).map(attribute).join('')}/>`);
      return join('<users>', texts, '\n', '</users>\n');
    },
  },
  {
    format: { read: 'tsv-with-name-row' },
    write(records) {
      const names = namesOf(records);
      const texts = records.map((record) => names.map((name) => record[name] ?? '').join('\t'));
      return join(`${names.join('\t')}\r\n`, texts, '\r\n\n', '\n');
    },
  },
  {
    format: { read: 'csv' },
    write(records) {
      const names = namesOf(records);
      const quoted = (value: string): string => (value === '' ? '' : `"${value.replaceAll('"', '""')}"`);
      const texts = records.map((record) => names.map((name) => quoted(record[name] ?? '')).join(','));
      return join(`${names.join(',')}\n`, texts, '\r\n', '\r\n');
    },
  },
];
