import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { DemoRecord } from '../../src/cli/demo/people.js';
import type { Batch } from './feed.js';

export const FORMATS = ['json', 'xml', 'tsv'] as const;
export type Format = (typeof FORMATS)[number];

/** What a control file calls the format. */
export const READ: Readonly<Record<Format, string>> = {
  json: 'json',
  xml: 'xml-text-of-children',
  tsv: 'tsv-with-name-row',
};

const PIECE_CHARACTERS = 256 * 1024;

/** How a format writes records: what is between two of them differs by batch, so that no file is the same as another. */
interface Writer {
  readonly head: string;
  readonly record: (record: DemoRecord) => string;
  readonly separator: Readonly<Record<Batch, string>>;
  readonly tail: string;
}

const FIELDS: readonly (keyof DemoRecord)[] = [
  'USERNAME',
  'TITLE',
  'FIRST_NAME',
  'LAST_NAME',
  'EMAIL',
  'ROLE',
  'JOB_TITLE',
  'PHONE',
  'HOMEPAGE',
  'CARD',
];

const WRITERS: Readonly<Record<Format, Writer>> = {
  json: {
    head: '[\n',
    record: (record) => JSON.stringify(record),
    separator: { first: ',\n', unchanged: ' ,\n', changed: ',\n ' },
    tail: '\n]\n',
  },
  xml: {
    head: '<?xml version="1.0" encoding="UTF-8"?>\n<users>\n',
    record: (record) =>
      `<user>${FIELDS.map((name) => `<${name}>${escapeXml(record[name])}</${name}>`).join('')}</user>`,
    separator: { first: '\n', unchanged: ' \n', changed: '\n ' },
    tail: '\n</users>\n',
  },
  tsv: {
    head: `${FIELDS.join('\t')}\n`,
    record: (record) => FIELDS.map((name) => record[name]).join('\t'),
    separator: { first: '\n', unchanged: '\r\n', changed: '\r' },
    tail: '\n',
  },
};

/** Writes the records of a batch as a file, in pieces: it may be larger than memory. */
export async function writeFeedFile(
  path: string,
  format: Format,
  batch: Batch,
  records: Iterable<DemoRecord>,
  signal: AbortSignal,
): Promise<void> {
  await pipeline(Readable.from(pieces(WRITERS[format], batch, records)), createWriteStream(path), { signal });
}

function* pieces({ head, record, separator, tail }: Writer, batch: Batch, records: Iterable<DemoRecord>) {
  let piece = head;
  let between = '';
  for (const one of records) {
    piece += between + record(one);
    between = separator[batch];
    if (piece.length > PIECE_CHARACTERS) {
      yield piece;
      piece = '';
    }
  }
  yield piece + tail;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
