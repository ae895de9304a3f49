import type { RecordPosition } from '../domain/record.js';
import { type Charset, UTF_8, byteIndexOf, charsetNamed } from './charset.js';
import type { Place } from './cursor.js';
import { ReadError, type ReadItem, type ReadLimits } from './reader.js';
import { invalidEncoding, nullCharacter, rejection, tooDeep, tooLarge, tooManyKeys } from './rejection.js';
import type { Opening } from './scan.js';
import { StrictXmlParser, type XmlError } from './xml-parser.js';
import { type XmlRecord, XmlRecordParser, type XmlValues } from './xml-record.js';
import { type XmlElement, XmlSplitter } from './xml-split.js';

/**
 * XML whose root has the records as child elements, or is the one record with `singleRecord`.
 *
 * One parser reads the document around the records, for which it sees an empty element, another one the records.
 */
export class XmlScanner extends XmlSplitter {
  private charset: Charset;
  private readonly document = new StrictXmlParser(false);
  private readonly recordParser: XmlRecordParser;
  private position: RecordPosition = { record: 0, line: 1, byte: 0 };
  private isEmpty = true;
  private leadingSpace = '';
  /** The document's parser has seen an element among others, and nothing behind it but white space that it was spared. */
  private isAmongRecords = false;

  constructor(
    private readonly limits: ReadLimits,
    values: XmlValues,
    private readonly singleRecord: boolean,
    opening: Opening,
  ) {
    super(opening, singleRecord ? 0 : 1, limits.recordBytes);
    this.charset = opening.charset;
    this.recordParser = new XmlRecordParser(values);
    const hasOwnCharset = opening.byte > 0 || opening.charset.utf16 !== undefined;
    this.document.sax.on('xmldecl', ({ encoding }) => {
      if (!hasOwnCharset && encoding !== undefined) this.charset = declaredCharset(encoding);
    });
    const onText = (text: string): void => {
      if (text.trim() !== '') this.document.fail('there is text between the records');
    };
    this.document.sax.on('text', onText);
    this.document.sax.on('cdata', onText);
  }

  override end(out: ReadItem[]): void {
    super.end(out);
    if (this.isEmpty) return;
    if (!this.document.close()) throw this.explained(this.document.error, this.cursor.here());
  }

  protected takeBetween(bytes: Buffer, place: Place): void {
    if (this.isAmongRecords && isBlank(bytes)) return;
    this.isAmongRecords = false;
    const text = this.charset.text(bytes, 0, bytes.length);
    if (this.isEmpty && text.trim() === '') {
      // Kept from the parser unless more follows: a file of white space has no records and no error.
      this.leadingSpace += text;
      return;
    }
    this.writeAround(text, place, bytes);
  }

  protected takeRecord({ bytes, place, depth, tooLong }: XmlElement, out: ReadItem[]): void {
    this.position = { record: this.position.record + 1, ...place };
    if (!this.isAmongRecords) this.writeAround('<r/>', place);
    this.isAmongRecords = !this.singleRecord;
    const text = this.charset.text(bytes, 0, bytes.length);
    if (tooLong) {
      out.push(tooLarge(this.position, this.limits.recordBytes, this.recordParser.readLoosely(text)));
      return;
    }
    const read = this.recordParser.read(text);
    if (read.error !== undefined) out.push(this.withCharactersReplaced(text, read.error, bytes));
    else out.push(this.checked(read, text, bytes, depth));
  }

  protected malformed(place: Place, what: string): ReadError {
    const { record } = this.position;
    const near = record === 0 ? 'before the first record' : `near record ${record}`;
    const message =
      `The file is not well-formed XML at line ${place.line}, byte ${place.byte} (${near}): ${what}; ` +
      'have the source system write it with an XML library.';
    return new ReadError('malformed-file', message, { ...place, record });
  }

  private writeAround(text: string, place: Place, bytes?: Buffer): void {
    if (this.isEmpty && this.leadingSpace !== '') this.document.write(this.leadingSpace);
    this.isEmpty = false;
    if (!this.document.write(text)) throw this.explained(this.document.error, place, bytes);
  }

  private checked(read: XmlRecord, text: string, bytes: Buffer, depth: number): ReadItem {
    const { record, count } = read;
    const { position, limits } = this;
    if (text.includes('\ufffd')) {
      const bad = this.charset.invalidAt(bytes, 0, bytes.length);
      if (bad >= 0) return invalidEncoding(position, this.charset.name, this.cursor.measure(bytes, 0, bad), record);
    }
    if (depth > limits.depth) return tooDeep(position, limits.depth, record);
    if (count > limits.keys) return tooManyKeys(position, limits.keys, record);
    return { kind: 'record', position, value: record };
  }

  /**
   * A record with characters that XML does not have, such as a null character or a vertical tab, is one bad record if
   * there is nothing else wrong with it; any other error makes the whole file doubtful.
   */
  private withCharactersReplaced(text: string, error: XmlError, bytes: Buffer): ReadItem {
    const { record, error: remaining } = this.recordParser.read(withoutForbidden(text));
    if (remaining !== undefined) throw this.explained(error, this.position, bytes);
    if (isNullOrSurrogate(text)) return nullCharacter(this.position, record);
    const message = 'The record has a control character, which XML does not allow; remove it in the source system.';
    return rejection(this.position, 'invalid-character', message, { record });
  }

  /** @param bytes of the text that has the error; without them it is told where that begins */
  private explained(error: XmlError | undefined, start: Place, bytes: Buffer = Buffer.alloc(0)): ReadError {
    const index = byteIndexOf(this.charset, bytes, error?.offset ?? 0);
    const place = this.cursor.within(start, bytes, index);
    return this.malformed(place, error?.message ?? 'it cannot be read');
  }
}

/** White space in any charset that XML is written in. */
function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return false;
  return true;
}

/** Windows programs like to declare UTF-16 and then write UTF-8: what the bytes are counts. */
function declaredCharset(name: string): Charset {
  const charset = charsetNamed(name);
  if (charset === undefined) {
    const message = `The XML declaration names the unknown charset ${JSON.stringify(name)}; write the file in UTF-8.`;
    throw new ReadError('unknown-charset', message, { line: 1, byte: 0 });
  }
  return charset.utf16 === undefined ? charset : UTF_8;
}

/** Control characters but tab, line feed and carriage return, and the two non-characters (XML 1.0, 2.2). */
const FORBIDDEN = /[^\t\n\r\u0020-\ufffd]/g;
const CHARACTER_REFERENCE = /&#(?:(\d+)|x([\da-f]+));/gi;

function withoutForbidden(text: string): string {
  const replaceReference = (reference: string, decimal: string | undefined, hex: string | undefined): string =>
    isForbidden(codePoint(decimal, hex)) ? '\ufffd' : reference;
  return text.replace(FORBIDDEN, '\ufffd').replace(CHARACTER_REFERENCE, replaceReference);
}

function isNullOrSurrogate(text: string): boolean {
  if (text.includes('\0')) return true;
  return [...text.matchAll(CHARACTER_REFERENCE)].some(([, decimal, hex]) => {
    const code = codePoint(decimal, hex);
    return code === 0 || (code >= 0xd800 && code <= 0xdfff);
  });
}

function codePoint(decimal: string | undefined, hex: string | undefined): number {
  return decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
}

function isForbidden(code: number): boolean {
  if (code < 0x20) return code !== 9 && code !== 10 && code !== 13;
  return (code >= 0xd800 && code <= 0xdfff) || code === 0xfffe || code === 0xffff || code > 0x10ffff;
}
