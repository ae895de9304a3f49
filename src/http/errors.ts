import type { FastifyReply, FastifyRequest } from 'fastify';
import { InvalidFileError, UserSyncError, type Problem } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';

/** Statuses of codes that a client can do something about; a wrong request is 400, everything else is our fault. */
const STATUS: Readonly<Record<string, number>> = {
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  'run-unknown': 404,
  'user-unknown': 404,
  'key-unknown': 404,
  'operator-unknown': 404,
  'feed-unknown': 404,
  'control-unknown': 404,
  'file-unknown': 404,
  'quarantine-unknown': 404,
  'override-unknown': 404,
  'files-gone': 410,
  'run-status': 409,
  'feed-busy': 409,
  'already-uploaded': 409,
  'control-missing': 409,
  'operator-exists': 409,
  'last-admin': 409,
  'past-uploading': 409,
  'too-large': 413,
  'file-too-large': 413,
  'too-many-requests': 429,
  'database-unreachable': 503,
  'shutting-down': 503,
};

/** What a client is told. */
export interface PublicError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** What is wrong with a file that was sent, place by place. */
  readonly problems?: readonly Problem[];
}

/** Only what was meant for people goes out; everything else is in the log, under the request's number. */
export function publicError(error: unknown, request: FastifyRequest): PublicError {
  if (error instanceof UserSyncError) {
    const status = STATUS[error.code] ?? (error.kind === 'usage' ? 400 : 500);
    const { code, message } = error;
    return { status, code, message, ...(error instanceof InvalidFileError ? { problems: error.problems } : {}) };
  }
  const status = statusIn(error);
  if (status !== undefined && status >= 400 && status < 500) {
    const message = error instanceof Error ? error.message : 'The request cannot be understood.';
    return { status, code: codeOfStatus(status), message };
  }
  const message = `Something went wrong here. The log of user-sync has the details under request ${request.id}.`;
  return { status: 500, code: 'internal', message };
}

/** A 5xx needs somebody; the rest is for those who look for it. */
export function logError(logger: Logger, error: unknown, request: FastifyRequest, { status, code }: PublicError): void {
  const fields = {
    request: request.id,
    route: request.routeOptions.url ?? 'none',
    method: request.method,
    status,
    code,
  };
  if (status >= 500) logger.error('A request failed', { ...fields, error });
  else logger.debug('A request was refused', fields);
}

export async function sendJsonError(reply: FastifyReply, { status, ...error }: PublicError): Promise<FastifyReply> {
  return reply.code(status).type('application/json').send({ error });
}

export function unauthorized(): UserSyncError {
  return new UserSyncError('unauthorized', 'This needs a valid API key, as `Authorization: Bearer KEY`.', {
    kind: 'usage',
  });
}

export function forbidden(what = 'This key or person may not do that.'): UserSyncError {
  return new UserSyncError('forbidden', what, { kind: 'usage' });
}

export function tooManyRequests(): UserSyncError {
  return new UserSyncError('too-many-requests', 'Too many requests. Wait a minute, then try again.', { kind: 'usage' });
}

function statusIn(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

function codeOfStatus(status: number): string {
  if (status === 404) return 'not-found';
  if (status === 413) return 'too-large';
  if (status === 429) return 'too-many-requests';
  return 'bad-request';
}
