import type { Executor } from './database.js';

/** Who set something for a feed, and when. */
export interface SettingOrigin {
  readonly by: string;
  readonly at: string;
}

export interface FeedSettingsRow {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly origins: Readonly<Record<string, SettingOrigin>>;
}

/** Nothing is set for a feed that is not known yet. */
export async function readFeedSettings(database: Executor, feed: string): Promise<FeedSettingsRow> {
  const [row] = await database.query<FeedSettingsRow & Record<string, unknown>>(
    'select settings, settings_origin as origins from sync.feed where name = $1',
    [feed],
  );
  return row ?? { settings: {}, origins: {} };
}

/** @param changes null takes a setting back */
export async function writeFeedSettings(
  database: Executor,
  feedId: number,
  changes: Readonly<Record<string, unknown>>,
  origin: SettingOrigin,
): Promise<void> {
  const origins = Object.fromEntries(Object.keys(changes).map((name) => [name, origin]));
  const removed = Object.keys(changes).filter((name) => changes[name] === null);
  await database.query(
    `update sync.feed
     set settings = (settings || $2::jsonb) - $4::text[], settings_origin = (settings_origin || $3::jsonb) - $4::text[]
     where id = $1`,
    [feedId, JSON.stringify(changes), JSON.stringify(origins), removed],
  );
}
