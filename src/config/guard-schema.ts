import { z } from 'zod';
import { DEFAULT_GUARD_LIMITS, resolveGuards, type GuardSettings } from '../domain/guard.js';

/** `on` and `off` are text in YAML 1.2; `true` and `false` are what people of YAML 1.1 write. */
const switched = z.union([z.enum(['on', 'off']), z.boolean()]);

const count = z.int().min(0).describe('Fewer than this many never breach the guard, whatever their share.').optional();
const share = z.number().min(0).max(1).describe('Hold the run beyond this share of the whole, from 0 to 1.').optional();
const points = z
  .number()
  .min(0)
  .max(100)
  .describe('Hold the run when the share falls by more than this many percentage points.')
  .optional();
const bytes = z.int().min(0).describe('A difference of fewer bytes than this never breaches the guard.').optional();

const byShare = z.union([switched, z.strictObject({ share, count })]);
const bySize = z.union([switched, z.strictObject({ share, bytes })]);
const byPoints = z.union([switched, z.strictObject({ points, count })]);
const alwaysOn = z.union([z.literal('on'), z.literal(true)], {
  error: 'cannot be switched off: a batch without records would block everybody',
});

const { blocked, updated, rejected, ...limits } = DEFAULT_GUARD_LIMITS;

const guardMap = z.strictObject({
  'first-run': switched.describe("Hold the feed's first applied run.").optional(),
  blocked: byShare.meta(doc('Users in the feed that would be blocked, as a share of all in it.', blocked)).optional(),
  updated: byShare.meta(doc('Users in the feed that would be updated, as a share of all in it.', updated)).optional(),
  rejected: byShare.meta(doc('Records that were rejected, as a share of all records.', rejected)).optional(),
  'unreadable-usernames': switched
    .describe(
      'Hold when any record has no readable username while users would be blocked: they may be the same people.',
    )
    .optional(),
  'record-count': byShare
    .meta(doc('Difference of the number of records from the last applied batch.', limits['record-count']))
    .optional(),
  'file-size': bySize
    .meta(doc("Difference of any file's size from the last applied batch.", limits['file-size']))
    .optional(),
  'group-loss': byShare
    .meta(doc("Members that would leave a managed group, as a share of the group's members.", limits['group-loss']))
    .optional(),
  'field-emptied': byPoints
    .meta(doc('Fall of the share of users that have a value for some mapped name.', limits['field-emptied']))
    .optional(),
  empty: alwaysOn.describe('Hold a batch without any record. Cannot be switched off.').optional(),
});

/** What may be written for a feed's guards; parsing it gives every guard complete, also for settings kept elsewhere. */
export const guardsSchema = z.union([switched, guardMap]).transform((choices): GuardSettings => resolveGuards(choices));

/** `examples` carries the default limits to the documentation; an absent guard is simply on. */
function doc(description: string, example: object): { description: string; examples: unknown[] } {
  return { description, examples: [{ ...example }] };
}
