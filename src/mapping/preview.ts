import type { JsonValue, RecordError, RecordPosition } from '../domain/record.js';
import type { AttributeValue, MapOutcome } from './mapped.js';

/** One record as `preview` prints it: what the control file made of it, without a database. */
export interface PreviewLine {
  readonly file: string;
  readonly record: number;
  readonly line: number;
  readonly username: string | null;
  readonly accepted: boolean;
  /** Names with a value; empty for a rejected record, like the members after it. */
  readonly user: Readonly<Record<string, JsonValue>>;
  /** Null: the record removes the tag. */
  readonly tags: Readonly<Record<string, string | null>>;
  /** What the control file set; an empty list: the record removes all values. */
  readonly profile: Readonly<Record<string, readonly AttributeValue[]>>;
  readonly dependents: Readonly<Record<string, never>>;
  readonly errors: readonly PreviewError[];
}

/** Without the offending value: that is only for the run's error list. */
export interface PreviewError {
  readonly code: string;
  readonly source?: string;
  readonly message: string;
}

export function previewOutcome(file: string, position: RecordPosition, outcome: MapOutcome): PreviewLine {
  if (!outcome.accepted) return previewRejection(file, position, outcome.username, outcome.errors);
  const { username, user, tags } = outcome;
  const profile = Object.entries(outcome.profile).map(([attribute, change]) => [attribute, change.values] as const);
  return {
    ...placeOf(file, position),
    username,
    accepted: true,
    user: withoutNulls({ ...user }),
    tags,
    profile: Object.fromEntries(profile),
    dependents: {},
    errors: outcome.errors.map(withoutValue),
  };
}

/** Also for records that could not be read. */
export function previewRejection(
  file: string,
  position: RecordPosition,
  username: string | null,
  errors: readonly RecordError[],
): PreviewLine {
  return {
    ...placeOf(file, position),
    username,
    accepted: false,
    user: {},
    tags: {},
    profile: {},
    dependents: {},
    errors: errors.map(withoutValue),
  };
}

function placeOf(file: string, { record, line }: RecordPosition): { file: string; record: number; line: number } {
  return { file, record, line };
}

function withoutNulls(members: Readonly<Record<string, JsonValue>>): Record<string, JsonValue> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null));
}

function withoutValue({ code, source, message }: RecordError): PreviewError {
  return source === undefined ? { code, message } : { code, source, message };
}
