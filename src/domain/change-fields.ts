import type { ChangeState, DependentState, PlannedChange } from './run.js';

/** One name of a user that a run changes, with its value before and after; undefined where there is none. */
export interface ChangedField {
  readonly name: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** A change name by name, as the command line, the web page and CSV list it. */
export function fieldsOf(change: Pick<PlannedChange, 'before' | 'after'>): ChangedField[] {
  const before = flatten(change.before);
  const after = flatten(change.after);
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return names.map((name) => ({ name, before: before.get(name), after: after.get(name) }));
}

/** `user/email`, `profile/std:attribute:url`, … to values. */
function flatten(state: ChangeState | null): Map<string, unknown> {
  const fields = new Map<string, unknown>();
  for (const [section, part] of Object.entries(state ?? {}) as [string, unknown][]) {
    if (Array.isArray(part) || typeof part !== 'object' || part === null) fields.set(section, part);
    else if (section === 'dependents') flattenObjects(part, fields);
    else for (const [name, value] of Object.entries(part)) fields.set(`${section}/${name}`, value);
  }
  return fields;
}

/** `example:appointment 12/std:attribute:date`: objects that belong to the user, by their ref. */
function flattenObjects(objects: object, fields: Map<string, unknown>): void {
  for (const [ref, object] of Object.entries(objects) as [string, DependentState][]) {
    for (const [name, value] of Object.entries(object.attributes ?? {})) {
      fields.set(`${object.destination} ${ref}/${name}`, value);
    }
  }
}
