import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type YAMLError,
} from 'yaml';
import type { Problem } from '../lib/errors.js';
import { pointerOf, type Path } from './pointer.js';
import { substitute, type Environment } from './substitute.js';

/** A configuration file as plain data, with the place of everything in it. */
export interface ConfigDocument {
  /** Null-prototype objects, arrays and scalars; a key without a value is `undefined`, which stands for 'not given'. */
  readonly data: unknown;
  readonly problems: readonly Problem[];
  /** False when the text is not YAML: then `data` is not worth checking. */
  readonly wellFormed: boolean;
  /** Whether the text at a path holds something of the environment: it may stand for a number or a boolean. */
  isSubstituted(path: Path): boolean;
  /** Where the value at a path stands, or the nearest thing around it that is there. */
  placeOf(path: Path): Place | undefined;
  /** Where the key at the end of a path stands. */
  placeOfKey(path: Path): Place | undefined;
}

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Anchors and aliases may share settings between feeds, but an alias to many aliases must not fill the memory. */
const MAX_ALIASES = 200;

/** Reads YAML 1.2 with `${NAME}` in texts replaced from the environment. Never throws: what is wrong is in `problems`. */
export function readYaml(text: string, environment: Environment): ConfigDocument {
  const lines = new LineCounter();
  // Pretty errors would quote lines of the file, and with them its secrets.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const errors = [...document.errors, ...document.warnings];
  const reader = new PlainReader(document, lines, environment);
  const wellFormed = document.errors.every((error) => error.code === 'DUPLICATE_KEY');
  const data = wellFormed ? reader.read(document.contents, []) : undefined;
  return {
    data,
    problems: [...errors.map((error) => syntaxProblem(error, lines)), ...reader.problems],
    wellFormed,
    isSubstituted: (path) => reader.substituted.has(pointerOf(path)),
    placeOf: (path) => nearestPlace(reader.values, path),
    placeOfKey: (path) => reader.keys.get(pointerOf(path)) ?? nearestPlace(reader.values, path),
  };
}

class PlainReader {
  readonly problems: Problem[] = [];
  readonly substituted = new Set<string>();
  readonly values = new Map<string, Place>();
  readonly keys = new Map<string, Place>();
  readonly #expanding = new Set<unknown>();
  #aliases = 0;

  constructor(
    private readonly document: Document.Parsed,
    private readonly lines: LineCounter,
    private readonly environment: Environment,
  ) {}

  read(node: unknown, path: Path): unknown {
    const place = this.#place(node);
    if (place !== undefined) this.values.set(pointerOf(path), place);
    if (isAlias(node)) return this.#alias(node, path);
    if (isMap(node)) {
      // Without a prototype, so that a key such as __proto__ is only a key.
      const map = Object.create(null) as Record<string, unknown>;
      for (const pair of node.items) {
        const key = isScalar(pair.key) ? String(pair.key.value) : '(a key that is not text)';
        const keyPath = [...path, key];
        const keyPlace = this.#place(pair.key);
        if (keyPlace !== undefined) this.keys.set(pointerOf(keyPath), keyPlace);
        map[key] = this.read(pair.value, keyPath);
      }
      return map;
    }
    if (isSeq(node)) return node.items.map((item, index) => this.read(item, [...path, index]));
    if (!isScalar(node) || node.value === null) return undefined;
    return typeof node.value === 'string' ? this.#text(node.value, path) : node.value;
  }

  #alias(alias: Alias, path: Path): unknown {
    const target = alias.resolve(this.document);
    if (target === undefined) {
      this.#problem('config-syntax', path, 'an alias (*) without its anchor; quote a text that starts with *');
    } else if (this.#expanding.has(target)) {
      this.#problem('config-syntax', path, 'an alias (*) inside of what it stands for');
    } else if (++this.#aliases > MAX_ALIASES) {
      if (this.#aliases === MAX_ALIASES + 1) {
        this.#problem('config-syntax', path, `aliases (*) that stand for more than ${MAX_ALIASES} others`);
      }
    } else {
      this.#expanding.add(target);
      const data = this.read(target, path);
      this.#expanding.delete(target);
      return data;
    }
    return undefined;
  }

  #text(text: string, path: Path): string | undefined {
    const result = substitute(text, this.environment);
    for (const message of result.problems) this.#problem('config-variable', path, message);
    if (result.problems.length > 0) return undefined;
    if (!result.changed) return result.text;
    this.substituted.add(pointerOf(path));
    return result.text === '' ? undefined : result.text;
  }

  #problem(code: string, path: Path, message: string): void {
    this.problems.push({
      severity: 'error',
      code,
      pointer: pointerOf(path),
      message,
      ...nearestPlace(this.values, path),
    });
  }

  #place(node: unknown): Place | undefined {
    const range = (node as { range?: readonly number[] | null } | null)?.range;
    return range?.[0] === undefined ? undefined : placeAt(this.lines, range[0]);
  }
}

function syntaxProblem(error: YAMLError, lines: LineCounter): Problem {
  return {
    severity: 'error',
    code: 'config-syntax',
    pointer: '',
    message: describeSyntax(error),
    ...placeAt(lines, error.pos[0]),
  };
}

/** The parser's words, except where they quote the file. */
function describeSyntax(error: YAMLError): string {
  switch (error.code) {
    case 'DUPLICATE_KEY':
      return 'this key is here twice';
    case 'BAD_ALIAS':
      return 'an anchor (&) or alias (*) without a usable name; quote a text that starts with & or *';
    case 'BAD_DQ_ESCAPE':
      return 'an escape sequence that does not exist; write \\\\ for a backslash, or use single quotes';
    case 'TAG_RESOLVE_FAILED':
      return 'a tag (!) that is not known; quote a text that starts with !';
    case 'MULTIPLE_DOCS':
      return 'more than one document in the file (---)';
    default:
      return `not valid YAML: ${error.message.replace(/:\s.*$/s, '')}`;
  }
}

function placeAt(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

function nearestPlace(places: ReadonlyMap<string, Place>, path: Path): Place | undefined {
  for (let length = path.length; length >= 0; length--) {
    const place = places.get(pointerOf(path.slice(0, length)));
    if (place !== undefined) return place;
  }
  return undefined;
}
