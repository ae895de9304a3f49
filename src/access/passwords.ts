import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { UserSyncError } from '../lib/errors.js';

/** OWASP's recommendation for scrypt: N = 2^17, r = 8, p = 1. */
const COST = { N: 2 ** 17, r: 8, p: 1 };
const KEY_BYTES = 32;

export const SHORTEST_PASSWORD = 12;
const LONGEST_PASSWORD = 256;

/** @throws UserSyncError `password` when it is too short, too long or nothing but one character */
export async function hashPassword(password: string): Promise<string> {
  const length = [...password].length;
  if (length < SHORTEST_PASSWORD || length > LONGEST_PASSWORD || new Set(password).size < 5) {
    throw new UserSyncError(
      'password',
      `A password has ${SHORTEST_PASSWORD} to ${LONGEST_PASSWORD} characters, at least 5 of them different. Several words do well.`,
      { kind: 'usage' },
    );
  }
  const salt = randomBytes(16);
  const key = await derive(password, salt, COST);
  const { N, r, p } = COST;
  return ['scrypt', N, r, p, salt.toString('base64url'), key.toString('base64url')].join('$');
}

/** Takes as long when there is no such person, so that nobody learns who exists. */
export async function isPassword(given: string, kept: string | undefined): Promise<boolean> {
  const [, n, r, p, salt, key] = (kept ?? NOBODY).split('$');
  if (given.length > LONGEST_PASSWORD * 4) return false;
  const expected = Buffer.from(key ?? '', 'base64url');
  const cost = { N: Number(n), r: Number(r), p: Number(p) };
  const actual = await derive(given, Buffer.from(salt ?? '', 'base64url'), cost);
  return actual.length === expected.length && timingSafeEqual(actual, expected) && kept !== undefined;
}

const NOBODY = [
  'scrypt',
  COST.N,
  COST.r,
  COST.p,
  'c2FsdC1vZi1ub2JvZHk',
  Buffer.alloc(KEY_BYTES).toString('base64url'),
].join('$');

function derive(password: string, salt: Buffer, cost: typeof COST): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // The form in which a keyboard sends a letter with an accent must not matter.
    scrypt(password.normalize('NFKC'), salt, KEY_BYTES, { ...cost, maxmem: 256 * 1024 ** 2 }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
