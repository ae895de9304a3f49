import type { FastifyRequest } from 'fastify';
import type { Session } from '../../access/sessions.js';
import { UserSyncError } from '../../lib/errors.js';
import { html, type Html } from '../../lib/html.js';
import { printable } from '../../lib/printable.js';
import type { Explained } from '../../sync/explain.js';
import type { Person } from '../../sync/person.js';
import type { RefusedForm } from './request.js';

export interface PersonView {
  readonly session: Session;
  readonly person: Person;
  /** Null for an account that no feed has brought. */
  readonly username: string | null;
  /** What the record received is mapped to, when that can still be told. */
  readonly explained: Explained | undefined;
  readonly feeds: readonly string[];
  readonly refused?: RefusedPersonForm | undefined;
}

/** What may be decided about a person, by the end of its address. */
export type PersonForm = 'look-again' | 'protect' | 'pin' | 'end' | 'adopt';

export interface RefusedPersonForm extends RefusedForm {
  readonly form: PersonForm;
}

/** The account that an address names. @throws UserSyncError `user-unknown` for what is no number */
export function accountIdOf(request: FastifyRequest): number {
  const { id } = request.params as { readonly id: string };
  if (/^[1-9]\d{0,14}$/.test(id)) return Number(id);
  throw new UserSyncError('user-unknown', 'There is no account of this number.', { kind: 'usage' });
}

/** A username, which leads to what is known of that person when their account is given. */
export function personLink(username: string, account: number | undefined): Html {
  const name = printable(username);
  return account === undefined ? html`${name}` : html`<a href="/people/${account}">${name}</a>`;
}
