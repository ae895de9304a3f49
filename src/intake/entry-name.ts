import { printable } from '../lib/printable.js';

/**
 * The name of a directory's entry. On Linux a name is bytes, which need not be text: asked for as a string, Node hands
 * out a name with U+FFFD in it that opens nothing.
 */
export interface EntryName {
  readonly bytes: Buffer;
  /** One string for one sequence of bytes, for maps. Not for people. */
  readonly key: string;
  /** Undefined when the bytes are not UTF-8. */
  readonly text: string | undefined;
  /** For people: what would drive a terminal or forge a line is escaped. */
  readonly shown: string;
}

/** What a name alone says about an entry. */
export type Role =
  /** Not meant for us, or not yet. */
  | 'ignored'
  /** `users.json.done`: says that `users.json` is complete. */
  | 'marker'
  /** `users.json.sha256`: says what `users.json` must contain. */
  | 'sidecar'
  | 'file';

const IGNORED = /^\.|~$|\.(?:part|filepart|tmp|crdownload)$/i;
const MARKER = '.done';
const SIDECAR = '.sha256';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function entryName(bytes: Buffer): EntryName {
  const text = decode(bytes);
  return { bytes, key: bytes.toString('latin1'), text, shown: text === undefined ? showBytes(bytes) : printable(text) };
}

export function roleOf({ key }: EntryName): Role {
  if (IGNORED.test(key)) return 'ignored';
  if (key.endsWith(MARKER) && key.length > MARKER.length) return 'marker';
  if (key.endsWith(SIDECAR) && key.length > SIDECAR.length) return 'sidecar';
  return 'file';
}

/** The key of the file that a marker or a sidecar speaks of. */
export function subjectOf({ key }: EntryName): string {
  return key.slice(0, key.lastIndexOf('.'));
}

/** Whether people can read the name as it is. */
export function isPlain(name: EntryName): boolean {
  return name.text !== undefined && name.text === name.shown;
}

function decode(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function showBytes(bytes: Buffer): string {
  return [...bytes]
    .map((byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
    )
    .join('');
}
