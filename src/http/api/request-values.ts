import { z } from 'zod';

/** What requests are made of, in the words of schemas. */

/** Text that the database can hold. */
export function text(maxLength: number): z.ZodString {
  return (
    z
      .string()
      .min(1)
      .max(maxLength)
      // eslint-disable-next-line no-control-regex
      .regex(/^[^\u0000]*$/, 'must not hold the character U+0000')
  );
}

export const number = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER);

export const feedName = z
  .string()
  .max(200)
  .regex(/^[a-z0-9][a-z0-9_-]*$/, 'is no name of a feed');

export const feedParams = z.object({ feed: feedName });

export const limit = z.coerce.number().int().min(1).max(1000).default(100).describe('Most items of a page');

/** Pages of lists that begin with the newest. */
export const newestFirst = z.object({
  before: number.optional().describe('`next` of the page before'),
  limit,
});

const LARGEST_ORDINAL = 2_147_483_647;

/** The cursor of lists that begin with the first. */
export const after = z.coerce
  .number()
  .int()
  .min(0)
  .max(LARGEST_ORDINAL)
  .optional()
  .describe('`next` of the page before');

export const reason = text(2000).describe('Why; kept for the books');

/** A moment, with its offset from UTC. */
export const moment = z.iso.datetime({ offset: true });
