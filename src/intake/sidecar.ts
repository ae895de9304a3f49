import type { AnchoredFolder } from './anchored-folder.js';
import type { DropMemory } from './drop-memory.js';
import { codeOf } from './file-system-error.js';
import { FileChangedError, FileUnreadableError, readUnchanged } from './read-unchanged.js';
import type { DropEntry } from './scan.js';

/** A digest and a name; nothing longer is a sidecar. */
const MAX_BYTES = 4096n;

/** As `readSidecar`, which is asked once for each state of a sidecar. */
export async function digestOfSidecar(
  folder: AnchoredFolder,
  entry: DropEntry,
  memory: DropMemory,
): Promise<string | undefined> {
  const finding = memory.findingOf(entry);
  if (finding.digest === undefined) finding.digest = (await readSidecar(folder, entry)) ?? null;
  return finding.digest ?? undefined;
}

/**
 * The SHA-256, in lower-case hex, that a sidecar gives: alone, as `sha256sum` writes it (`HEX  users.json`), or as BSD
 * does (`SHA256 (users.json) = HEX`). Undefined when it has none, or cannot be read (yet).
 *
 * @throws what is the matter with this process rather than with the sidecar, such as EMFILE.
 */
async function readSidecar(folder: AnchoredFolder, entry: DropEntry): Promise<string | undefined> {
  if (entry.fingerprint.sizeBytes > MAX_BYTES) return undefined;
  try {
    const handle = await folder.openFile(entry.name.bytes);
    try {
      const pieces: Buffer[] = [];
      for await (const piece of readUnchanged(handle, entry.fingerprint)) pieces.push(Buffer.from(piece));
      return digestIn(Buffer.concat(pieces).toString('latin1'));
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = codeOf(error);
    const isOfSidecar = error instanceof FileChangedError || error instanceof FileUnreadableError;
    if (isOfSidecar || (code !== undefined && !['EMFILE', 'ENFILE'].includes(code))) return undefined;
    throw error;
  }
}

export function digestIn(text: string): string | undefined {
  const [line = ''] = text.trim().split(/\r?\n/, 1);
  const match = /^\\?([0-9a-f]{64})(?:\s|$)/i.exec(line) ?? /^SHA256 \(.*\) = ([0-9a-f]{64})$/i.exec(line);
  return match?.[1]?.toLowerCase();
}
