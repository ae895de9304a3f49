import type { JsonValue } from '../domain/record.js';
import type { Problem } from '../lib/errors.js';

/**
 * JSON that an operator wrote, with the place of every value: the parser behind the model and control files.
 *
 * `JSON.parse` tells neither where a value stands nor that a key is there twice, and an operator needs both. Objects
 * come without a prototype, so that a key like `__proto__` is a key like any other.
 */
export interface JsonSource {
  /** Undefined when the text is not JSON; `problems` then says why. */
  readonly value: JsonValue | undefined;
  /** Syntax error, duplicate keys, numbers that cannot be kept exactly. */
  readonly problems: readonly Problem[];
  /** 1-based place of the value at a JSON pointer; of its nearest known parent when it does not exist. */
  place(pointer: string): Place;
  /** 1-based place of the key of the member at a JSON pointer. */
  keyPlace(pointer: string): Place;
}

export interface Place {
  readonly line: number;
  /** In UTF-16 code units, as editors count. */
  readonly column: number;
}

/** Deeper documents are refused: nothing an operator writes by hand comes near. */
export const MAX_DEPTH = 100;

export function parseJsonSource(text: string): JsonSource {
  const problems: Problem[] = [];
  const places = new PlaceIndex(text);
  const parser = new Parser(text, places, problems);
  return {
    value: parser.document(),
    problems,
    place: (pointer) => places.ofValue(pointer),
    keyPlace: (pointer) => places.ofKey(pointer),
  };
}

/** `a/b` → `a~1b`, as JSON pointers (RFC 6901) want it. */
export function pointerTo(parent: string, key: string | number): string {
  const text = String(key);
  return `${parent}/${/[~/]/.test(text) ? text.replaceAll('~', '~0').replaceAll('/', '~1') : text}`;
}

class PlaceIndex {
  private readonly values = new Map<string, number>();
  private readonly keys = new Map<string, number>();
  private lineStarts: number[] | undefined;

  constructor(private readonly text: string) {}

  value(pointer: string, offset: number): void {
    this.values.set(pointer, offset);
  }

  key(pointer: string, offset: number): void {
    this.keys.set(pointer, offset);
  }

  ofValue(pointer: string): Place {
    let at = pointer;
    for (;;) {
      const offset = this.values.get(at);
      if (offset !== undefined) return this.at(offset);
      if (at === '') return { line: 1, column: 1 };
      at = at.slice(0, at.lastIndexOf('/'));
    }
  }

  ofKey(pointer: string): Place {
    const offset = this.keys.get(pointer);
    return offset === undefined ? this.ofValue(pointer) : this.at(offset);
  }

  at(offset: number): Place {
    const starts = (this.lineStarts ??= lineStartsOf(this.text));
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  }
}

function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (const end of text.matchAll(/\r\n|\n|\r/g)) starts.push(end.index + end[0].length);
  return starts;
}

/** Thrown and caught in this file only: where and why the text stops being JSON. */
class SyntaxProblem extends Error {
  constructor(
    readonly code: 'not-json' | 'too-deep',
    message: string,
    readonly offset: number,
  ) {
    super(message);
  }
}

class Parser {
  private offset = 0;

  constructor(
    private readonly text: string,
    private readonly places: PlaceIndex,
    private readonly problems: Problem[],
  ) {}

  document(): JsonValue | undefined {
    try {
      if (this.text.charCodeAt(0) === 0xfeff) this.offset = 1;
      const value = this.value('', 0);
      this.skipSpace();
      if (this.offset < this.text.length) this.fail('there is more text after the end of the document');
      return value;
    } catch (error) {
      if (!(error instanceof SyntaxProblem)) throw error;
      const { code, message, offset } = error;
      this.problems.push({ severity: 'error', code, pointer: '', message, ...this.places.at(offset) });
      return undefined;
    }
  }

  private value(pointer: string, depth: number): JsonValue {
    this.skipSpace();
    this.places.value(pointer, this.offset);
    switch (this.text[this.offset]) {
      case '{':
        return this.object(pointer, depth + 1);
      case '[':
        return this.array(pointer, depth + 1);
      case '"':
        return this.string();
      case undefined:
        return this.fail('the text ends where a value should stand');
      default: {
        const word = this.word();
        // `null` is a word too.
        return word === undefined ? this.number(pointer) : word;
      }
    }
  }

  private object(pointer: string, depth: number): JsonValue {
    this.enter(depth);
    const members = Object.create(null) as Record<string, JsonValue>;
    for (let first = true; ; first = false) {
      this.skipSpace();
      if (this.text[this.offset] === '}' && first) break;
      const keyOffset = this.offset;
      if (this.text[keyOffset] === '}') this.fail('remove the `,` before this `}`');
      if (this.text[keyOffset] !== '"') this.fail('expected a key in double quotes');
      const key = this.string();
      const at = pointerTo(pointer, key);
      if (Object.hasOwn(members, key)) this.duplicateKey(at, key, keyOffset);
      this.places.key(at, keyOffset);
      this.skipSpace();
      if (this.text[this.offset] !== ':') this.fail('expected `:` after the key');
      this.offset++;
      members[key] = this.value(at, depth);
      this.skipSpace();
      if (this.text[this.offset] === '}') break;
      if (this.text[this.offset] !== ',') this.fail('expected `,` or `}` after the value');
      this.offset++;
    }
    this.offset++;
    return members;
  }

  private array(pointer: string, depth: number): JsonValue {
    this.enter(depth);
    const elements: JsonValue[] = [];
    for (let first = true; ; first = false) {
      this.skipSpace();
      if (this.text[this.offset] === ']') {
        if (first) break;
        this.fail('remove the `,` before this `]`');
      }
      elements.push(this.value(`${pointer}/${elements.length}`, depth));
      this.skipSpace();
      if (this.text[this.offset] === ']') break;
      if (this.text[this.offset] !== ',') this.fail('expected `,` or `]` after the value');
      this.offset++;
    }
    this.offset++;
    return elements;
  }

  private enter(depth: number): void {
    if (depth > MAX_DEPTH) {
      throw new SyntaxProblem('too-deep', `nested more than ${MAX_DEPTH} levels deep`, this.offset);
    }
    this.offset++;
  }

  /** The bounds are found by hand, the escapes are left to `JSON.parse`, which knows them all. */
  private string(): string {
    const start = this.offset;
    let end = start + 1;
    for (; ; end++) {
      const unit = this.text.charCodeAt(end);
      if (unit === 0x22) break;
      if (unit === 0x5c) end++;
      else if (Number.isNaN(unit)) this.fail('the text ends inside a string that starts here');
      else if (unit < 0x20) this.fail('a string must be closed before the line ends', end);
    }
    this.offset = end + 1;
    const quoted = this.text.slice(start, end + 1);
    try {
      return JSON.parse(quoted) as string;
    } catch {
      return this.fail('the string holds an unknown escape', start);
    }
  }

  private word(): JsonValue | undefined {
    for (const [word, value] of WORDS) {
      if (this.text.startsWith(word, this.offset)) {
        this.offset += word.length;
        return value;
      }
    }
    return undefined;
  }

  private number(pointer: string): JsonValue {
    NUMBER.lastIndex = this.offset;
    const literal = NUMBER.exec(this.text)?.[0];
    if (literal === undefined) return this.fail('this is no JSON value');
    const value = Number(literal);
    if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
      this.problems.push({
        severity: 'error',
        code: 'inexact-number',
        pointer,
        message: 'this number cannot be kept exactly: write it as a string',
        ...this.places.at(this.offset),
      });
    }
    this.offset += literal.length;
    return value;
  }

  private duplicateKey(pointer: string, key: string, offset: number): void {
    this.problems.push({
      severity: 'error',
      code: 'duplicate-key',
      pointer,
      message: `the key ${JSON.stringify(key)} stands here a second time: only one of the two can be meant`,
      ...this.places.at(offset),
    });
  }

  private skipSpace(): void {
    for (; ; this.offset++) {
      const unit = this.text.charCodeAt(this.offset);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
    }
  }

  private fail(message: string, offset = this.offset): never {
    throw new SyntaxProblem('not-json', `not JSON: ${message}`, offset);
  }
}

const WORDS: readonly (readonly [string, JsonValue])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
