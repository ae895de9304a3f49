import type { Charset } from './charset.js';
import { Header, badHeader } from './header.js';
import { LineScanner } from './lines.js';
import type { ReadItem, ReadLimits } from './reader.js';
import { invalidEncoding, nullCharacter, tooLarge } from './rejection.js';
import type { Opening } from './scan.js';

/**
 * Lines of fields without quoting, of which the first names the fields. Split by hand: as nothing is quoted, a CSV
 * parser has nothing to add, and takes six times as long.
 */
export class TsvScanner extends LineScanner {
  private readonly charset: Charset;
  private header: Header | undefined;

  constructor(
    private readonly limits: ReadLimits,
    private readonly separator: string,
    opening: Opening,
  ) {
    super(opening, limits.recordBytes);
    this.charset = opening.charset;
  }

  protected takeLine(bytes: Buffer, start: number, end: number, out: ReadItem[]): void {
    const text = this.charset.text(bytes, start, end);
    // Lines of nothing but white space, separators included, are blank: spreadsheets leave such lines at the end.
    if (text.charCodeAt(0) <= 0x20 && text.trim() === '') return;
    const bad = text.includes('\ufffd') ? this.charset.invalidAt(bytes, start, end) : -1;
    const fields = text.split(this.separator);
    if (this.header === undefined) {
      if (bad >= 0)
        throw badHeader(
          `is not valid ${this.charset.name}; give the file a \`charset\` in the control file`,
          this.here(),
        );
      this.header = Header.of(fields, this.limits, this.here());
      return;
    }
    const position = this.nextPosition();
    if (bad >= 0) {
      const offset = this.cursor.measure(bytes, start, start + bad);
      out.push(invalidEncoding(position, this.charset.name, offset, this.header.recordOf(fields)));
    } else if (text.includes('\0')) {
      out.push(nullCharacter(position, this.header.recordOf(fields)));
    } else {
      out.push(this.header.read(fields, position));
    }
  }

  protected takeLongLine(head: Buffer, out: ReadItem[]): void {
    if (this.header === undefined) {
      throw badHeader(`is longer than ${this.limits.recordBytes} bytes; is this a delimited file?`, this.here());
    }
    const fields = this.charset.text(head, 0, head.length).split(this.separator);
    // The last one is cut: better no username than half of one.
    fields.pop();
    out.push(tooLarge(this.nextPosition(), this.limits.recordBytes, this.header.recordOf(fields)));
  }
}
