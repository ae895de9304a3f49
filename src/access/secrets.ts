import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 256 random bits, as text for headers, cookies and forms. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** What is kept of a secret. Random bits need no slow hash: there is nothing to guess from. */
export function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** In a time that says nothing about where they differ. */
export function isSameSecret(given: string, known: string): boolean {
  return timingSafeEqual(digestOf(given), digestOf(known));
}
