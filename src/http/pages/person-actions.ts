import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Capability } from '../../domain/access.js';
import { UserSyncError } from '../../lib/errors.js';
import { lookUpAccount, type Account } from '../../sync/person.js';
import { Actions, actorOf, type Actor } from '../actions.js';
import type { HttpContext } from '../context.js';
import { sendPerson } from './people.js';
import { accountIdOf, type PersonForm } from './person-parts.js';
import { fieldOf, refusalOf } from './request.js';
import { requireSession } from './session.js';

/** What may be decided about one person; afterwards the page shows what is in force, or what is wrong with the form. */
export function registerPersonActions(pages: FastifyInstance, context: HttpContext): void {
  const { sync } = context.app;
  const actions = new Actions(context);

  /** @param act returns the account to show afterwards */
  const take = (
    form: PersonForm,
    capability: Capability,
    act: (actor: Actor, account: Account, request: FastifyRequest) => Promise<number>,
  ): void => {
    pages.post(`/people/:id/${form}`, async (request, reply) => {
      const session = requireSession(request, capability);
      const person = await lookUpAccount(sync, accountIdOf(request));
      const { account } = person;
      try {
        return await reply.redirect(`/people/${await act(actorOf(session, request), account, request)}#state`, 303);
      } catch (error) {
        const refused = { form, ...refusalOf(request, error) };
        return sendPerson(context, request, reply, { session, person, username: account.username, refused });
      }
    });
  };
  const override = (
    form: PersonForm,
    act: (actor: Actor, username: string, request: FastifyRequest) => Promise<void>,
  ): void => {
    take(form, 'override', async (actor, account, request) => {
      if (account.username === null) throw handMade();
      await act(actor, account.username, request);
      return account.id;
    });
  };

  override('look-again', (actor, username) => actions.lookAgain(actor, username));
  override('protect', (actor, username, request) =>
    actions.protect(actor, username, reasonOf(request), dayOf(request)),
  );
  override('pin', (actor, username, request) => {
    const pin = { name: fieldOf(request, 'name') ?? '', text: fieldOf(request, 'value') ?? '' };
    return actions.pin(actor, username, pin, reasonOf(request), dayOf(request));
  });
  override('end', (actor, username, request) => {
    const name = fieldOf(request, 'name') ?? '';
    return actions.endOverride(actor, username, name === '' ? 'protect' : 'pin', name === '' ? null : name);
  });
  take('adopt', 'adopt', (actor, { username, email }, request) => {
    const given = { username: username ?? fieldOf(request, 'username') ?? '', feed: fieldOf(request, 'feed') ?? '' };
    return actions.adopt(actor, username === null ? { ...given, email } : given);
  });
}

function handMade(): UserSyncError {
  return new UserSyncError('invalid-override', 'The sync leaves this account alone: adopt it for a feed first.', {
    kind: 'usage',
  });
}

function reasonOf(request: FastifyRequest): string {
  const reason = (fieldOf(request, 'reason') ?? '').replaceAll('\0', '').trim();
  if (reason !== '') return reason;
  throw new UserSyncError('invalid-override', 'Say why: a reason is kept with the user.', { kind: 'usage' });
}

/** A day ends when it is over everywhere it is named: at midnight UTC after it. */
function dayOf(request: FastifyRequest): Date | undefined {
  const text = fieldOf(request, 'until') ?? '';
  if (text === '') return undefined;
  const date = new Date(`${text}T24:00:00Z`);
  if (/^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(date.getTime())) return date;
  throw new UserSyncError('invalid-override', 'Write a day as 2027-01-31.', { kind: 'usage' });
}
