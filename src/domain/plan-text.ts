import type { ChangeState, DependentState, PlannedChange } from './run.js';
import { valueText } from './value-text.js';

/** A run's plan as it leaves the program: what commands and the HTTP interface have in common. */

/** One name whose value differs. */
export interface ChangedField {
  /** `user/email`, `profile/std:attribute:url`, … */
  readonly name: string;
  readonly before: unknown;
  readonly after: unknown;
}

export const PLAN_COLUMNS = ['kind', 'username', 'applied', 'field', 'before', 'after'] as const;

export function fieldsOf(change: PlannedChange): ChangedField[] {
  const before = flatten(change.before);
  const after = flatten(change.after);
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return names.map((name) => ({ name, before: before.get(name), after: after.get(name) }));
}

/** The cells of `PLAN_COLUMNS`, a row for each field. */
export function planRows(change: PlannedChange): string[][] {
  const { kind, username, applied } = change;
  return fieldsOf(change).map(({ name, before, after }) => [
    kind,
    username,
    String(applied),
    name,
    valueText(before),
    valueText(after),
  ]);
}

/** A line of NDJSON. Its names are a contract. */
export function planLine({
  kind,
  username,
  before,
  after,
  applied,
}: PlannedChange): Pick<PlannedChange, 'kind' | 'username' | 'applied' | 'before' | 'after'> {
  return { kind, username, applied, before, after };
}

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
