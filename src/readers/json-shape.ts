const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** A number written in at most this many characters, without exponent, is held exactly by a double. */
const SURELY_EXACT_LENGTH = 15;

/**
 * Finds the end of one JSON object, array or string in bytes that arrive in pieces, and on the way learns what decides
 * whether a closer look is needed. Judges no syntax: that is for the parser that gets the bytes found.
 *
 * This is the hot loop of reading JSON. It works on local variables and stores them back at the end of a piece.
 */
export class JsonShape {
  /** Colons outside of strings: in valid JSON, the number of names, repeated ones included. */
  names = 0;
  /** Deepest nesting; an object of plain values has 1. */
  deepest = 0;
  /** Objects and arrays. */
  containers = 0;
  /** Whether a string has an escape by number: the only way to write a null character or half of a surrogate pair. */
  hasNumericEscape = false;
  /** Whether a number stands there that a double might not hold as written. */
  hasDoubtfulNumber = false;

  private depth = 0;
  private inString = false;
  private escaped = false;

  reset(): void {
    this.names = 0;
    this.deepest = 0;
    this.containers = 0;
    this.hasNumericEscape = false;
    this.hasDoubtfulNumber = false;
    this.depth = 0;
    this.inString = false;
    this.escaped = false;
  }

  /** The index behind the end of the value, -1 when it goes on behind `to`. */
  scan(bytes: Buffer, from: number, to: number): number {
    let { depth, inString } = this;
    let i = from;
    if (this.escaped && i < to) {
      // The escape was cut by the end of a piece: rare enough to assume the worst.
      this.hasNumericEscape = true;
      this.escaped = false;
      i++;
    }
    // Where the token that now runs began, at the earliest. Before the piece: assume that it is long.
    let tokenStart = i - SURELY_EXACT_LENGTH - 1;
    while (i < to) {
      if (inString) {
        let byte = bytes[i];
        while (byte !== QUOTE && byte !== BACKSLASH && i < to) byte = bytes[++i];
        if (i >= to) break;
        if (byte === BACKSLASH) {
          if (i + 1 >= to) {
            this.escaped = true;
            break;
          }
          if (bytes[i + 1] === 0x75) this.hasNumericEscape = true;
          i += 2;
          continue;
        }
        inString = false;
        tokenStart = ++i;
        if (depth === 0) return i;
        continue;
      }
      switch (bytes[i]) {
        case QUOTE:
          inString = true;
          break;
        case 0x3a: // :
          this.names++;
          tokenStart = i + 1;
          break;
        case 0x2c: // ,
          if (i - tokenStart > SURELY_EXACT_LENGTH) this.hasDoubtfulNumber = true;
          tokenStart = i + 1;
          break;
        case 0x7b: // {
        case 0x5b: // [
          this.containers++;
          if (++depth > this.deepest) this.deepest = depth;
          tokenStart = i + 1;
          break;
        case 0x7d: // }
        case 0x5d: // ]
          if (i - tokenStart > SURELY_EXACT_LENGTH) this.hasDoubtfulNumber = true;
          tokenStart = i + 1;
          if (--depth === 0) {
            this.depth = 0;
            this.inString = false;
            return i + 1;
          }
          break;
        case 0x45: // E
        case 0x65: // e, also in true and false
          if (i === from || isDigitOrPoint(bytes[i - 1])) this.hasDoubtfulNumber = true;
          break;
        default:
      }
      i++;
    }
    this.depth = depth;
    this.inString = inString;
    return -1;
  }
}

function isDigitOrPoint(byte: number | undefined): boolean {
  return byte !== undefined && ((byte >= 0x30 && byte <= 0x39) || byte === 0x2e);
}
