import { JsonSyntaxError, notAnObject, readJsonRecord } from './json-record.js';
import { JsonShape } from './json-shape.js';
import { JsonSkim } from './json-skim.js';
import { LineScanner } from './lines.js';
import type { ReadItem, ReadLimits } from './reader.js';
import { rejection, tooLarge } from './rejection.js';
import type { Opening } from './scan.js';

const OPEN_BRACE = 0x7b;

/** One JSON object a line. A line that is no JSON is one bad record: its end is known all the same. */
export class JsonLinesScanner extends LineScanner {
  private readonly shape = new JsonShape();

  constructor(
    private readonly limits: ReadLimits,
    opening: Opening,
  ) {
    super(opening, limits.recordBytes);
  }

  protected takeLine(bytes: Buffer, lineStart: number, lineEnd: number, out: ReadItem[]): void {
    let start = lineStart;
    let end = lineEnd;
    while (start < end && isSpace(bytes[start])) start++;
    while (end > start && isSpace(bytes[end - 1])) end--;
    if (start === end) return;

    const position = this.nextPosition();
    this.shape.reset();
    if (bytes[start] !== OPEN_BRACE) {
      out.push(isJson(bytes.toString('utf8', start, end)) ? notAnObject(position) : invalidJson(position));
      return;
    }
    if (this.shape.scan(bytes, start, end) !== end) {
      out.push(invalidJson(position));
      return;
    }
    try {
      out.push(readJsonRecord(bytes.subarray(start, end), this.shape, position, this.limits, this.cursor));
    } catch (error) {
      if (!(error instanceof JsonSyntaxError)) throw error;
      out.push(invalidJson(position));
    }
  }

  protected takeLongLine(head: Buffer, out: ReadItem[]): void {
    const skim = new JsonSkim();
    try {
      skim.feed(head);
    } catch {
      // Whatever it is, it is too long; what was understood before is kept.
    }
    out.push(tooLarge(this.nextPosition(), this.limits.recordBytes, skim.members));
  }
}

function invalidJson(position: Parameters<typeof rejection>[0]): ReadItem {
  const message =
    'The line is not valid JSON; have the source system write one JSON object a line, with a JSON library.';
  return rejection(position, 'invalid-json', message);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09;
}
