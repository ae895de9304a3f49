import { Cursor, type Place } from './cursor.js';
import { HeldBytes } from './held-bytes.js';
import { ReadError, type ReadItem } from './reader.js';
import type { Opening, Scanner } from './scan.js';

const LT = 0x3c;
const GT = 0x3e;
const SLASH = 0x2f;
/** Beyond it even the stack of open elements would cost memory. */
const DEEPEST = 1_000_000;

type State = 'text' | '<' | 'tag' | 'value' | 'end tag' | '<!' | 'comment' | 'cdata' | 'instruction';

/** One record, from `<` to `>`. The bytes are only valid during the call that hands them over. */
export interface XmlElement {
  readonly bytes: Buffer;
  readonly place: Place;
  /** Levels of elements in it, itself included. */
  readonly depth: number;
  /** Whether `bytes` is only the start of it. */
  readonly tooLong: boolean;
}

/**
 * Cuts an XML document into records and what is between them, by its tags alone, so that a record that is too large, or
 * has bytes of another charset, can be skipped. Everything it cuts is still read by the XML parser; here only those
 * errors are found that make the cuts doubtful.
 */
export abstract class XmlSplitter implements Scanner {
  protected readonly cursor: Cursor;
  private readonly held: HeldBytes;
  private state: State = 'text';
  /** Where the record or what is between records begins. */
  private place: Place = { line: 1, byte: 0 };
  private inRecord = false;
  private deepest = 0;
  /** For each open element a hash of its name: enough to see that a closing tag belongs to another one. */
  private readonly open: number[] = [];
  private name = 0;
  private inName = false;
  private quote = 0;
  private last = 0;
  /** The bytes after `<!`, or how many dashes or brackets just passed. */
  private bang = '';
  private run = 0;

  /** @param recordDepth of the elements around a record: 1 below the root, 0 for the root itself */
  constructor(
    opening: Opening,
    private readonly recordDepth: 0 | 1,
    private readonly longestRecord: number,
  ) {
    this.cursor = new Cursor(opening);
    this.held = new HeldBytes(longestRecord);
  }

  protected abstract takeRecord(element: XmlElement, out: ReadItem[]): void;
  /** Prolog, start and end of the root, what is between records: in parts that each hold whole characters. */
  protected abstract takeBetween(bytes: Buffer, place: Place): void;
  protected abstract malformed(place: Place, what: string): ReadError;

  push(piece: Buffer, out: ReadItem[]): void {
    let start = 0;
    for (let i = 0; i < piece.length; i++) {
      if (this.state === 'text') {
        i = piece.indexOf(LT, i);
        if (i < 0) break;
        this.state = '<';
        if (this.inRecord) continue;
        // A record may start here; so what is before it ends here.
        this.cut(piece, start, i, out);
        start = i;
        continue;
      }
      const recordEnded = this.step(piece, i);
      if (!recordEnded) continue;
      this.cut(piece, start, i + 1, out);
      start = i + 1;
    }
    if (start < piece.length) this.hold(piece, start);
    this.cursor.endPiece(piece);
  }

  end(out: ReadItem[]): void {
    if (this.state !== 'text' || this.open.length > 0) {
      const what = this.inRecord ? `within the record that starts at line ${this.place.line}` : "before the root's end";
      throw new ReadError('truncated-file', `The file ends ${what}; upload it again, whole.`, this.cursor.here());
    }
    this.cut(Buffer.alloc(0), 0, 0, out);
  }

  /** Takes one byte of markup; true when it ends a record. */
  private step(piece: Buffer, i: number): boolean {
    const byte = piece[i] ?? 0;
    switch (this.state) {
      case '<':
        this.startMarkup(byte);
        return false;
      case 'tag':
        return this.stepTag(byte, piece, i);
      case 'value':
        if (byte === this.quote) this.state = 'tag';
        return false;
      case 'end tag':
        if (byte !== GT) {
          this.stepName(byte);
          return false;
        }
        this.state = 'text';
        if (this.open.pop() !== this.name) {
          throw this.malformed(this.cursor.at(piece, i), 'a closing tag does not match the element that is open');
        }
        return this.inRecord && this.open.length === this.recordDepth;
      case '<!':
        this.stepBang(byte, piece, i);
        return false;
      case 'comment':
      case 'cdata':
        if (byte === GT && this.run >= 2) this.state = 'text';
        this.run = byte === (this.state === 'cdata' ? 0x5d : 0x2d) ? this.run + 1 : 0;
        return false;
      case 'instruction':
        if (byte === GT && this.last === 0x3f) this.state = 'text';
        this.last = byte;
        return false;
      case 'text':
        return false;
    }
  }

  private startMarkup(byte: number): void {
    this.last = 0;
    this.name = 0;
    this.inName = true;
    this.bang = '';
    this.run = 0;
    if (byte === SLASH) this.state = 'end tag';
    else if (byte === 0x21) this.state = '<!';
    else if (byte === 0x3f) this.state = 'instruction';
    else {
      this.state = 'tag';
      this.stepName(byte);
      if (!this.inRecord && this.open.length === this.recordDepth) {
        this.inRecord = true;
        this.deepest = 0;
      }
    }
  }

  private stepTag(byte: number, piece: Buffer, i: number): boolean {
    if (byte === 0x22 || byte === 0x27) {
      this.quote = byte;
      this.state = 'value';
    } else if (byte === GT) {
      this.state = 'text';
      this.deepest = Math.max(this.deepest, this.open.length + 1 - this.recordDepth);
      if (this.last === SLASH) return this.inRecord && this.open.length === this.recordDepth;
      if (this.open.push(this.name) > DEEPEST) {
        throw this.malformed(this.cursor.at(piece, i), `elements are nested more than ${DEEPEST} levels deep`);
      }
    } else {
      this.stepName(byte);
    }
    this.last = byte;
    return false;
  }

  private stepName(byte: number): void {
    if (byte <= 0x20 || byte === SLASH) this.inName = false;
    else if (this.inName) this.name = (Math.imul(this.name, 31) + byte) | 0;
  }

  private stepBang(byte: number, piece: Buffer, i: number): void {
    this.bang += String.fromCharCode(byte);
    if (this.bang === '--') this.state = 'comment';
    else if (this.bang === '[CDATA[') this.state = 'cdata';
    else if (this.bang === 'D') {
      const place = this.cursor.at(piece, i);
      throw new ReadError(
        'doctype-refused',
        `The file has a <!DOCTYPE at line ${place.line}, byte ${place.byte}: declarations and entities of its own are ` +
          'not read, for safety; write it without.',
        place,
      );
    } else if (!'--'.startsWith(this.bang) && !'[CDATA['.startsWith(this.bang)) {
      throw this.malformed(this.cursor.at(piece, i), '<! starts neither a comment nor a CDATA section');
    }
  }

  private hold(piece: Buffer, start: number): void {
    if (this.held.length === 0) this.place = this.cursor.at(piece, start);
    this.held.append(piece, start, piece.length);
    if (this.held.tooLong && !this.inRecord) throw this.betweenTooLong();
  }

  /** Hands over what goes from `start` to `end`: a record, or what is between records. */
  private cut(piece: Buffer, start: number, end: number, out: ReadItem[]): void {
    let bytes = piece.subarray(start, end);
    if (this.held.length === 0) {
      this.place = this.cursor.at(piece, start);
    } else {
      this.held.append(piece, start, end);
      bytes = this.held.view();
    }
    const tooLong = this.held.tooLong || bytes.length > this.longestRecord;
    const { inRecord, place } = this;
    this.inRecord = false;
    this.held.clear();
    if (inRecord) {
      const kept = bytes.subarray(0, this.longestRecord);
      this.takeRecord({ bytes: kept, place, depth: this.deepest, tooLong }, out);
    } else if (tooLong) {
      throw this.betweenTooLong();
    } else if (bytes.length > 0) {
      this.takeBetween(bytes, place);
    }
  }

  private betweenTooLong(): ReadError {
    return this.malformed(this.place, `there are more than ${this.longestRecord} bytes between two records`);
  }
}
