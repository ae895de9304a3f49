import { z } from 'zod';
import { FEED_OVERRIDE_NAMES, feedOverridesSchema } from '../../config/feed-overrides.js';
import type { FeedHealth } from '../../daemon/feed-health.js';
import { mayUseFeed } from '../../domain/access.js';
import { UserSyncError } from '../../lib/errors.js';
import { settingsInForce } from '../../settings/feed-settings.js';
import { startBatch } from '../../sync/collect.js';
import { assertFeed } from '../authentication.js';
import { assertKnownFeed, unknownFeed } from './known-feed.js';
import type { Api } from './operation.js';
import { feedParams } from './request-values.js';
import { runSummary, summaryOf } from './run-schemas.js';

const feed = z.object({
  feed: z.string(),
  lastRun: runSummary.nullable(),
  activeRun: runSummary.nullable(),
  heldRuns: z.array(runSummary).describe('Runs that wait for a decision, oldest first'),
  lastSuccessAt: z.date().nullable(),
  lastReceivedAt: z.date().nullable(),
  pendingFiles: z.int(),
  oldestPendingSeconds: z.number(),
  nextExpectedAt: z.date().nullable(),
  overdue: z.boolean(),
});

const setting = z.object({
  name: z.enum(FEED_OVERRIDE_NAMES),
  value: z.unknown(),
  from: z.enum(['default', 'configuration', 'operator']),
  set: z.object({ by: z.string(), at: z.string() }).nullable().describe('Who set it, when an operator did'),
  configured: z.unknown().describe('What would be in force if no operator had set it'),
});

const settings = z.object({ items: z.array(setting) });

/** Checked as a whole where settings are kept, which is where everybody else's are checked too. */
const settingsChange = z
  .record(z.string(), z.unknown())
  .meta({ properties: changeProperties(), additionalProperties: false })
  .describe('Settings by name; null takes one back');

export function registerFeeds(api: Api): void {
  const { context, actions } = api;
  const { app, daemon } = context;
  api.operation(
    {
      id: 'listFeeds',
      method: 'GET',
      url: '/feeds',
      tag: 'feeds',
      summary: 'Feeds, and how they are',
      capability: 'view-runs',
      answer: z.object({ items: z.array(feed) }),
    },
    async ({ principal }) => {
      const all = await daemon.health();
      return { items: all.filter((one) => mayUseFeed(principal, one.feed)).map(feedOf) };
    },
  );
  api.operation(
    {
      id: 'getFeed',
      method: 'GET',
      url: '/feeds/:feed',
      tag: 'feeds',
      summary: 'One feed, and how it is',
      capability: 'view-runs',
      params: feedParams,
      answer: feed,
    },
    async ({ principal, params }) => {
      assertFeed(principal, params.feed);
      const found = (await daemon.health()).find((one) => one.feed === params.feed);
      if (found === undefined) throw unknownFeed(params.feed);
      return feedOf(found);
    },
  );
  api.operation(
    {
      id: 'getFeedSettings',
      method: 'GET',
      url: '/feeds/:feed/settings',
      tag: 'feeds',
      summary: 'The settings of a feed that operators may change, as they are in force',
      capability: 'configure',
      params: feedParams,
      answer: settings,
    },
    async ({ principal, params }) => {
      await assertKnownFeed(context, principal, params.feed);
      return { items: await settingsInForce(app.database, app.config, params.feed) };
    },
  );
  api.operation(
    {
      id: 'changeFeedSettings',
      method: 'PATCH',
      url: '/feeds/:feed/settings',
      tag: 'feeds',
      summary: 'Change settings of a feed, or take them back',
      capability: 'configure',
      params: feedParams,
      body: settingsChange,
      answer: settings,
    },
    async ({ actor, params, body }) => {
      await assertKnownFeed(context, actor.principal, params.feed);
      await actions.changeSettings(actor, params.feed, body);
      return { items: await settingsInForce(app.database, app.config, params.feed) };
    },
  );
  api.operation(
    {
      id: 'startBatch',
      method: 'POST',
      url: '/feeds/:feed/start',
      tag: 'feeds',
      summary: 'Start the batch that is being taken in, when all its files are there',
      capability: 'upload',
      params: feedParams,
      answer: z.object({ run: z.int() }),
      status: 202,
    },
    async ({ actor, params }) => {
      await assertKnownFeed(context, actor.principal, params.feed);
      const started = await startBatch(app.sync, params.feed, actor.principal.actor);
      if ('missing' in started) {
        throw new UserSyncError('missing-files', `The batch lacks ${started.missing.join(', ')}. Send them first.`, {
          kind: 'usage',
        });
      }
      await actions.note(actor, 'batch-started', `run ${started.run}`);
      daemon.wake(params.feed);
      return started;
    },
  );
}

function feedOf({ last, active, held, oldestPendingMs, isOverdue, ...health }: FeedHealth): z.output<typeof feed> {
  return {
    ...health,
    lastRun: last === null ? null : summaryOf(last),
    activeRun: active === null ? null : summaryOf(active),
    heldRuns: held.map(summaryOf),
    oldestPendingSeconds: oldestPendingMs / 1000,
    overdue: isOverdue,
  };
}

/** The schemas of all settings, each of which may also be null. */
function changeProperties(): Record<string, unknown> {
  const { properties = {} } = z.toJSONSchema(feedOverridesSchema, { io: 'input', unrepresentable: 'any' });
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, { anyOf: [schema, { type: 'null' }] }]),
  );
}
