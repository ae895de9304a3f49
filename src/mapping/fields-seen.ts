import type { InputRecord } from '../domain/record.js';
import { nearest } from '../lib/nearest.js';
import type { ControlFile, Instruction } from './instruction.js';
import { sourcesOfNames } from './mapped-names.js';

/** JSON records may each have names of their own. */
const MOST_NAMES = 10_000;
const MOST_LISTED = 12;
const LONGEST_NAME = 100;

/** Compares the fields that a control file reads with those that records have: for whoever is writing one. */
export class FieldsSeen {
  readonly #read: ReadonlySet<string>;
  readonly #username: string | undefined;
  readonly #seen = new Set<string>();

  constructor(control: ControlFile) {
    this.#read = new Set(fieldsOf(control.instructions));
    this.#username = sourcesOfNames(control).get('user/username');
  }

  add(record: InputRecord): void {
    if (this.#seen.size < MOST_NAMES) for (const name of Object.keys(record)) this.#seen.add(name);
  }

  /** What is probably a slip, in sentences. A field that is merely empty in all records is none. */
  hints(): string[] {
    const unread = [...this.#seen].filter((name) => !this.#read.has(name));
    const [only] = this.#seen.size === 1 ? unread : [];
    if (only !== undefined && /[;,|\t]/.test(only)) {
      return [
        `The records have one field, ${quoted(only)}: does the file need another \`delimiter\` or \`separator\`?`,
      ];
    }
    return [...this.#read].flatMap((name) => {
      if (unread.length === 0 || this.#seen.has(name)) return [];
      const meant = nearest(name, unread);
      if (meant !== undefined) return [`No record has the field ${quoted(name)}: did you mean ${quoted(meant)}?`];
      if (name !== this.#username) return [];
      return [`No record has the field ${quoted(name)}, which gives the username. Fields not used: ${listed(unread)}.`];
    });
  }
}

/** Fields of the record itself, not of what is nested in it. */
function fieldsOf(instructions: readonly Instruction[]): string[] {
  return instructions.flatMap((instruction) => {
    switch (instruction.action) {
      case 'field':
      case 'within':
      case 'for-each':
        return [instruction.source];
      case 'if-exists':
      case 'if-value-one-of':
        return [instruction.source, ...fieldsOf(instruction.then), ...fieldsOf(instruction.else)];
      case 'if-has-value':
        return [...fieldsOf(instruction.then), ...fieldsOf(instruction.else)];
      case 'load':
        return fieldsOf(instruction.otherwise ?? []);
      default:
        return [];
    }
  });
}

function listed(names: readonly string[]): string {
  const more = names.length - MOST_LISTED;
  return names.slice(0, MOST_LISTED).map(quoted).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function quoted(name: string): string {
  return `\`${name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name}\``;
}
