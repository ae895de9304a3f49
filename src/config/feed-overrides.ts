import { z } from 'zod';
import type { FeedConfig } from './config.js';
import { feedSchema } from './feed-schema.js';

const { shape } = feedSchema;

/**
 * What operators may set for a feed while the program runs: kept in the database as it was given, and stronger than the
 * configuration. Whatever is not set is the configuration's.
 */
export const feedOverridesSchema = z.strictObject({
  autoApply: shape.autoApply.unwrap().optional(),
  start: shape.start.unwrap().optional(),
  force: shape.force.unwrap().optional(),
  guards: shape.guards.unwrap().optional(),
  leavers: shape.leavers.unwrap().optional(),
  expect: shape.expect.unwrap().optional(),
  email: z
    .array(z.email({ error: 'must be an e-mail address' }))
    .max(50)
    .optional()
    .describe('report.email'),
});

/** As it is kept. */
export type FeedOverrides = z.input<typeof feedOverridesSchema>;
export type FeedOverrideName = keyof FeedOverrides;

export const FEED_OVERRIDE_NAMES = Object.keys(feedOverridesSchema.shape) as readonly FeedOverrideName[];

/** The configuration with what operators set. What cannot be understood any more, after an upgrade, is left out. */
export function withOverrides(config: FeedConfig, kept: Readonly<Record<string, unknown>>): FeedConfig {
  const understood = FEED_OVERRIDE_NAMES.flatMap((name) => {
    const parsed = feedOverridesSchema.shape[name].safeParse(kept[name]);
    return kept[name] !== undefined && parsed.success ? [[name, parsed.data] as const] : [];
  });
  const { email, ...others } = Object.fromEntries(understood) as z.output<typeof feedOverridesSchema>;
  return {
    ...config,
    ...(others as Partial<FeedConfig>),
    report: email === undefined ? config.report : { ...config.report, email },
  };
}
