import { person, type Person } from './cli.js';

const NAMES = Object.keys(person(1));

/** How a batch is written in one format: what is around the records, and a record by itself. */
export class BatchFormat {
  private constructor(
    /** What a control file calls it. */
    readonly read: string,
    /** The text of one record. */
    readonly record: (one: Person) => string,
    private readonly around: { readonly head: string; readonly between: string; readonly tail: string },
  ) {}

  static readonly JSON = new BatchFormat('json', (one) => JSON.stringify(one), {
    head: '[',
    between: ',\n',
    tail: ']',
  });

  static readonly JSON_LINES = new BatchFormat('jsonl', (one) => JSON.stringify(one), {
    head: '',
    between: '\n',
    tail: '\n',
  });

  static readonly TSV = new BatchFormat('tsv-with-name-row', (one) => cells(one).join('\t'), {
    head: `${NAMES.join('\t')}\n`,
    between: '\n',
    tail: '\n',
  });

  static readonly CSV = new BatchFormat('csv', (one) => cells(one).map(quoted).join(','), {
    head: `${NAMES.join(',')}\n`,
    between: '\n',
    tail: '\n',
  });

  static readonly XML = new BatchFormat('xml-text-of-children', (one) => `<user>${children(one)}</user>`, {
    head: '<users>\n',
    between: '\n',
    tail: '\n</users>\n',
  });

  static readonly XML_ATTRIBUTES = new BatchFormat('xml-attributes', (one) => `<user ${attributes(one)}/>`, {
    head: '<users>\n',
    between: '\n',
    tail: '\n</users>\n',
  });

  /** A whole file as a good source writes it. */
  write(batch: readonly Person[]): string {
    return this.file(batch.map(this.record)).toString();
  }

  /**
   * A whole file of records that are written already, as text or as whatever bytes.
   *
   * @param encode UTF-8 unless told
   * @param mark what stands before everything else
   */
  file(records: readonly (string | Uint8Array)[], encode: Encode = utf8, mark = ''): Buffer {
    const { head, between, tail } = this.around;
    const parts = records.flatMap((record, index) => (index === 0 ? [record] : [between, record]));
    const bytes = [mark + head, ...parts, tail].map((part) => (typeof part === 'string' ? encode(part) : part));
    return Buffer.concat(bytes);
  }
}

export type Encode = (text: string) => Buffer;

export const utf8: Encode = (text) => Buffer.from(text);
/** Little-endian. Half a surrogate pair stays what it is. */
export const utf16: Encode = (text) => Buffer.from(text, 'utf16le');

function cells(one: Person): string[] {
  return NAMES.map((name) => one[name] ?? '');
}

function quoted(cell: string): string {
  return `"${cell.replaceAll('"', '""')}"`;
}

function children(one: Person): string {
  return Object.entries(one)
    .map(([name, value]) => `<${name}>${escaped(value)}</${name}>`)
    .join('');
}

function attributes(one: Person): string {
  return Object.entries(one)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(' ');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
