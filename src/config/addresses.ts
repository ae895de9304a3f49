import { z } from 'zod';

/**
 * URLs as they are written in the configuration. None of the messages quotes the value, since most of these URLs hold
 * a password or a key.
 */

export const httpUrl = urlOf(['http', 'https'], 'an http:// or https:// URL');

export const smtpUrl = urlOf(['smtp', 'smtps'], 'a URL such as smtp://user:password@mail.example.org:587');

export const postgresUrl = urlOf(
  ['postgres', 'postgresql'],
  'a URL such as postgres://user:password@host:5432/database (special characters of the password percent-encoded)',
);

function urlOf(schemes: readonly string[], what: string): z.ZodString {
  const isUrl = (text: string): boolean =>
    URL.canParse(text) && schemes.includes(new URL(text).protocol.slice(0, -1)) && text.includes('://');
  return z.string().refine(isUrl, { error: `must be ${what}` });
}
