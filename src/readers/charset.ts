import { isAscii, isUtf8 } from 'node:buffer';

/**
 * How the bytes of a file become text. Decoding never fails: bytes that are invalid become U+FFFD, and only text that
 * has one is looked at again, because U+FFFD may also stand in the file and is then plain data.
 */
export interface Charset {
  readonly name: string;
  /** Set when the bytes are UTF-16; such a file is turned into UTF-8 before a scanner sees it. */
  readonly utf16?: 'le' | 'be';
  /** The bytes from `start` to `end` as text. */
  text(bytes: Buffer, start: number, end: number): string;
  /** Offset from `start` of the first invalid byte, -1 when there is none. */
  invalidAt(bytes: Buffer, start: number, end: number): number;
}

/** Whether a control file may name this charset, written as people write it. */
export function isKnownCharset(name: string): boolean {
  return charsetNamed(name) !== undefined;
}

export function charsetNamed(name: string): Charset | undefined {
  const label = labelOf(name);
  if (label === undefined || NOT_ASCII_BASED.has(label)) return undefined;
  if (label === 'us-ascii') return ASCII;
  if (label === 'utf-8') return UTF_8;
  if (label === 'utf-16le') return UTF_16_LE;
  if (label === 'utf-16be') return UTF_16_BE;
  return legacyCharset(label);
}

export const UTF_8: Charset = {
  name: 'utf-8',
  text: (bytes, start, end) => bytes.toString('utf8', start, end),
  invalidAt: (bytes, start, end) => invalidUtf8At(bytes.subarray(start, end)),
};

export const UTF_16_LE: Charset = { ...UTF_8, name: 'utf-16le', utf16: 'le' };
export const UTF_16_BE: Charset = { ...UTF_8, name: 'utf-16be', utf16: 'be' };

/** The encoding standard reads `us-ascii` as windows-1252, which would hide that a file is not what it claims to be. */
const ASCII: Charset = {
  name: 'us-ascii',
  text: (bytes, start, end) => bytes.toString('latin1', start, end).replace(/[\x80-\xff]/g, '\ufffd'),
  invalidAt: (bytes, start, end) => bytes.subarray(start, end).findIndex((byte) => byte >= 0x80),
};

/** Charsets in which a byte such as `<` or a line feed may be part of another character: they cannot be scanned. */
const NOT_ASCII_BASED = new Set(['iso-2022-jp', 'iso-2022-kr', 'iso-2022-cn', 'hz-gb-2312', 'utf-7', 'replacement']);

function labelOf(name: string): string | undefined {
  const lower = name.trim().toLowerCase();
  if (/^(us[-_]?)?ascii$|^ansi_x3\.4-1968$|^iso646-us$/.test(lower)) return 'us-ascii';
  const spellings = [
    lower,
    lower.replaceAll('_', '-'),
    lower.replace(/^utf[-_ ]?(\d+)[-_ ]?(le|be)?$/, 'utf-$1$2'),
    lower.replace(/^(?:cp|ms|win|windows)[-_ ]?(\d+)$/, 'windows-$1'),
    lower.replace(/^cp[-_ ]?(\d+)$/, 'ibm$1'),
    lower.replace(/^iso[-_ ]?8859[-_ ]?(\d+)$/, 'iso-8859-$1'),
    lower.replace(/^latin[-_ ]?(\d+)$/, 'latin$1'),
    lower.replace(/^ansi$/, 'windows-1252'),
    lower.replace(/^mac[-_ ]?roman$/, 'macintosh'),
  ];
  for (const spelling of spellings) {
    try {
      return new TextDecoder(spelling).encoding;
    } catch {
      // Not a name that the platform knows: the next spelling.
    }
  }
  return undefined;
}

/**
 * Single-byte and East Asian charsets. `stream: true` matters: a one-shot decode of windows-1252 takes a shortcut
 * through latin1 on some versions of Node.
 */
function legacyCharset(label: string): Charset {
  const lossy = new TextDecoder(label);
  return {
    name: label,
    text(bytes, start, end) {
      const part = bytes.subarray(start, end);
      if (isAscii(part)) return part.toString('latin1');
      return lossy.decode(part, { stream: true }) + lossy.decode(EMPTY, { stream: false });
    },
    invalidAt: (bytes, start, end) => invalidLegacyAt(label, bytes.subarray(start, end)),
  };
}

/** `text` in the bytes of the charset as scanners see them; undefined when it takes more than a byte a character. */
export function encodeIn(charset: Charset, text: string): Buffer | undefined {
  if (charset.text === UTF_8.text) return Buffer.from(text);
  const bytes = [...text].map((character) => {
    const index = Array.from({ length: 256 }, (_, byte) => byte).find(
      (byte) => charset.text(Buffer.of(byte), 0, 1) === character,
    );
    return index ?? -1;
  });
  return bytes.includes(-1) ? undefined : Buffer.from(bytes);
}

const EMPTY = new Uint8Array(0);

/** The index of the byte with which the character at `offset` begins in the text of all of `bytes`, valid or not. */
export function byteIndexOf(charset: Charset, bytes: Buffer, offset: number): number {
  // The longest start that has no more text than that: with more bytes, text never becomes shorter.
  let [fits, tooLong] = [0, bytes.length + 1];
  while (tooLong - fits > 1) {
    const middle = Math.floor((fits + tooLong) / 2);
    if (charset.text(bytes, 0, middle).length <= offset) fits = middle;
    else tooLong = middle;
  }
  return fits;
}

/** Where the text first differs from the bytes that it came from, taken back to the start of that character. */
function invalidUtf8At(bytes: Buffer): number {
  if (isUtf8(bytes)) return -1;
  const again = Buffer.from(bytes.toString('utf8'));
  let at = 0;
  while (at < bytes.length && bytes[at] === again[at]) at++;
  while (at > 0 && ((again[at] ?? 0) & 0xc0) === 0x80) at--;
  return at;
}

const BLOCK = 4096;

/** The byte at which a strict decoder gives up: first the block is found, then the byte in it. */
function invalidLegacyAt(label: string, bytes: Buffer): number {
  const blockEnd = failsAfter(label, bytes, 0, BLOCK);
  if (blockEnd < 0) return -1;
  const end = failsAfter(label, bytes, Math.max(0, blockEnd - BLOCK), 1);
  return end < 0 ? bytes.length - 1 : Math.min(end, bytes.length) - 1;
}

/** Feeds what is before `from` whole and the rest in steps; the end of the step that failed, -1 when none did. */
function failsAfter(label: string, bytes: Buffer, from: number, step: number): number {
  const strict = new TextDecoder(label, { fatal: true });
  let end = from;
  try {
    strict.decode(bytes.subarray(0, from), { stream: true });
    while (end < bytes.length) {
      const start = end;
      end += step;
      strict.decode(bytes.subarray(start, end), { stream: true });
    }
    strict.decode(EMPTY);
    return -1;
  } catch {
    return end;
  }
}
