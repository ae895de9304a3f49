import { z } from 'zod';
import type { Api } from './operation.js';
import { reason } from './request-values.js';
import { detailsOf, runDetails, runParams } from './run-schemas.js';

/** What operators decide about a run. */
export function registerRunDecisions(api: Api): void {
  const { context, actions } = api;
  api.operation(
    {
      id: 'approveRun',
      method: 'POST',
      url: '/runs/:run/approve',
      tag: 'runs',
      summary: 'Apply a held run',
      description: 'The run is taken up by the daemon that looks after the feed.',
      capability: 'decide',
      params: runParams,
      body: z.object({
        reason,
        withoutBlocks: z
          .boolean()
          .default(false)
          .describe('Leave out the blocks: those users stay planned for the next run'),
      }),
      answer: runDetails,
    },
    async ({ actor, params, body }) => {
      await actions.approve(actor, params.run, body);
      return detailsOf(context, await actions.findRun(actor.principal, params.run));
    },
  );
  api.operation(
    {
      id: 'cancelRun',
      method: 'POST',
      url: '/runs/:run/cancel',
      tag: 'runs',
      summary: 'Stop a run; what it has applied stays applied',
      capability: 'decide',
      params: runParams,
      body: z.object({ reason }),
      answer: runDetails,
    },
    async ({ actor, params, body }) => detailsOf(context, await actions.cancel(actor, params.run, body.reason)),
  );
  api.operation(
    {
      id: 'reapplyRun',
      method: 'POST',
      url: '/runs/:run/reapply',
      tag: 'runs',
      summary: "A new run of an earlier run's files and control file",
      capability: 'decide',
      params: runParams,
      answer: runDetails,
      status: 201,
    },
    async ({ actor, params }) => detailsOf(context, await actions.reapply(actor, params.run)),
  );
  api.operation(
    {
      id: 'revertRun',
      method: 'POST',
      url: '/runs/:run/revert',
      tag: 'runs',
      summary: 'A new run that takes back what a run changed; guards apply',
      capability: 'revert',
      params: runParams,
      answer: runDetails,
      status: 201,
    },
    async ({ actor, params }) => detailsOf(context, await actions.revert(actor, params.run)),
  );
}
