/** A value of the directory in one line for a person; several values, and entries of a profile, too. */
export function valueText(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(entryText).join(', ');
  return JSON.stringify(value);
}

function entryText(entry: unknown): string {
  if (typeof entry !== 'object' || entry === null || !('value' in entry)) return valueText(entry);
  const qualifier = 'qualifier' in entry ? ` (${valueText(entry.qualifier)})` : '';
  return valueText(entry.value) + qualifier;
}
