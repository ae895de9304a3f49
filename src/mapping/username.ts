import { isStorableText } from './storable.js';

/**
 * The one rule for usernames: they are opaque (nothing is trimmed, spaces and letters of any script are fine),
 * compared and stored in lower case, and have at most 255 UTF-16 code units.
 *
 * Lower case is that of Unicode without a locale, so the same on every machine: `İ` becomes `i` and a combining dot.
 */
export const MAX_USERNAME_LENGTH = 255;

/** Null when the text cannot be a username. */
export function normaliseUsername(text: string): string | null {
  if (text.length > MAX_USERNAME_LENGTH) return null;
  const username = text.toLowerCase();
  return username === '' || username.length > MAX_USERNAME_LENGTH || !isStorableText(username) ? null : username;
}
