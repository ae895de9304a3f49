import { z } from 'zod';
import { overridesOf, PINNABLE_NAMES } from '../../sync/overrides.js';
import { assertKnownFeed } from './known-feed.js';
import type { Api } from './operation.js';
import { feedName, moment, reason, text } from './request-values.js';
import { override, shownOverride } from './users.js';

const username = text(255).describe('In any case');

const until = moment.optional().describe('When it ends by itself');

const overrides = z.object({ overrides: z.array(override).describe('Those in force for the user') });

/** What operators decide about one user. */
export function registerOverrides(api: Api): void {
  const { context, actions } = api;
  const { app } = context;

  const inForce = async (name: string): Promise<z.output<typeof overrides>> => ({
    overrides: (await overridesOf(app.database, name.toLowerCase())).map(shownOverride),
  });

  api.operation(
    {
      id: 'lookAgain',
      method: 'POST',
      url: '/users/look-again',
      tag: 'users',
      summary: 'Have the next run look at a user, also when the record is the same as last time',
      capability: 'override',
      body: z.object({ username }),
    },
    async ({ actor, body }) => {
      await actions.lookAgain(actor, body.username);
      return undefined;
    },
  );
  api.operation(
    {
      id: 'protectUser',
      method: 'POST',
      url: '/users/protect',
      tag: 'users',
      summary: 'Keep a user from being blocked while missing from the feed',
      capability: 'override',
      body: z.object({ username, reason, until }),
      answer: overrides,
    },
    async ({ actor, body }) => {
      await actions.protect(actor, body.username, body.reason, dateOf(body.until));
      return inForce(body.username);
    },
  );
  api.operation(
    {
      id: 'pinUserValue',
      method: 'POST',
      url: '/users/pin',
      tag: 'users',
      summary: 'Pin a value of a user, whatever the feed says, from the next run on',
      capability: 'override',
      body: z.object({
        username,
        name: z.enum(PINNABLE_NAMES),
        value: z.string().max(2000).describe('Codes of managed groups, separated by commas, for `groups`'),
        reason,
        until,
      }),
      answer: overrides,
    },
    async ({ actor, body }) => {
      const pin = { name: body.name, text: body.value };
      await actions.pin(actor, body.username, pin, body.reason, dateOf(body.until));
      return inForce(body.username);
    },
  );
  api.operation(
    {
      id: 'endOverride',
      method: 'POST',
      url: '/users/end-override',
      tag: 'users',
      summary: 'End a protection or a pin: from the next run on the feed counts again',
      capability: 'override',
      body: z.object({
        username,
        kind: z.enum(['pin', 'protect']),
        name: z.enum(PINNABLE_NAMES).nullable().default(null).describe('What is pinned; null for a protection'),
      }),
      answer: overrides,
    },
    async ({ actor, body }) => {
      await actions.endOverride(actor, body.username, body.kind, body.name);
      return inForce(body.username);
    },
  );
  api.operation(
    {
      id: 'adoptAccount',
      method: 'POST',
      url: '/users/adopt',
      tag: 'users',
      summary: 'Hand an existing account to a feed, so that its record no longer collides',
      capability: 'adopt',
      body: z.object({
        username: text(255).describe('What the feed knows the person by'),
        feed: feedName,
        email: text(320).optional().describe('The address of an account made by hand'),
      }),
      answer: z.object({ account: z.int() }),
    },
    async ({ actor, body: { username: name, feed, email } }) => {
      await assertKnownFeed(context, actor.principal, feed);
      const adoption = { username: name, feed, ...(email === undefined ? {} : { email }) };
      return { account: await actions.adopt(actor, adoption) };
    },
  );
}

function dateOf(given: string | undefined): Date | undefined {
  return given === undefined ? undefined : new Date(given);
}
