import type { FileHandle } from 'node:fs/promises';
import { UserSyncError } from '../lib/errors.js';
import type { AnchoredFolder } from './anchored-folder.js';
import { codeOf } from './file-system-error.js';
import type { FileStore, StoredFile } from './file-store.js';
import { FileChangedError, FileUnreadableError, readUnchanged } from './read-unchanged.js';
import type { DropEntry } from './scan.js';

export interface TakeOptions {
  /** More is refused. */
  readonly maxBytes: number;
  /** What its sidecar says is the SHA-256 of the file. */
  readonly digest?: string | undefined;
  readonly signal: AbortSignal;
  /** Told after each piece, since a large file takes minutes. */
  readonly onProgress?: (() => void) | undefined;
}

export type TakeResult =
  | { readonly kind: 'stored'; readonly stored: StoredFile }
  /** Not complete after all, or gone: to be looked at again. Nothing is in the store. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'digest-differs' }
  /** `code` is what the file system says. */
  | { readonly kind: 'unreadable'; readonly code: string | undefined };

/**
 * Copies a file of a drop directory into the store, if it is still in the state in which the scan saw it, and stays so
 * until the last byte. The original is left where it is.
 *
 * @throws what the store throws, and what is the matter with this process rather than with the file, such as EMFILE.
 */
export async function takeFile(
  folder: AnchoredFolder,
  entry: DropEntry,
  store: FileStore,
  options: TakeOptions,
): Promise<TakeResult> {
  if (entry.fingerprint.sizeBytes > BigInt(options.maxBytes)) return { kind: 'too-large' };
  let handle: FileHandle;
  try {
    handle = await folder.openFile(entry.name.bytes);
  } catch (error) {
    return whyNotOpened(error);
  }
  try {
    const bytes = reportProgress(readUnchanged(handle, entry.fingerprint), options.onProgress);
    return { kind: 'stored', stored: await store.put(bytes, options.maxBytes, options) };
  } catch (error) {
    if (error instanceof FileChangedError) return { kind: 'changed' };
    if (error instanceof FileUnreadableError) return { kind: 'unreadable', code: codeOf(error.cause) };
    if (error instanceof UserSyncError && error.code === 'digest-differs') return { kind: 'digest-differs' };
    throw error;
  } finally {
    await handle.close();
  }
}

/** What opening says when the entry is not the regular file any more that the scan saw: gone, a link, a socket. */
const REPLACED = new Set(['ENOENT', 'ELOOP', 'EMLINK', 'ENXIO', 'ENOTDIR']);
const OUT_OF_DESCRIPTORS = new Set(['EMFILE', 'ENFILE']);

function whyNotOpened(error: unknown): TakeResult {
  const code = codeOf(error);
  if (code === undefined || OUT_OF_DESCRIPTORS.has(code)) throw error;
  return REPLACED.has(code) ? { kind: 'changed' } : { kind: 'unreadable', code };
}

async function* reportProgress(
  bytes: AsyncIterable<Uint8Array>,
  onProgress: (() => void) | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    yield chunk;
    onProgress?.();
  }
}
