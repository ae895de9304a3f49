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
  /** Attribute code → how the record changes it. */
  readonly profile: Readonly<Record<string, AttributeChange>>;
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
}
