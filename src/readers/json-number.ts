/**
 * The first number of a JSON text that a double does not hold as it is written: `9007199254740993`, `1e400`, but not
 * `1.0`, `1e2` or `0.1`, which read and written again mean the same.
 *
 * @param text valid JSON
 */
export function inexactNumber(text: string): string | undefined {
  for (const token of numbers(text)) {
    if (!isExact(token)) return token;
  }
  return undefined;
}

const NUMBER = /-?\d[\d.eE+-]*/y;

function* numbers(text: string): Generator<string, void, undefined> {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) {
      i = stringEnd(text, i);
    } else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      NUMBER.lastIndex = i;
      const token = NUMBER.exec(text)?.[0] ?? '';
      yield token;
      i += token.length - 1;
    }
  }
}

/** The index of the quote that ends the string that starts at `start`. */
function stringEnd(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x5c) i++;
    else if (code === 0x22) return i;
  }
  return text.length;
}

function isExact(token: string): boolean {
  const value = Number(token);
  if (!Number.isFinite(value)) return false;
  const written = decimal(token);
  const held = decimal(String(value));
  return written.digits === held.digits && (written.digits === '' || written.exponent === held.exponent);
}

interface Decimal {
  /** Significant digits with the sign, empty for zero. */
  readonly digits: string;
  /** Of ten, for the last digit. */
  readonly exponent: number;
}

function decimal(token: string): Decimal {
  const [mantissa = '', exponent = '0'] = token.toLowerCase().split('e');
  const sign = mantissa.startsWith('-') ? '-' : '';
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const all = `${whole}${fraction}`;
  const digits = withoutTrailingZeros(all);
  const significant = digits.replace(/^0+/, '');
  if (significant === '') return { digits: '', exponent: 0 };
  return { digits: sign + significant, exponent: Number(exponent) - fraction.length + all.length - digits.length };
}

/** By hand: a pattern for zeros at the end takes quadratic time on a long number full of zeros. */
function withoutTrailingZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 0x30) end--;
  return digits.slice(0, end);
}
