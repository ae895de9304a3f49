import { z } from 'zod';
import { findControlFile, listControlFiles, type ControlVersion } from '../../db/control-history.js';
import type { Principal } from '../../domain/access.js';
import { UserSyncError } from '../../lib/errors.js';
import { validateControl } from '../../sync/control.js';
import { assertKnownFeed } from './known-feed.js';
import type { Api } from './operation.js';
import { pageOf, pageSchema } from './page.js';
import { problem } from './problem.js';
import { feedParams, newestFirst, number } from './request-values.js';

const version = z.object({
  id: z.int(),
  digest: z.string().describe('SHA-256 of the text, hex'),
  origin: z.string().describe('Who or what it came from'),
  createdAt: z.date(),
  inForce: z.boolean(),
});

const versionWithText = version.extend({ text: z.string() });

const controlText = z.object({ text: z.string().describe('The control file, character by character') });

/** The control files of a feed, and what is wrong with one that is no feed's yet. */
export function registerControlFiles(api: Api): void {
  const { context, actions } = api;
  const { app } = context;

  const find = async (
    principal: Principal,
    feed: string,
    id: number | 'current',
  ): Promise<z.output<typeof versionWithText>> => {
    await assertKnownFeed(context, principal, feed);
    const found = await findControlFile(app.database, feed, id);
    if (found !== undefined) return { ...versionOf(found), text: found.content };
    const what = id === 'current' ? 'no control file yet' : `no control file ${id}`;
    throw new UserSyncError('control-unknown', `Feed "${feed}" has ${what}.`, { kind: 'usage' });
  };

  api.operation(
    {
      id: 'listControlFiles',
      method: 'GET',
      url: '/feeds/:feed/control-files',
      tag: 'control files',
      summary: 'Control files that a feed has or had, newest first',
      capability: 'view-runs',
      params: feedParams,
      query: newestFirst,
      answer: pageSchema(version),
    },
    async ({ principal, params, query: { before, limit } }) => {
      await assertKnownFeed(context, principal, params.feed);
      const rows = await listControlFiles(app.database, params.feed, { before, limit: limit + 1 });
      return pageOf(rows.map(versionOf), limit, ({ id }) => id);
    },
  );
  api.operation(
    {
      id: 'getCurrentControlFile',
      method: 'GET',
      url: '/feeds/:feed/control-files/current',
      tag: 'control files',
      summary: 'The control file in force',
      capability: 'view-runs',
      params: feedParams,
      answer: versionWithText,
    },
    async ({ principal, params }) => find(principal, params.feed, 'current'),
  );
  api.operation(
    {
      id: 'getControlFile',
      method: 'GET',
      url: '/feeds/:feed/control-files/:id',
      tag: 'control files',
      summary: 'A control file that a feed has or had',
      capability: 'view-runs',
      params: feedParams.extend({ id: number }),
      answer: versionWithText,
    },
    async ({ principal, params }) => find(principal, params.feed, params.id),
  );
  api.operation(
    {
      id: 'replaceControlFile',
      method: 'PUT',
      url: '/feeds/:feed/control-files/current',
      tag: 'control files',
      summary: 'Put another control file in force; one with errors is refused',
      description: 'The error `invalid-control-file` has all problems as `error.problems`.',
      capability: 'configure',
      params: feedParams,
      body: controlText,
      answer: version,
    },
    async ({ actor, params: { feed }, body: { text } }) => {
      await assertKnownFeed(context, actor.principal, feed);
      await actions.replaceControl(actor, feed, text);
      return find(actor.principal, feed, 'current');
    },
  );
  api.operation(
    {
      id: 'checkControlFile',
      method: 'POST',
      url: '/control-files/check',
      tag: 'control files',
      summary: 'Find every problem of a control file, without storing it',
      capability: 'view-runs',
      body: controlText,
      answer: z.object({ valid: z.boolean(), problems: z.array(problem) }),
    },
    async ({ body: { text } }) => {
      const { control, problems } = validateControl(text, app.sync.language);
      return { valid: control !== null, problems: [...problems] };
    },
  );
}

function versionOf({ source, ...rest }: ControlVersion): z.output<typeof version> {
  const { id, digest, createdAt, inForce } = rest;
  return { id, digest, origin: source, createdAt, inForce };
}
