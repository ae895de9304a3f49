import { z } from 'zod';
import { listRuns } from '../../db/runs.js';
import { RUN_STATUSES } from '../../domain/run.js';
import { assertKnownFeed } from './known-feed.js';
import type { Api } from './operation.js';
import { pageOf, pageSchema } from './page.js';
import { feedName, newestFirst } from './request-values.js';
import { detailsOf, runDetails, runParams, runSummary, summaryOf } from './run-schemas.js';

export function registerRuns(api: Api): void {
  const { context, actions } = api;
  api.operation(
    {
      id: 'listRuns',
      method: 'GET',
      url: '/runs',
      tag: 'runs',
      summary: 'Runs, newest first',
      capability: 'view-runs',
      query: newestFirst.extend({ feed: feedName.optional(), status: z.enum(RUN_STATUSES).optional() }),
      answer: pageSchema(runSummary),
    },
    async ({ principal, query: { feed: named, status, before, limit } }) => {
      if (named !== undefined) await assertKnownFeed(context, principal, named);
      const feed = named ?? principal.feed ?? undefined;
      const rows = await listRuns(context.app.database, {
        limit: limit + 1,
        ...(feed === undefined ? {} : { feed }),
        ...(status === undefined ? {} : { statuses: [status] }),
        ...(before === undefined ? {} : { before }),
      });
      const { items, next } = pageOf(rows, limit, ({ id }) => id);
      return { items: items.map(summaryOf), next };
    },
  );
  api.operation(
    {
      id: 'getRun',
      method: 'GET',
      url: '/runs/:run',
      tag: 'runs',
      summary: 'One run with its counts, guards and files',
      capability: 'view-runs',
      params: runParams,
      answer: runDetails,
    },
    async ({ principal, params }) => detailsOf(context, await actions.findRun(principal, params.run)),
  );
}
