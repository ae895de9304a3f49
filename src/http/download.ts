import type { FastifyReply } from 'fastify';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

/**
 * Opens a file for sending. What is no regular file, such as a link or a FIFO that somebody put there, is not opened: the
 * one leads elsewhere, the other never ends.
 *
 * @returns undefined when there is no such file
 */
export async function openRegularFile(path: string): Promise<FileHandle | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags).catch((error: unknown) => {
    if (['ENOENT', 'ELOOP', 'ENXIO'].includes(codeOf(error))) return undefined;
    throw error;
  });
  if (handle === undefined || (await handle.stat()).isFile()) return handle;
  await handle.close();
  return undefined;
}

/** Sends a file as something to be kept, never shown: what is in it came from outside. */
export async function sendDownload(reply: FastifyReply, handle: FileHandle, filename: string): Promise<FastifyReply> {
  const { size } = await handle.stat();
  const safe = filename.replaceAll(/[^A-Za-z0-9._-]/g, '_');
  return reply
    .header('content-disposition', `attachment; filename="${safe}"`)
    .header('x-content-type-options', 'nosniff')
    .header('cache-control', 'no-store')
    .header('content-length', size)
    .type('application/octet-stream')
    .send(handle.createReadStream());
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
