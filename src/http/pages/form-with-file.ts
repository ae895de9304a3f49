import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isSameSecret } from '../../access/secrets.js';
import type { Capability } from '../../domain/access.js';
import { UserSyncError } from '../../lib/errors.js';
import { forbidden } from '../errors.js';
import { requireSession } from './session.js';

/**
 * Lets the routes of a scope take forms with one file, whose text becomes a field like the others. Such a form is large,
 * so it is read only from those who may send it, and nothing of it unless its first field is the token of their session.
 */
export async function takeFormsWithFile(
  scope: FastifyInstance,
  { capability, maxBytes }: { readonly capability: Capability; readonly maxBytes: number },
): Promise<void> {
  await scope.register(multipart, {
    limits: { fileSize: maxBytes, fieldSize: maxBytes, files: 1, fields: 2, parts: 3 },
  });
  scope.addHook('preValidation', async (request) => {
    const { csrf } = requireSession(request, capability);
    if (request.isMultipart()) request.body = await textsOf(request, csrf, maxBytes);
  });
}

async function textsOf(request: FastifyRequest, csrf: string, maxBytes: number): Promise<Record<string, string>> {
  const texts = new Map<string, string>();
  for await (const part of request.parts()) {
    if (part.type === 'field' && part.valueTruncated) {
      throw new UserSyncError('too-large', `A field of this form has at most ${maxBytes} bytes.`, { kind: 'usage' });
    }
    const text = part.type === 'file' ? (await part.toBuffer()).toString('utf8') : String(part.value);
    if (texts.size === 0 && !(part.fieldname === '_csrf' && isSameSecret(text, csrf))) {
      throw forbidden('This form is from before you signed in, or from another site. Go back, reload and try again.');
    }
    if (!texts.has(part.fieldname)) texts.set(part.fieldname, text);
  }
  return Object.fromEntries(texts);
}
