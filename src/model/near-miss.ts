import { nearest } from '../lib/nearest.js';

/** `: did you mean …?` for a name that is not known, or nothing when no known name comes near. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const best = nearest(name, known);
  return best === undefined ? '' : `: did you mean \`${best}\`?`;
}
