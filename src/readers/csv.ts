import { CsvError, parse } from 'csv-parse/sync';
import type { RecordPosition } from '../domain/record.js';
import { UserSyncError } from '../lib/errors.js';
import { type Charset, encodeIn } from './charset.js';
import { type CsvLine, CsvSplitter } from './csv-split.js';
import { Header, badHeader } from './header.js';
import { ReadError, type ReadItem, type ReadLimits } from './reader.js';
import { invalidEncoding, nullCharacter, rejection, tooLarge } from './rejection.js';
import type { Opening } from './scan.js';

interface Waiting {
  readonly text: string;
  readonly position: RecordPosition;
}

/** CSV as of RFC 4180 with a header. Whole records go to csv-parse, many at a time, as each call of it is costly. */
export class CsvScanner extends CsvSplitter {
  private readonly charset: Charset;
  private header: Header | undefined;
  private waiting: Waiting[] = [];
  private records = 0;

  constructor(
    private readonly limits: ReadLimits,
    private readonly delimiterText: string,
    opening: Opening,
  ) {
    super(opening, delimiterIn(opening.charset, delimiterText), limits.recordBytes);
    this.charset = opening.charset;
  }

  override push(piece: Buffer, out: ReadItem[]): void {
    try {
      super.push(piece, out);
    } finally {
      this.parseWaiting(out);
    }
  }

  override end(out: ReadItem[]): void {
    super.end(out);
    this.parseWaiting(out);
  }

  protected takeRecord({ bytes, place, tooLong, strayQuote }: CsvLine, out: ReadItem[]): void {
    const text = this.charset.text(bytes, 0, bytes.length);
    if (text.trim() === '') return;
    const bad = text.includes('\ufffd') ? this.charset.invalidAt(bytes, 0, bytes.length) : -1;
    if (this.header === undefined) {
      if (bad >= 0)
        throw badHeader(`is not valid ${this.charset.name}; give the file a \`charset\` in the control file`, place);
      if (tooLong) throw badHeader(`is longer than ${this.limits.recordBytes} bytes; is this a CSV file?`, place);
      const names = strayQuote ? undefined : this.parseAll([text])?.[0];
      if (names === undefined) throw badHeader('has a quote within a name; put the whole name in quotes', place);
      this.header = Header.of(names, this.limits, place);
      return;
    }
    const position: RecordPosition = { record: ++this.records, ...place };
    if (!tooLong && bad < 0 && !strayQuote && !text.includes('\0')) {
      this.waiting.push({ text, position });
      return;
    }
    this.parseWaiting(out);
    const fields = this.parseLoosely(text);
    if (tooLong) fields.pop();
    const record = this.header.recordOf(fields);
    if (tooLong) out.push(tooLarge(position, this.limits.recordBytes, record));
    else if (bad >= 0) {
      out.push(invalidEncoding(position, this.charset.name, this.cursor.measure(bytes, 0, bad), record));
    } else if (strayQuote) {
      const message =
        'A field that is not quoted has a quote; put it in quotes and double the quotes within it.' +
        (this.header.isSingle ? ' The first line names one column only: is the `delimiter` another one?' : '');
      // With as many fields as names, the quote was no part of what separates them.
      out.push(rejection(position, 'invalid-quoting', message, this.header.fits(fields) ? { record } : {}));
    } else out.push(nullCharacter(position, record));
  }

  private parseWaiting(out: ReadItem[]): void {
    const { header, waiting } = this;
    if (header === undefined || waiting.length === 0) return;
    this.waiting = [];
    const rows = this.parseAll(waiting.map(({ text }) => text));
    for (const [index, { position }] of waiting.entries()) {
      const fields = rows?.[index] ?? this.parseAll([waiting[index]?.text ?? ''])?.[0];
      if (fields === undefined) throw misread(position);
      out.push(header.read(fields, position));
    }
  }

  /** Undefined when the parser sees other records than the splitter. */
  private parseAll(texts: readonly string[]): string[][] | undefined {
    try {
      const rows = this.parse(texts.join('\n'));
      return rows.length === texts.length ? rows : undefined;
    } catch (error) {
      if (error instanceof CsvError) return undefined;
      throw error;
    }
  }

  private parse(text: string): string[][] {
    return parse(text, { delimiter: this.delimiterText, record_delimiter: '\n', relax_column_count: true });
  }

  /** What can be read of a record that is rejected anyway. */
  private parseLoosely(text: string): string[] {
    const options = { delimiter: this.delimiterText, record_delimiter: '\n', relax_column_count: true };
    try {
      return parse(text, { ...options, relax_quotes: true })[0] ?? [];
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      // Cut within a quoted field: closed here, so that the fields before it can be read.
      try {
        return parse(`${text}"`, { ...options, relax_quotes: true })[0] ?? [];
      } catch {
        return [];
      }
    }
  }
}

/**
 * In East Asian charsets the byte of a delimiter such as | may be half of another character, which only the parser sees. A
 * quote behind it then begins no field, and other records may have been taken for the rest of one.
 */
function misread(position: RecordPosition): ReadError {
  const message =
    `The record at line ${position.line} has a quote where no field begins; put the whole field in quotes and double ` +
    'the quotes within it.';
  return new ReadError('malformed-file', message, position);
}

function delimiterIn(charset: Charset, delimiter: string): Buffer {
  const bytes = encodeIn(charset, delimiter);
  if (bytes === undefined) {
    throw new UserSyncError(
      'bad-separator',
      `The delimiter cannot be written in ${charset.name}; use an ASCII character.`,
    );
  }
  return bytes;
}
