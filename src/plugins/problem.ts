import type { Problem } from '../lib/errors.js';

/** Something wrong with what a plugin exports, and where in it. */
export function problem(pointer: string, message: string): Problem {
  return { severity: 'error', code: 'invalid-plugin', pointer, message };
}
