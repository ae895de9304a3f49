import type { JsonValue, RecordError, RecordErrorCode } from '../domain/record.js';
import type { AttributeValue } from './mapped.js';
import { shownValue } from './storable.js';

/** What the directory holds for the user of a record, for `if-has-value`. */
export interface ExistingUser {
  readonly tags: Readonly<Record<string, string>>;
  readonly profile: Readonly<Record<string, readonly AttributeValue[]>>;
}

/** A record with a list of a million wrong values has made its point. */
const MOST_ERRORS = 100;

/** How one record changes one attribute so far; becomes part of the outcome as it is. */
export interface AttributeEdit {
  drop: 'all' | readonly (string | null)[];
  values: AttributeValue[];
}

/**
 * What the instructions have done so far for one record. One instance serves all records, one after the other; only
 * what leaves in an outcome is allocated anew.
 */
export class RecordState {
  /** Values of names that hold one value; null when removed. */
  readonly scalars: (JsonValue | undefined)[];
  /** Attributes of objects and of attribute groups. */
  readonly edits: (AttributeEdit | undefined)[];
  /** Positions in the model's list of groups. */
  readonly groups = new Set<number>();
  private errors: RecordError[] = [];
  private unlistedErrors = 0;
  rejected = false;
  existing: ExistingUser | undefined;

  constructor(scalarCount: number, editCount: number) {
    this.scalars = new Array<JsonValue | undefined>(scalarCount).fill(undefined);
    this.edits = new Array<AttributeEdit | undefined>(editCount).fill(undefined);
  }

  start(existing: ExistingUser | undefined): void {
    this.scalars.fill(undefined);
    this.edits.fill(undefined);
    if (this.groups.size > 0) this.groups.clear();
    this.errors.length = 0;
    this.unlistedErrors = 0;
    this.rejected = false;
    this.existing = existing;
  }

  /** The record goes on without the value. */
  error(code: RecordErrorCode, message: string, source?: string, value?: JsonValue): void {
    if (this.errors.length >= MOST_ERRORS) {
      this.unlistedErrors++;
      return;
    }
    this.errors.push({
      code,
      message,
      ...(source === undefined ? {} : { source }),
      ...(value === undefined ? {} : { value: shownValue(value) }),
    });
  }

  /** The record goes on, to find what else is wrong with it, but nothing of it is applied. */
  reject(code: RecordErrorCode, message: string, source?: string, value?: JsonValue): void {
    this.rejected = true;
    this.error(code, message, source, value);
  }

  /** The errors so far leave with the outcome. `none` is given when there are none. */
  takeErrors(none: readonly RecordError[]): readonly RecordError[] {
    const { errors, unlistedErrors } = this;
    const last = errors.at(-1);
    if (last === undefined) return none;
    if (unlistedErrors > 0) {
      errors[errors.length - 1] = {
        ...last,
        message: `${last.message} (${unlistedErrors} more errors are not listed.)`,
      };
    }
    this.errors = [];
    return errors;
  }
}
