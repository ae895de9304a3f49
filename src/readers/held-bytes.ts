/**
 * The start of a record whose end is in a later piece of the file. Grows by doubling, so that a record that arrives one
 * byte at a time costs no more than its size.
 */
export class HeldBytes {
  length = 0;
  /** Whether there was more than may be held, of which only the start is. */
  tooLong = false;
  private bytes = Buffer.allocUnsafe(1024);

  constructor(private readonly longest = Infinity) {}

  append(piece: Buffer, start: number, end: number): void {
    if (this.tooLong) return;
    this.tooLong = end - start > this.longest - this.length;
    this.copy(piece, start, this.tooLong ? start + this.longest - this.length : end);
  }

  /** What is held, as a view that is good until the next `append`. */
  view(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
    this.tooLong = false;
  }

  private copy(piece: Buffer, start: number, end: number): void {
    const needed = this.length + end - start;
    if (needed > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2));
      this.bytes.copy(larger, 0, 0, this.length);
      this.bytes = larger;
    }
    piece.copy(this.bytes, this.length, start, end);
    this.length = needed;
  }
}
