import type { InputRecord, JsonValue } from '../domain/record.js';

/** What keeps a value that a plugin made from being used as JSON. */
export type Impurity = 'not-json' | 'null-character' | 'too-deep' | 'too-many-keys' | 'too-large';

export interface JsonCaps {
  readonly depth: number;
  /** Names of objects, nested ones included. */
  readonly keys: number;
  /** Roughly: the characters of all names and texts, and a few for everything else. */
  readonly size: number;
}

/** A null character, or half of a surrogate pair: Postgres takes neither. */
const UNSTORABLE = /\0|\p{Surrogate}/u;

/** Undefined: it is JSON within the caps. A value that contains itself is too deep. */
export function impurityOf(value: unknown, caps: JsonCaps): Impurity | undefined {
  return new Inspection(caps).look(value, 0);
}

/** An object whose members are data: no list, no instance of a class with a behaviour of its own. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value) as unknown;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Of something that is not JSON, the members that are by themselves: good for finding out whose record it is. */
export function plainMembers(value: Readonly<Record<string, unknown>>): InputRecord {
  const members = Object.create(null) as Record<string, JsonValue>;
  for (const [name, member] of Object.entries(value)) {
    if (typeof member === 'string' || typeof member === 'boolean' || Number.isFinite(member)) {
      members[name] = member as JsonValue;
    }
  }
  return members;
}

class Inspection {
  private keys = 0;
  private size = 0;

  constructor(private readonly caps: JsonCaps) {}

  look(value: unknown, depth: number): Impurity | undefined {
    switch (typeof value) {
      case 'string':
        return this.text(value);
      case 'number':
        return Number.isFinite(value) ? this.grow(8) : 'not-json';
      case 'boolean':
        return this.grow(5);
      case 'object':
        return value === null ? this.grow(4) : this.members(value, depth + 1);
      default:
        return 'not-json';
    }
  }

  private members(value: object, depth: number): Impurity | undefined {
    if (depth > this.caps.depth) return 'too-deep';
    if (Array.isArray(value)) {
      for (const element of value as unknown[]) {
        const impurity = this.look(element, depth);
        if (impurity !== undefined) return impurity;
      }
      return this.grow(2);
    }
    if (!isPlainObject(value)) return 'not-json';
    for (const name of Object.keys(value)) {
      if (++this.keys > this.caps.keys) return 'too-many-keys';
      const impurity = this.text(name) ?? this.look(value[name], depth);
      if (impurity !== undefined) return impurity;
    }
    return this.grow(2);
  }

  private text(text: string): Impurity | undefined {
    return UNSTORABLE.test(text) ? 'null-character' : this.grow(text.length + 3);
  }

  private grow(by: number): Impurity | undefined {
    this.size += by;
    return this.size > this.caps.size ? 'too-large' : undefined;
  }
}
