import type { Problem } from '../lib/errors.js';
import type { JsonSource, Place } from '../model/json-source.js';

/**
 * Everything that can be wrong with a control file: stable code → severity and what it means. One table for the
 * validator and for the documentation.
 */
export const CONTROL_FILE_PROBLEMS = {
  'not-json': ['error', 'The file is not JSON; the message says where it stops being so.'],
  'too-deep': ['error', 'Arrays and objects are nested deeper than any control file needs.'],
  'duplicate-key': ['error', 'An object has the same key twice; only one of the two can be meant.'],
  'inexact-number': ['error', 'A number is too large to be kept exactly; write it as a string.'],
  'too-many-problems': ['error', 'There are more problems than are listed; mend these first.'],
  'unknown-key': ['warning', 'A key that means nothing here, often a slip; it is ignored.'],
  'missing-key': ['error', 'A key that this place needs is not there.'],
  'wrong-type': ['error', 'A value is of the wrong kind, such as a string where a list should stand.'],
  'unsupported-version': ['error', '`dataImportControlFileVersion` must be 0.'],
  'wrong-model': ['error', 'The control file is for another data model; a user sync needs `haplo:user-sync`.'],
  'no-files': ['error', '`files` lists no file, so no batch would ever be complete.'],
  'default-file': ['error', 'A user sync lists every file by name: the list says when a batch is complete.'],
  'invalid-file-name': ['error', 'A name in `files` has letters that names of uploads cannot have.'],
  'unknown-reader': ['error', '`read` names no format.'],
  'unknown-charset': ['error', '`charset` names no character set that can be read.'],
  'invalid-option': ['error', 'An option of a file cannot have this value.'],
  'unknown-record-processor': ['error', '`recordProcessor` names no function that a plugin provides.'],
  'unknown-action': ['error', '`action` names no instruction.'],
  'unknown-destination': ['error', '`destination` names nothing that values can be put into.'],
  'unknown-name': ['error', '`name` is not a name of that destination.'],
  'unknown-qualifier': ['error', '`qualifier` is not one of the model.'],
  'unknown-filter': ['error', '`filters` names a filter that nothing provides.'],
  'unknown-mapping': ['error', '`refMapping` names no entry of `mapping`.'],
  'unknown-type': ['error', 'An object type is not one of the model.'],
  'unknown-structured-type': ['error', '`structured` names no pseudo-destination that collects a structured value.'],
  'unknown-attribute-group': ['error', '`source` names no pseudo-destination that collects an attribute group.'],
  'unknown-country': ['error', '`country` is not the two-letter code of a country.'],
  'unknown-behaviour': ['warning', 'A mapping refers to a behaviour code that no object of the model has.'],
  'too-many-candidates': [
    'error',
    'A mapping by title would have to look through too many objects; use behaviour codes.',
  ],
  'unknown-group': ['warning', 'A constant group code that is unknown or not managed: it would reject every record.'],
  'wrong-destination': ['error', 'The instruction cannot be used with this destination.'],
  'needs-structured-value': ['error', 'The value has parts: collect them and set it with `field-structured`.'],
  'structured-mismatch': ['error', 'The collected value is of another data type than the name.'],
  'missing-date-format': ['error', 'A date needs `dateFormat`, which says how the input writes it.'],
  'invalid-date-format': ['error', '`dateFormat` has a letter that is not supported, or cannot be read back.'],
  'doubtful-date-format': ['warning', '`dateFormat` has minutes and no hour: `mm` is minutes, `MM` is the month.'],
  'name-set-by-sync': ['warning', 'The unqualified name of a profile is built from the user; this value is not used.'],
  'same-true-and-false': ['error', '`trueValue` and `falseValue` are the same.'],
  'overwrites-in-loop': ['error', 'Inside `for-each` a later element would overwrite this value.'],
  'no-username': ['error', 'No unconditional top-level `field` instruction sets the username.'],
  'not-in-user-sync': ['error', '`new` and `load` of `user` and `profile` are the business of the sync itself.'],
  'unused-key': ['warning', 'A key that has no effect on this name, such as a qualifier in a dictionary.'],
  'unused-mapping': ['warning', 'An entry of `mapping` that no instruction uses.'],
  'username-set-twice': ['warning', 'The username is set in several places; the last one wins.'],
} as const satisfies Record<string, readonly [Problem['severity'], string]>;

export type ProblemCode = keyof typeof CONTROL_FILE_PROBLEMS;

/** More are of no help to anyone, and a hostile file could have millions. */
const MOST_PROBLEMS = 1000;

/** Collects the problems of one control file with their places. */
export class ProblemList {
  private readonly list: Problem[];
  private full = false;

  constructor(private readonly source: JsonSource) {
    this.list = source.problems.slice(0, MOST_PROBLEMS);
  }

  /** The value at the pointer is wrong; of a value that is not there, its nearest parent is shown. */
  add(code: ProblemCode, pointer: string, message: string): void {
    this.push(code, pointer, message, this.source.place(pointer));
  }

  /** The key itself is wrong. */
  addAtKey(code: ProblemCode, pointer: string, message: string): void {
    this.push(code, pointer, message, this.source.keyPlace(pointer));
  }

  /** So many problems that looking for near-misses would take longer than it helps. */
  get isLong(): boolean {
    return this.list.length >= 200;
  }

  get hasErrors(): boolean {
    return this.list.some((problem) => problem.severity === 'error');
  }

  /** In the order of the file. */
  sorted(): Problem[] {
    return this.list.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  }

  private push(code: ProblemCode, pointer: string, message: string, place: Place): void {
    if (this.full) return;
    if (this.list.length >= MOST_PROBLEMS) {
      this.full = true;
      const more = `more than ${MOST_PROBLEMS} problems: the others are not listed`;
      this.list.push({ severity: 'error', code: 'too-many-problems', pointer: '', message: more });
      return;
    }
    this.list.push({ severity: CONTROL_FILE_PROBLEMS[code][0], code, pointer, message, ...place });
  }
}
