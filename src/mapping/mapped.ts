import type { JsonValue, RecordError } from '../domain/record.js';

/**
 * What mapping one record gives. Pure data: no database was asked.
 *
 * A record sets some names and leaves others alone. Names that it leaves alone keep what the directory has, so the
 * result is a set of changes rather than a state.
 */
export type MapOutcome = AcceptedRecord | RejectedMapping;

export interface AcceptedRecord {
  readonly accepted: true;
  /** Trimmed of nothing, lower-cased: the identity of the user. */
  readonly username: string;
  readonly user: MappedUser;
  /** Names of `user:tags` that the record set. A name removed by the record has the value null. */
  readonly tags: Readonly<Record<string, string | null>>;
  /** Dictionary destination → name → value. A name removed by the record has the value null. */
  readonly dictionaries: Readonly<Record<string, Readonly<Record<string, JsonValue>>>>;
  /** Attribute code → how the record changes it. */
  readonly profile: Readonly<Record<string, AttributeChange>>;
  /** Objects of dependent destinations, owners before what they own. */
  readonly dependents: readonly DependentObject[];
  /** Errors that did not reject the record (a value that could not be converted, `log-error`). */
  readonly errors: readonly RecordError[];
}

export interface RejectedMapping {
  readonly accepted: false;
  /** Null when it could not be read. */
  readonly username: string | null;
  readonly errors: readonly RecordError[];
}

/** The `user` dictionary: set whole by every record, so that a name it does not set becomes empty. */
export interface MappedUser {
  readonly username: string;
  readonly email: string;
  readonly title: string | null;
  readonly nameFirst: string;
  readonly nameLast: string;
  /** Codes of managed groups, in the model's order, each once. */
  readonly groups: readonly string[];
}

/** One value of an attribute, as stored in `directory.object.attributes`. */
export interface AttributeValue {
  readonly value: JsonValue;
  readonly qualifier?: string;
}

/**
 * The net effect of all instructions of one record on one attribute: existing values are kept except those dropped,
 * then `values` follow, none of them twice.
 */
export interface AttributeChange {
  /** `all` existing values, or those with one of these qualifiers (null: those without a qualifier). */
  readonly drop: 'all' | readonly (string | null)[];
  readonly values: readonly AttributeValue[];
  /** Values were removed before a reference to a person was set: should nobody be found, nothing is left. */
  readonly emptied?: true;
}

/** What a record makes of one object that belongs to the user. */
export interface DependentObject {
  readonly destination: string;
  /** Counted from 1 in the order in which the record's objects were begun; those of which nothing is left count, too. */
  readonly number: number;
  /** Where its owner is in the list of dependents; null: the profile owns it. */
  readonly owner: number | null;
  /** Which object of its owner it is: one that was loaded, or the one at this place, counted from 0. */
  readonly which: { readonly ref: string } | { readonly place: number };
  /** Made when the owner has none; else the changes only concern one that is there already. */
  readonly make: boolean;
  readonly attributes: Readonly<Record<string, AttributeChange>>;
}
