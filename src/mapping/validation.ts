import type { JsonValue } from '../domain/record.js';
import { pointerTo } from '../model/json-source.js';
import type { Model } from '../model/model.js';
import { didYouMean } from '../model/near-miss.js';
import type { ProblemCode, ProblemList } from './problems.js';

/** What the parts of the validator share. */
export interface ValidationContext {
  readonly model: Model;
  readonly problems: ProblemList;
  readonly readerFormats: readonly FormatDescription[];
  readonly isKnownCharset: (charset: string) => boolean;
  readonly recordProcessors: readonly string[];
  readonly filters: ReadonlySet<string>;
  /** Names of the `mapping` tables, also of those that are wrong themselves. */
  readonly mappingNames: ReadonlySet<string>;
  /** Filled while instructions are read. */
  readonly usedMappings: Set<string>;
}

/** What the validator needs to know of a format: its name and options. The readers' registry has it. */
export interface FormatDescription {
  readonly name: string;
  readonly options: readonly FormatOption[];
}

export interface FormatOption {
  readonly name: string;
  readonly type: 'boolean' | 'charset' | 'string';
  readonly required?: boolean;
}

export type JsonObject = Readonly<Record<string, JsonValue>>;

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** One object of the control file: its members by kind, every wrong one reported where it stands. */
export class Members {
  constructor(
    private readonly object: JsonObject,
    readonly pointer: string,
    private readonly context: ValidationContext,
  ) {}

  has(key: string): boolean {
    return Object.hasOwn(this.object, key);
  }

  value(key: string): JsonValue | undefined {
    return this.has(key) ? this.object[key] : undefined;
  }

  at(key: string): string {
    return pointerTo(this.pointer, key);
  }

  string(key: string): string | undefined {
    return this.of(key, 'a string', (value): value is string => typeof value === 'string');
  }

  boolean(key: string): boolean | undefined {
    return this.of(key, 'true or false', (value): value is boolean => typeof value === 'boolean');
  }

  list(key: string): readonly JsonValue[] | undefined {
    return this.of(key, 'a list', isList);
  }

  record(key: string): JsonObject | undefined {
    return this.of(key, 'an object', isObject);
  }

  require(keys: readonly string[]): void {
    for (const key of keys) {
      if (!this.has(key)) this.problem('missing-key', this.at(key), `\`${key}\` is missing`);
    }
  }

  warnOfOthers(known: readonly string[], what: string): void {
    for (const key of Object.keys(this.object)) {
      if (known.includes(key)) continue;
      const message = `unknown key \`${key}\` in ${what}, it is ignored${this.suggest(key, known)}`;
      this.context.problems.addAtKey('unknown-key', this.at(key), message);
    }
  }

  /** `name` is among the known ones; else a problem that suggests the nearest. */
  known(code: ProblemCode, key: string, name: string, known: Iterable<string>, what: string): boolean {
    return this.knownAt(this.at(key), code, name, known, what);
  }

  knownAt(pointer: string, code: ProblemCode, name: string, known: Iterable<string>, what: string): boolean {
    const names = [...known];
    if (names.includes(name)) return true;
    this.problem(code, pointer, `unknown ${what} \`${shorten(name)}\`${this.suggest(name, names)}`);
    return false;
  }

  problem(code: ProblemCode, pointer: string, message: string): void {
    this.context.problems.add(code, pointer, message);
  }

  private suggest(name: string, known: readonly string[]): string {
    return this.context.problems.isLong ? '' : didYouMean(name, known);
  }

  private of<T extends JsonValue>(key: string, what: string, is: (value: JsonValue) => value is T): T | undefined {
    if (!this.has(key)) return undefined;
    const value = this.object[key];
    if (value === undefined) return undefined;
    if (is(value)) return value;
    this.problem('wrong-type', this.at(key), `\`${key}\` must be ${what}, not ${kindOf(value)}`);
    return undefined;
  }
}

export function kindOf(value: JsonValue): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return `a ${typeof value}`;
}

function shorten(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}…` : name;
}
