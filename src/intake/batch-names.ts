/** What a dropped file is for, by its name. */
export type BatchName =
  /** One of the files that the control file lists. */
  | { readonly kind: 'file'; readonly name: string }
  /** A new control file for the feed. */
  | { readonly kind: 'control' }
  /** Says that the batch is complete and shall start; what it contains does not matter. */
  | { readonly kind: 'start' }
  /** No control file could list such a name. */
  | { readonly kind: 'unusable' };

/** The same rule as for names in control files and in the upload API. */
const USABLE = /^[A-Za-z0-9_-]{1,200}$/;

export function isUsableName(name: string): boolean {
  return USABLE.test(name);
}

/**
 * `users.json` and `users.2026-11-22.json.gz` are `users`: the name ends at the first dot, so that source systems can put
 * a date or a format behind it.
 */
export function batchNameOf(filename: string): BatchName {
  const dot = filename.indexOf('.');
  const name = dot < 0 ? filename : filename.slice(0, dot);
  if (!isUsableName(name)) return { kind: 'unusable' };
  if (name === '_control') return { kind: 'control' };
  if (name === '_start') return { kind: 'start' };
  return { kind: 'file', name };
}
