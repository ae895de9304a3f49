import type { Config, FeedConfig } from '../config/config.js';
import {
  FEED_OVERRIDE_NAMES,
  feedOverridesSchema,
  withOverrides,
  type FeedOverrideName,
} from '../config/feed-overrides.js';
import { feedSchema } from '../config/feed-schema.js';
import { noteAudit, type Author } from '../db/audit.js';
import type { Database } from '../db/database.js';
import { ensureFeed } from '../db/feeds.js';
import { readFeedSettings, writeFeedSettings, type SettingOrigin } from '../db/feed-settings.js';
import { problemsOf } from '../config/problems.js';
import { describeProblem, UserSyncError } from '../lib/errors.js';

/** A setting in force, and why it is. */
export interface SettingInForce {
  readonly name: FeedOverrideName;
  readonly value: unknown;
  readonly from: 'default' | 'configuration' | 'operator';
  /** Who set it, when it is an operator's. */
  readonly set: SettingOrigin | null;
  /** What would be in force if no operator had set it. */
  readonly configured: unknown;
}

/** How a feed is configured: the file, and what operators set. One that the file does not name has the defaults. */
export async function feedInForce(database: Database, config: Config, name: string): Promise<FeedConfig> {
  const { settings } = await readFeedSettings(database, name);
  return withOverrides(configured(config, name), settings);
}

export async function settingsInForce(database: Database, config: Config, name: string): Promise<SettingInForce[]> {
  const { settings, origins } = await readFeedSettings(database, name);
  const inFile = configured(config, name);
  const now = withOverrides(inFile, settings);
  return FEED_OVERRIDE_NAMES.map((setting) => {
    const isSet = settings[setting] !== undefined;
    const fromFile = valueOf(inFile, setting);
    const isDefault = JSON.stringify(fromFile) === JSON.stringify(valueOf(DEFAULTS, setting));
    return {
      name: setting,
      value: valueOf(now, setting),
      from: isSet ? 'operator' : isDefault ? 'default' : 'configuration',
      set: isSet ? (origins[setting] ?? null) : null,
      configured: fromFile,
    };
  });
}

export interface SettingsChange extends Author {
  readonly feed: string;
  /** By name; null takes an operator's setting back. */
  readonly changes: Readonly<Record<string, unknown>>;
  readonly now: Date;
}

/** @throws UserSyncError `invalid-settings` with every problem; then nothing is changed */
export async function changeSettings(database: Database, change: SettingsChange): Promise<void> {
  const { feed, changes, by, now } = change;
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== null));
  const parsed = feedOverridesSchema.safeParse(given);
  const unknown = Object.keys(changes).filter((name) => !FEED_OVERRIDE_NAMES.some((known) => known === name));
  if (!parsed.success || unknown.length > 0) {
    const problems =
      parsed.error === undefined
        ? `unknown: ${unknown.join(', ')}`
        : problemsOf(parsed.error.issues, undefined).map(describeProblem).join('\n');
    throw new UserSyncError('invalid-settings', `These settings cannot be used:\n${problems}`, { kind: 'usage' });
  }
  await database.transaction(async (connection) => {
    const { id } = await ensureFeed(connection, feed);
    await writeFeedSettings(connection, id, changes, { by, at: now.toISOString() });
    await noteAudit(connection, change, { action: 'settings-changed', subject: `feed ${feed}`, details: changes });
  });
}

const DEFAULTS = feedSchema.parse({}) as unknown as FeedConfig;

function configured(config: Config, name: string): FeedConfig {
  return config.feeds[name] ?? config.feeds.default;
}

function valueOf(feed: FeedConfig, name: FeedOverrideName): unknown {
  return name === 'email' ? feed.report.email : feed[name];
}
