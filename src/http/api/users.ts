import { z } from 'zod';
import { changesOf } from '../../db/changes.js';
import { CHANGE_KINDS } from '../../domain/run.js';
import { UserSyncError } from '../../lib/errors.js';
import { personOfFeed } from '../../sync/person-of-feed.js';
import type { Override } from '../../sync/overrides.js';
import { lookUpPerson, type Person } from '../../sync/person.js';
import type { Actor } from '../actions.js';
import type { Api } from './operation.js';
import { pageOf, pageSchema } from './page.js';
import { limit, number, text } from './request-values.js';

const json = z.record(z.string(), z.unknown());

const state = json.nullable();

const change = z.object({
  run: z.int(),
  at: z.date().nullable(),
  kind: z.enum(CHANGE_KINDS),
  status: z.string().describe("The run's"),
  applied: z.boolean(),
  before: state,
  after: state,
});

export const override = z.object({
  username: z.string(),
  kind: z.enum(['pin', 'protect']),
  name: z.string().nullable(),
  value: z.union([z.string(), z.array(z.string())]).nullable(),
  reason: z.string(),
  by: z.string(),
  since: z.date(),
  until: z.date().nullable(),
});

const person = z.object({
  account: z
    .looseObject({
      id: z.int(),
      username: z.string().nullable(),
      feed: z.string().nullable(),
      email: z.string(),
      is_active: z.boolean(),
      in_feed: z.boolean(),
      groups: z.array(z.string()),
      created_at: z.date(),
      updated_at: z.date(),
    })
    .nullable()
    .describe('As in the view directory.users; null for someone who was never taken in'),
  objects: z.array(json).describe('Objects that belong to the profile, and to these'),
  sync: z
    .object({
      inError: z.boolean(),
      lookAgain: z.boolean(),
      missing: z.object({ since: z.date(), runs: z.int() }).nullable(),
      since: z.object({ run: z.int(), at: z.date().nullable() }),
      lastChange: z.object({ run: z.int(), at: z.date().nullable() }),
    })
    .nullable(),
  overrides: z.array(override),
  received: z
    .object({
      run: z.int(),
      file: z.string(),
      record: z.int(),
      line: z.int(),
      accepted: z.boolean(),
      raw: z.string().describe('The record in the words of its file'),
      mapped: z.unknown(),
    })
    .nullable(),
  changes: z.array(change).describe('Newest first'),
  errors: z.array(
    z.object({
      run: z.int(),
      at: z.date(),
      code: z.string().nullable(),
      message: z.string(),
      source: z.string().nullable(),
      value: z.string().nullable(),
    }),
  ),
});

/** Who people are, what came of them, and what became of it. People are named in what is sent, never in an address. */
export function registerUsers(api: Api): void {
  const { context, actions } = api;
  const { app } = context;

  const lookUp = async (actor: Actor, who: string): Promise<Person> => {
    const found = await lookUpPerson(app.sync, who);
    const { feed } = actor.principal;
    const shown = feed === null ? found : await personOfFeed(app.database, found, feed);
    if (shown !== undefined) return shown;
    throw new UserSyncError('user-unknown', `The feed of this key knows nobody as "${who}".`, { kind: 'usage' });
  };

  api.operation(
    {
      id: 'lookUpUser',
      method: 'POST',
      url: '/users/lookup',
      tag: 'users',
      summary: 'Everything known of one person',
      capability: 'see-people',
      body: z.object({ who: text(320).describe('A username or e-mail address, in any case') }),
      answer: person,
    },
    async ({ actor, body: { who } }) => {
      const found = await lookUp(actor, who);
      await actions.note(actor, 'person-looked-up', found.account?.username ?? who.toLowerCase());
      return shownPerson(found);
    },
  );
  api.operation(
    {
      id: 'getUserHistory',
      method: 'POST',
      url: '/users/history',
      tag: 'users',
      summary: 'What runs did to a user, or meant to do, newest first',
      capability: 'see-people',
      body: z.object({
        username: text(255),
        before: number.optional().describe('`next` of the page before'),
        limit,
      }),
      answer: pageSchema(change),
    },
    async ({ actor, body }) => {
      const username = body.username.toLowerCase();
      const { before } = body;
      const page = { before, limit: body.limit + 1, feed: actor.principal.feed ?? undefined };
      const rows = await changesOf(app.database, username, page);
      await actions.note(actor, 'person-looked-up', username);
      const { items, next } = pageOf(rows, body.limit, ({ run }) => run);
      return { items: items.map((one) => ({ ...one, before: plain(one.before), after: plain(one.after) })), next };
    },
  );
}

function shownPerson(found: Person): z.output<typeof person> {
  const { account, objects, overrides, changes, errors } = found;
  return {
    ...found,
    account: account === null ? null : { ...account, groups: [...account.groups] },
    objects: objects.map(plain),
    overrides: overrides.map(shownOverride),
    changes: changes.map((one) => ({ ...one, before: plain(one.before), after: plain(one.after) })),
    errors: [...errors],
  };
}

export function shownOverride(one: Override): z.output<typeof override> {
  return { ...one, value: typeof one.value === 'object' && one.value !== null ? [...one.value] : one.value };
}

/** A state of a user as any JSON. */
function plain<State extends object | null>(value: State): State & Record<string, unknown> {
  return value as State & Record<string, unknown>;
}
