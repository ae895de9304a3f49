import { z } from 'zod';

/** One problem of a file that an operator wrote. */
export const problem = z.object({
  severity: z.enum(['error', 'warning']),
  code: z.string(),
  pointer: z.string().describe('JSON pointer of the place; empty for the whole document'),
  message: z.string(),
  line: z.int().optional(),
  column: z.int().optional(),
});
