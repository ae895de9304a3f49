import { nearest } from '../lib/nearest.js';

/** No more names than that are listed: a longer list hides the message. */
const MOST_LISTED = 8;

/** `: did you mean …?` for a name that is not known. When no known name comes near: the few there are, or nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  const best = nearest(name, known);
  if (best !== undefined) return `: did you mean \`${best}\`?`;
  if (known.length === 0 || known.length > MOST_LISTED) return '';
  return `: there ${known.length === 1 ? 'is' : 'are'} ${known.map((one) => `\`${one}\``).join(', ')}`;
}
