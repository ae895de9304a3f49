import type { JsonValue, RecordError, RecordPosition } from '../domain/record.js';
import { addValue, removeValues, replaceValues } from './attribute-edits.js';
import type { TraceEvent } from './compile-environment.js';
import type { AttributeChange, AttributeValue, DependentObject, MapOutcome } from './mapped.js';
import type { AttributeEdit } from './attribute-edits.js';

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
  /** Objects that belong to the user, by destination, in the order in which they were begun. */
  readonly dependents: Readonly<Record<string, readonly PreviewObject[]>>;
  /** Only there when the record sets a name of a dictionary destination. Null: the record removes the name. */
  readonly dictionaries?: Readonly<Record<string, Readonly<Record<string, JsonValue>>>>;
  readonly errors: readonly PreviewError[];
}

export interface PreviewObject {
  /** Tells the objects of a record apart, also in `explain`. */
  readonly object: number;
  /** The object that was loaded; else which of the owner's objects it is, counted from 1. */
  readonly ref?: string;
  readonly place?: number;
  /** The `object` that owns it; absent: the profile does. */
  readonly owner?: number;
  /** As `profile` above. */
  readonly attributes: Readonly<Record<string, readonly AttributeValue[]>>;
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
  const { username, user, tags, dictionaries } = outcome;
  return {
    ...placeOf(file, position),
    username,
    accepted: true,
    user: withoutNulls({ ...user }),
    tags,
    profile: valuesOf(outcome.profile),
    dependents: dependentsOf(outcome.dependents),
    ...(Object.keys(dictionaries).length === 0 ? {} : { dictionaries }),
    errors: outcome.errors.map(withoutValue),
  };
}

function valuesOf(changes: Readonly<Record<string, AttributeChange>>): Record<string, readonly AttributeValue[]> {
  return Object.fromEntries(Object.entries(changes).map(([attribute, change]) => [attribute, change.values]));
}

function dependentsOf(objects: readonly DependentObject[]): Record<string, readonly PreviewObject[]> {
  const byDestination: Record<string, PreviewObject[]> = {};
  for (const { destination, number: object, owner, which, attributes } of objects) {
    (byDestination[destination] ??= []).push({
      object,
      ...('ref' in which ? { ref: which.ref } : { place: which.place + 1 }),
      ...(owner === null ? {} : { owner: objects[owner]?.number ?? 0 }),
      attributes: valuesOf(attributes),
    });
  }
  return byDestination;
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
 * Which events still have an effect when all are over, by `originKey`. They are played again by the rules of
 * attributes: a value that was added twice comes from the first event, one that was replaced or removed from none.
 */
export function originsOf(events: readonly TraceEvent[]): ReadonlyMap<string, Origin> {
  const edits = new Map<string, AttributeEdit>();
  const lasts = new Map<string, TraceEvent>();
  // Edits keep the very objects that they are given.
  const eventsOfValues = new Map<AttributeValue, TraceEvent>();
  for (const event of events) {
    if (event.kind === 'new' || event.kind === 'load') continue;
    const key = originKey(event.destination, event.name, event.object);
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

/** `destination/name`, or `destination[2]/name` for the second of a record's objects. */
export function originKey(destination: string, name: string, object?: number): string {
  return `${destination}${object === undefined ? '' : `[${object}]`}/${name}`;
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

function stepOf({ pointer, destination, name, kind, object, source, qualifier }: TraceEvent): PreviewStep {
  return {
    pointer,
    destination,
    name,
    kind,
    ...(object === undefined ? {} : { object }),
    ...(source === undefined ? {} : { source }),
    ...(qualifier === undefined ? {} : { qualifier }),
  };
}
