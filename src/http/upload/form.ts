import type { MultipartFile, MultipartValue } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { addAbortSignal } from 'node:stream';
import type { FileStore, StoredFile } from '../../intake/file-store.js';
import { isUsableName } from '../../intake/batch-names.js';
import { messageOf, UserSyncError } from '../../lib/errors.js';
import { printable } from '../../lib/printable.js';
import { MAX_CONTROL_BYTES } from '../../sync/control.js';

/** The name under which a control file is sent. */
export const CONTROL = '_control';

interface Names {
  readonly name: string;
  /** As the sender calls it, without what could drive a terminal. */
  readonly filename: string;
}

export type UploadedFile = StoredFile & Names;

export interface UploadOptions {
  readonly store: FileStore;
  readonly maxBytes: number;
  /** Aborted when the program ends. */
  readonly signal: AbortSignal;
  /** Throws for a name that would be refused. Asked as soon as the name is known, which may be before the file comes. */
  readonly checkName: (name: string) => Promise<void>;
  /** Throws for a file that would be refused, of which all bytes are at the path. */
  readonly checkFile: (names: Names, path: string) => Promise<void>;
}

/** Names and fields are short; the file alone is not limited here, but by the store. */
const LIMITS = { fieldNameSize: 100, fieldSize: 1000, fields: 20, files: 2, fileSize: Infinity, parts: 22 };
const LONGEST_FILENAME = 255;

/**
 * Streams the file of a form with the fields `name` and `file`, in either order, to the store. Nothing stays there unless the
 * form is complete and everything in it is right: for the store, a file ends where its form does.
 *
 * @throws UserSyncError `upload-form`, `file-too-large`, `shutting-down`, and what `checkName` and `checkFile` throw
 */
export async function receiveUpload(request: FastifyRequest, options: UploadOptions): Promise<UploadedFile> {
  const form = new UploadForm(options);
  const stored = await options.store.put(form.bytes(request), options.maxBytes, {
    signal: options.signal,
    check: (path) => options.checkFile(form.complete(), path),
  });
  return { ...stored, ...form.complete() };
}

class UploadForm {
  readonly #options: UploadOptions;
  #name: string | undefined;
  #filename: string | undefined;
  #sizeBytes = 0;

  constructor(options: UploadOptions) {
    this.#options = options;
  }

  /** The bytes of the file. Ends when the whole form has come and is right. */
  async *bytes(request: FastifyRequest): AsyncGenerator<Uint8Array> {
    if (!request.isMultipart()) throw notMultipart();
    for await (const part of this.#parts(request)) {
      if (part.type === 'file') yield* this.#file(part);
      else if (part.fieldname === 'name') await this.#takeName(part);
      else if (part.fieldname === 'file') throw unusable('Its field `file` is text, not a file with a filename.');
    }
    this.complete();
  }

  complete(): Names {
    if (this.#filename === undefined) throw unusable('It has no file in the field `file`.');
    if (this.#name === undefined) throw unusable('It has no field `name`.');
    if (this.#name === CONTROL && this.#sizeBytes > MAX_CONTROL_BYTES) {
      throw unusable(`A control file has at most ${MAX_CONTROL_BYTES} bytes.`);
    }
    return { name: this.#name, filename: this.#filename };
  }

  /** What is wrong with the form is its sender's mistake; a full disk is not, and never comes from here. */
  async *#parts(request: FastifyRequest): AsyncGenerator<MultipartFile | MultipartValue> {
    const parts = request.parts({ limits: LIMITS })[Symbol.asyncIterator]();
    for (;;) {
      const next = await this.#fromSender(() => parts.next());
      if (next.done === true) return;
      yield next.value;
    }
  }

  async *#file({ fieldname, filename, file }: MultipartFile): AsyncGenerator<Uint8Array> {
    if (fieldname !== 'file') throw unusable('Its file is not in the field `file`.');
    if (this.#filename !== undefined) throw unusable('It has two files; send one at a time.');
    this.#filename = printable(filename).slice(0, LONGEST_FILENAME);
    const chunks = addAbortSignal(this.#options.signal, file)[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    for (;;) {
      const next = await this.#fromSender(() => chunks.next());
      if (next.done === true) return;
      this.#sizeBytes += next.value.byteLength;
      yield next.value;
    }
  }

  async #takeName({ value, valueTruncated }: MultipartValue): Promise<void> {
    if (this.#name !== undefined) throw unusable('It has two fields `name`.');
    if (typeof value !== 'string' || valueTruncated || !isUsableName(value)) {
      throw unusable('Its field `name` may have letters A-Z and a-z, digits, - and _, at most 200.');
    }
    this.#name = value;
    if (value !== CONTROL) await this.#options.checkName(value);
  }

  async #fromSender<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (this.#options.signal.aborted) throw shuttingDown();
      throw unusable(`${messageOf(error)}.`);
    }
  }
}

export function notMultipart(): UserSyncError {
  return unusable('It is not multipart/form-data.');
}

function unusable(why: string): UserSyncError {
  return new UserSyncError(
    'upload-form',
    `The upload cannot be used. ${why} Send a form as \`curl -F name=NAME -F file=@FILE\` does.`,
    { kind: 'usage' },
  );
}

function shuttingDown(): UserSyncError {
  return new UserSyncError('shutting-down', 'The program is ending. Send the file again in a minute.');
}
