/** The three bytes a lone surrogate would have in UTF-8, where it is invalid: its record is found out as any other. */
const INVALID = Buffer.from([0xed, 0xa0, 0x80]);
const LONE_SURROGATE = /(\p{Surrogate})/u;

/**
 * Turns a UTF-16 file into UTF-8, so that all scanners work on bytes of which ASCII is part. What is invalid stays
 * invalid, one unit for one.
 */
export class Utf16ToUtf8 {
  private carried = Buffer.alloc(0);

  constructor(private readonly order: 'le' | 'be') {}

  push(piece: Buffer): Buffer {
    const bytes = this.carried.length === 0 ? piece : Buffer.concat([this.carried, piece]);
    let end = bytes.length - (bytes.length % 2);
    if (end > 0 && this.isHighSurrogate(bytes, end - 2)) end -= 2;
    this.carried = Buffer.from(bytes.subarray(end));
    return toUtf8(this.textOf(bytes.subarray(0, end)));
  }

  end(): Buffer {
    const { carried } = this;
    this.carried = Buffer.alloc(0);
    return carried.length === 0 ? carried : INVALID;
  }

  private isHighSurrogate(bytes: Buffer, at: number): boolean {
    const high = this.order === 'le' ? bytes[at + 1] : bytes[at];
    return high !== undefined && high >= 0xd8 && high <= 0xdb;
  }

  private textOf(bytes: Buffer): string {
    return (this.order === 'le' ? bytes : Buffer.from(bytes).swap16()).toString('utf16le');
  }
}

function toUtf8(text: string): Buffer {
  if (!LONE_SURROGATE.test(text)) return Buffer.from(text);
  const parts = text.split(LONE_SURROGATE);
  return Buffer.concat(parts.map((part, index) => (index % 2 === 0 ? Buffer.from(part) : INVALID)));
}
