import { z } from 'zod';

/** Why a file could not be taken. Each is explained in docs/errors.md. */
export const QUARANTINE_REASONS = [
  'bad-name',
  'digest-differs',
  'hard-link',
  'link',
  'refused',
  'special-file',
  'too-large',
  'unknown-name',
] as const;

export type QuarantineReason = (typeof QUARANTINE_REASONS)[number];

/** What is told of a file in quarantine, and kept beside it. */
export const quarantineRecordSchema = z.object({
  /** Its name there, and for whoever asks for it. */
  id: z.string(),
  feed: z.string(),
  reason: z.enum(QUARANTINE_REASONS),
  /** A sentence for the operator: what is wrong, and what to do. */
  detail: z.string(),
  /** As it was called in the drop directory, escaped. */
  originalFilename: z.string(),
  sizeBytes: z.number(),
  /** ISO 8601, UTC. */
  quarantinedAt: z.string(),
  /** Names that the control file lists, for `unknown-name`. */
  expectedNames: z.array(z.string()).optional(),
});

export type QuarantineRecord = z.output<typeof quarantineRecordSchema>;
