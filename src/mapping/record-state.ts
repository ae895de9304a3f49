import type { JsonValue, RecordError, RecordErrorCode } from '../domain/record.js';
import { DependentTargets, type CompiledDependent } from './dependents.js';
import type { ExistingUser } from './existing.js';
import type { AttributeEdit } from './attribute-edits.js';
import type { Model } from '../model/model.js';
import { shownValue } from './storable.js';

/** A record with a list of a million wrong values has made its point. */
const MOST_ERRORS = 100;

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
  /** Undefined: the control file has nothing to do with dependent destinations. */
  readonly dependents: DependentTargets | undefined;

  constructor(scalarCount: number, editCount: number, dependents: readonly CompiledDependent[], model: Model) {
    this.scalars = new Array<JsonValue | undefined>(scalarCount).fill(undefined);
    this.edits = new Array<AttributeEdit | undefined>(editCount).fill(undefined);
    this.dependents = dependents.length === 0 ? undefined : new DependentTargets(dependents, this.edits, model);
  }

  start(existing: ExistingUser | undefined): void {
    this.scalars.fill(undefined);
    this.edits.fill(undefined);
    if (this.groups.size > 0) this.groups.clear();
    this.errors.length = 0;
    this.unlistedErrors = 0;
    this.rejected = false;
    this.existing = existing;
    this.dependents?.start(existing);
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
