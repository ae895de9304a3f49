import type { JsonValue, RecordError, RecordPosition } from '../domain/record.js';
import { addValue, removeValues, replaceValues } from './attribute-edits.js';
import type { TraceEvent } from './compile-environment.js';
import type { AttributeValue, MapOutcome } from './mapped.js';
import type { AttributeEdit } from './record-state.js';

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

/** One thing that an instruction did to a record, as `preview --explain` prints it: without the value. */
export type PreviewStep = Omit<TraceEvent, 'value'>;

export interface ExplainedPreviewLine extends PreviewLine {
  /** What the instructions did, in order; also for a rejected record, whose values are not shown. */
  readonly explain: readonly PreviewStep[];
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

/** @param events everything that was traced while the record was mapped */
export function withExplanation(line: PreviewLine, events: readonly TraceEvent[]): ExplainedPreviewLine {
  return { ...line, explain: events.map(stepOf) };
}

/** Where what one name holds in the end comes from. */
export interface Origin {
  /** The event behind each value, in the order of the values. */
  readonly values: readonly TracedValue[];
  /** The last event of all: what counts for a name that holds one value or was emptied. */
  readonly last: TraceEvent;
}

export interface TracedValue {
  readonly value: JsonValue;
  readonly event: TraceEvent;
}

/**
 * Which events still have an effect when all are over, by `destination/name`. They are played again by the rules of
 * attributes: a value that was added twice comes from the first event, one that was replaced or removed from none.
 */
export function originsOf(events: readonly TraceEvent[]): ReadonlyMap<string, Origin> {
  const edits = new Map<string, AttributeEdit>();
  const lasts = new Map<string, TraceEvent>();
  // Edits keep the very objects that they are given.
  const eventsOfValues = new Map<AttributeValue, TraceEvent>();
  for (const event of events) {
    const key = `${event.destination}/${event.name}`;
    lasts.set(key, event);
    if (event.kind === 'remove' || event.value === undefined) {
      edits.set(key, removeValues());
      continue;
    }
    const { value, qualifier } = event;
    const entry = qualifier === undefined ? { value } : { value, qualifier };
    eventsOfValues.set(entry, event);
    edits.set(key, (event.kind === 'add' ? addValue : replaceValues)(edits.get(key), entry));
  }
  return new Map(
    [...lasts].map(([key, last]) => {
      const values = (edits.get(key)?.values ?? []).flatMap((entry) => {
        const event = eventsOfValues.get(entry);
        return event === undefined ? [] : [{ value: entry.value, event }];
      });
      return [key, { values, last }] as const;
    }),
  );
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

function stepOf({ pointer, destination, name, kind, source, qualifier }: TraceEvent): PreviewStep {
  return {
    pointer,
    destination,
    name,
    kind,
    ...(source === undefined ? {} : { source }),
    ...(qualifier === undefined ? {} : { qualifier }),
  };
}
