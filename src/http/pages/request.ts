import type { FastifyRequest } from 'fastify';
import { UserSyncError } from '../../lib/errors.js';
import { publicError } from '../errors.js';

/** What a request of the web page says: fields of forms and parameters of addresses, as text. */

/** A field of the form that was sent; only text counts, and only the first of a name. */
export function fieldOf(request: FastifyRequest, name: string): string | undefined {
  const { body } = request;
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, name)) return undefined;
  const value: unknown = (body as Record<string, unknown>)[name];
  return typeof value === 'string' ? value : undefined;
}

/** What the fields of a form hold, by their names; empty for one that is not there. */
export type Fields = (name: string) => string;

/** The fields of the form that was sent, without the spaces around. */
export function fieldsOf(request: FastifyRequest): Fields {
  return (name) => fieldOf(request, name)?.trim() ?? '';
}

/** A form that was sent and refused: it is shown again as it was filled in, with what is wrong. */
export interface RefusedForm {
  readonly given: Fields;
  readonly problem: string;
  /** Of the answer. */
  readonly status: number;
}

/** What a form shows in its fields: what was filled in when it was refused, else nothing. */
export function givenIn(refused: RefusedForm | undefined): Fields {
  return refused?.given ?? (() => '');
}

/** The form of a request that could not be done. What is not for whoever sent it to mend is thrown on. */
export function refusalOf(request: FastifyRequest, error: unknown): RefusedForm {
  const { status, message } = publicError(error, request);
  if (!(error instanceof UserSyncError) || status >= 500) throw error;
  return { given: fieldsOf(request), problem: message, status };
}

/** A parameter of the address, when it is there and not empty. */
export function queryOf(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A number of the address or a form that says where a page of a list begins. What is none counts as not given. */
export function cursorOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** What somebody searches for. Postgres has no text with the character 0. */
export function searchText(text: string | undefined): string | undefined {
  const found = text?.replaceAll('\0', '').trim().slice(0, 200);
  return found === '' ? undefined : found;
}
