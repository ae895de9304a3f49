import { userInfo } from 'node:os';
import type { Author } from '../db/audit.js';

/** Who decides on the command line, for the books. */
export function commandLine(): Author {
  return { by: 'command line', osUser: osUser() };
}

/** An account that has no name here, as in a container, is known by its number. */
function osUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
