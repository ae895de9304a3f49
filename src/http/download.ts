import type { FastifyReply } from 'fastify';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

/** A file that somebody asks for. */
export interface Download {
  readonly path: string;
  /** How it is to be called; what no file system minds is left of it. */
  readonly filename: string;
  /** What is thrown when it is not there, or is no regular file. */
  readonly missing: () => Error;
  /** Puts on record that it was fetched, before a byte of it is sent. */
  readonly note: () => Promise<void>;
}

/** Sends a file as something to be kept, never shown: what is in it came from outside. */
export async function sendDownload(
  reply: FastifyReply,
  { path, filename, missing, note }: Download,
): Promise<FastifyReply> {
  const handle = await openRegularFile(path);
  if (handle === undefined) throw missing();
  try {
    await note();
    const { size } = await handle.stat();
    void reply.headers(attachment(filename)).header('content-length', size).type('application/octet-stream');
  } catch (error) {
    await handle.close();
    throw error;
  }
  return reply.send(handle.createReadStream());
}

/** Headers of what a browser is to keep and nobody between. */
export function attachment(filename: string): Readonly<Record<string, string>> {
  return {
    'content-disposition': `attachment; filename="${filename.replaceAll(/[^A-Za-z0-9._-]/g, '_')}"`,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  };
}

/**
 * What is no regular file, such as a link or a FIFO that somebody put there, is not opened: the one leads elsewhere, the other
 * never ends.
 *
 * @returns undefined when there is no such file
 */
async function openRegularFile(path: string): Promise<FileHandle | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags).catch((error: unknown) => {
    if (['ENOENT', 'ELOOP', 'ENXIO'].includes(codeOf(error))) return undefined;
    throw error;
  });
  if (handle === undefined || (await handle.stat()).isFile()) return handle;
  await handle.close();
  return undefined;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
