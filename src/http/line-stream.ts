import type { FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Logger } from '../lib/logger.js';
import { attachment } from './download.js';

export const MEDIA_TYPES = { json: 'application/json', ndjson: 'application/x-ndjson', csv: 'text/csv' } as const;

export type ListFormat = keyof typeof MEDIA_TYPES;

/** A piece is sent as soon as it is this long. */
const PIECE_LENGTH = 65_536;

export function formatQuery<const Formats extends readonly [ListFormat, ...ListFormat[]]>(
  formats: Formats,
): z.ZodOptional<z.ZodEnum<{ [Format in Formats[number]]: Format }>> {
  return z.enum(formats).optional().describe('`json` is a page, anything else the whole list; wins over `Accept`');
}

/** What the client likes best of what there is; a page of JSON when it does not say. */
export function formatWanted(request: FastifyRequest, formats: readonly ListFormat[]): ListFormat {
  const wanted = (request.headers.accept ?? '')
    .split(',')
    .map((part) => {
      const [type = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
      const quality = parameters.find((parameter) => parameter.startsWith('q='));
      return { type, quality: quality === undefined ? 1 : Number(quality.slice(2)) };
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .flatMap(({ type }) => formats.filter((format) => MEDIA_TYPES[format] === type));
  return wanted[0] ?? 'json';
}

export interface LineStream {
  readonly format: Exclude<ListFormat, 'json'>;
  /** Without its ending. */
  readonly filename: string;
  /** Each with its line break. */
  readonly lines: AsyncIterable<string>;
  readonly logger: Logger;
}

/** Sends lines as the client takes them: nothing is read ahead of what the connection holds. */
export async function sendLines(
  reply: FastifyReply,
  { format, filename, lines, logger }: LineStream,
): Promise<FastifyReply> {
  const { id } = reply.request;
  return reply
    .type(`${MEDIA_TYPES[format]}; charset=utf-8`)
    .headers(attachment(`${filename}.${format}`))
    .send(Readable.from(inPieces(lines, logger.child({ request: id })), { objectMode: false }));
}

async function* inPieces(lines: AsyncIterable<string>, logger: Logger): AsyncGenerator<Buffer, void, undefined> {
  let piece = '';
  try {
    for await (const line of lines) {
      piece += line;
      if (piece.length < PIECE_LENGTH) continue;
      yield Buffer.from(piece);
      piece = '';
    }
  } catch (error) {
    // The status has been sent: the client only sees that the answer breaks off.
    logger.error('A list broke off while it was sent', { error });
    throw error;
  }
  if (piece !== '') yield Buffer.from(piece);
}
