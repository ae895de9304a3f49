import { jsonParser, type Token } from 'stream-json/core/parser.js';
import { jsonVerifier } from 'stream-json/core/utils/verifier.js';
import type { InputRecord, JsonValue } from '../domain/record.js';
import { inexactNumber } from './json-number.js';

const LONGEST_TEXT = 1024;
const MOST_MEMBERS = 500;
/** Beyond it even a count of open brackets would cost memory. */
const DEEPEST = 1_000_000;

/**
 * Reads a record that is too large, too deep or otherwise unfit to be held: checks its syntax, and keeps the short plain
 * values of its first level, so that it can be found out whose record it is. Takes text in pieces; memory stays small.
 */
export class JsonSkim {
  private readonly kept = new Map<string, JsonValue>();
  /** Names that stood there before, whatever their values: a value that is not the only one tells nothing. */
  private readonly seen = new Set<string>();
  private depth = 0;
  private key: string | undefined;
  private text: string | undefined;
  private readonly parse = jsonParser({ packValues: false });
  private readonly decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  /** Those read so far of the short strings, exact numbers, booleans and nulls of the first level. */
  get members(): InputRecord {
    const members = Object.create(null) as Record<string, JsonValue>;
    for (const [name, value] of this.kept) members[name] = value;
    return members;
  }

  /** @throws when the syntax is wrong or the nesting bottomless */
  feed(bytes: Buffer): void {
    const tokens = this.parse(this.decoder.decode(bytes, { stream: true }));
    if (typeof tokens === 'symbol' || !('values' in tokens)) return;
    for (const token of tokens.values) this.take(token);
  }

  private take(token: Token): void {
    switch (token.name) {
      case 'startObject':
      case 'startArray':
        if (++this.depth > DEEPEST) throw new Error('nested too deep');
        break;
      case 'endObject':
      case 'endArray':
        this.depth--;
        break;
      case 'startKey':
      case 'startString':
      case 'startNumber':
        this.text = this.depth === 1 ? '' : undefined;
        break;
      case 'stringChunk':
      case 'numberChunk':
        if (this.text !== undefined) this.text += token.value;
        if (this.text !== undefined && this.text.length > LONGEST_TEXT) this.text = undefined;
        break;
      case 'endKey':
        if (this.depth === 1) this.startMember(this.text);
        break;
      case 'endString':
        this.keep(this.text);
        break;
      case 'endNumber':
        if (this.text !== undefined && inexactNumber(this.text) === undefined) this.keep(Number(this.text));
        break;
      case 'trueValue':
      case 'falseValue':
      case 'nullValue':
        this.keep(token.value);
        break;
      default:
    }
  }

  private startMember(name: string | undefined): void {
    this.key = undefined;
    if (name === undefined) return;
    if (this.seen.has(name)) this.kept.delete(name);
    else if (this.seen.size < MOST_MEMBERS) this.key = name;
    if (this.seen.size < MOST_MEMBERS) this.seen.add(name);
  }

  private keep(value: JsonValue | undefined): void {
    if (this.depth === 1 && this.key !== undefined && value !== undefined) this.kept.set(this.key, value);
  }
}

/** Where the syntax of a JSON text goes wrong, as an index; its length when it only lacks an end. */
export function syntaxErrorAt(text: string): number {
  try {
    // Close to the end the verifier waits for more before it decides.
    jsonVerifier()(`${text}${' '.repeat(64)}`);
  } catch (error) {
    if (error instanceof Error && 'offset' in error && typeof error.offset === 'number') {
      return Math.min(error.offset, text.length);
    }
  }
  return text.length;
}

/** A name that stands twice in one object of a valid JSON text. */
export function repeatedName(text: string): string | undefined {
  const tokens = jsonParser({ packValues: true, streamValues: false })(text);
  if (typeof tokens === 'symbol' || !('values' in tokens)) return undefined;
  const open: Set<string>[] = [];
  for (const token of tokens.values) {
    if (token.name === 'startObject') open.push(new Set());
    else if (token.name === 'endObject') open.pop();
    else if (token.name === 'keyValue') {
      const names = open.at(-1);
      if (names?.has(token.value) === true) return token.value;
      names?.add(token.value);
    }
  }
  return undefined;
}
