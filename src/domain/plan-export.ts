import { csvLine } from '../lib/csv.js';
import { fieldsOf } from './change-fields.js';
import type { PlannedChange } from './run.js';
import { valueText } from './value-text.js';

/** A run's plan as it leaves the program: what commands, pages and the interface have in common. */

/** As CSV: a line a name that changes. Spreadsheets open it, so cells are neutralised. */
export const PLAN_CSV_HEAD = csvLine(['kind', 'username', 'applied', 'field', 'before', 'after']);

/** The lines of one user. */
export function planCsvLines(change: PlannedChange): string[] {
  const { kind, username, applied } = change;
  return fieldsOf(change).map(({ name, before, after }) =>
    csvLine([kind, username, String(applied), name, valueText(before), valueText(after)]),
  );
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
