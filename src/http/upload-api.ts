import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { html } from '../lib/html.js';
import { printable } from '../lib/printable.js';
import type { KeyAuthentication } from './authentication.js';
import type { HttpContext } from './context.js';
import { logError, publicError, sendJsonError, type PublicError } from './errors.js';
import { callerOf } from './upload/caller.js';
import { notMultipart } from './upload/form.js';
import { startUploaded, type StartAnswer } from './upload/start.js';
import { takeUpload } from './upload/take.js';

const PREFIX = '/api/haplo-user-sync';

/** Existing scripts look for 400 when what they send is refused; other interfaces tell these apart. */
const REFUSED = ['already-uploaded', 'past-uploading', 'control-missing'];
/** How long a sender who has his answer may go on sending what nobody reads. */
const LINGER_MS = 10_000;

/**
 * The upload API of Haplo's user sync: scripts written for that work with this. Anything but the bytes of a file is small,
 * and everybody must show a key before a byte of a body is read.
 */
export async function registerUploadApi(
  scope: FastifyInstance,
  context: HttpContext,
  keys: KeyAuthentication,
): Promise<void> {
  // Bodies are read by the routes that want one, after they have asked who is there.
  scope.removeAllContentTypeParsers();
  await scope.register(multipart);
  scope.addContentTypeParser('*', (_request, _body, done) => {
    done(null);
  });
  dropWhatNobodyReads(scope, context.draining);

  scope.post(
    `${PREFIX}/upload-file`,
    { config: { slowBody: true }, errorHandler: answerErrors(context, sendText, formError) },
    async (request) => {
      const caller = await callerOf(request, context, keys);
      const { digest, sizeBytes, filename } = await takeUpload(context, request, caller);
      return { digest, fileSize: sizeBytes, filename };
    },
  );
  const start = async (request: FastifyRequest): Promise<StartAnswer> =>
    startUploaded(context, await callerOf(request, context, keys));

  scope.post(`${PREFIX}/start-sync`, { errorHandler: answerErrors(context, sendText) }, async (request, reply) => {
    const { status, error, message } = await start(request);
    return sendText(reply, { status: error ? 400 : 200, code: status, message: `${status}: ${message}` });
  });
  scope.post(`${PREFIX}/start-sync/json`, { errorHandler: answerErrors(context, sendJsonError) }, start);
  scope.post(
    `${PREFIX}/start-sync/xml`,
    { errorHandler: answerErrors(context, sendXmlError) },
    async (request, reply) => {
      const { status, error, message } = await start(request);
      return sendXml(reply.code(200), `error="${String(error)}" status="${status}"`, message);
    },
  );
}

type SendError = (reply: FastifyReply, error: PublicError) => Promise<FastifyReply>;

/** A type of content that cannot be understood never gets as far as the route. */
function formError(error: unknown): unknown {
  const isType = error instanceof Error && 'statusCode' in error && error.statusCode === 415;
  return isType ? notMultipart() : error;
}

function answerErrors(
  { app }: HttpContext,
  send: SendError,
  explain = (error: unknown): unknown => error,
): NonNullable<FastifyInstance['errorHandler']> {
  return (thrown: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const error = explain(thrown);
    const told = publicError(error, request);
    const shown = REFUSED.includes(told.code) ? { ...told, status: 400 } : told;
    logError(app.logger, error, request, shown);
    void send(reply, shown);
  };
}

async function sendText(reply: FastifyReply, { status, message }: PublicError): Promise<FastifyReply> {
  return reply.code(status).type('text/plain; charset=utf-8').send(`${message}\n`);
}

async function sendXmlError(reply: FastifyReply, { status, message }: PublicError): Promise<FastifyReply> {
  return sendXml(reply.code(status), 'error="true"', message);
}

async function sendXml(reply: FastifyReply, attributes: string, message: string): Promise<FastifyReply> {
  // XML has no way to write most control characters.
  const text = html`${printable(message)}`.toString();
  const document = `<?xml version="1.0" encoding="UTF-8"?>\n<response><sync ${attributes}>${text}</sync></response>\n`;
  return reply.type('application/xml; charset=utf-8').send(document);
}

/**
 * Somebody who is refused may still be sending. What comes is thrown away for a while, as many clients read no answer
 * before they are done; after that the connection ends.
 */
function dropWhatNobodyReads(scope: FastifyInstance, draining: AbortSignal): void {
  scope.addHook('onResponse', async ({ raw }) => {
    if (raw.complete) return;
    raw.unpipe();
    raw.resume();
    endAfter(raw, draining.aborted ? 0 : LINGER_MS);
  });
}

function endAfter(raw: IncomingMessage, lingerMs: number): void {
  const timer = setTimeout(() => raw.destroy(), lingerMs);
  raw.once('close', () => {
    clearTimeout(timer);
  });
}
