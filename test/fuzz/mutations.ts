import fc from 'fast-check';
import { gzipSync } from 'node:zlib';

/** What becomes of files on the way, and what hostile senders write. */

/** Bytes that mean something to a parser, a decoder, a terminal or a database. */
const NASTY: readonly (string | readonly number[])[] = [
  ...['"', '""', "'", '\\', '\\"', '\\.', '\\N', '\\u0000', '\\ud800', '\\u', '\t', '\n', '\r', '\r\n', ',', ';', ':'],
  ...['[', ']', '{', '}', '[[', '{}', '[]', '],[', '}{', '{"', 'null', 'true', '-', '1e400', '9007199254740993', '0.1'],
  ...['<', '>', '</', '/>', '<!--', '-->', '<![CDATA[', ']]>', '<?', '?>', '<!DOCTYPE a>', '&', '&amp;', '&#0;', '&x;'],
  ...[
    '&#x110000;',
    '<a>',
    '</a>',
    '<a b="',
    '<?xml version="1.1" encoding="latin1"?>',
    '=',
    '__proto__',
    'constructor',
  ],
  ...['=cmd', '\u001b[31m', '%00', '../', '|', '||', 'İ', 'é', '漢', '😀', '\ufffd', '\ufeff', '\u2028', '\0', ' '],
  [0xff],
  [0xfe, 0xff],
  [0xff, 0xfe],
  [0xef, 0xbb, 0xbf],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0x80],
  [0xe2, 0x82],
  [0x81, 0x7c],
  [0x81],
  [0x1b, 0x24, 0x42],
  [0x1f, 0x8b, 8, 0],
  [0, 0, 0, 0],
];

export const nastyBytes: fc.Arbitrary<Buffer> = fc.constantFrom(
  ...NASTY.map((one) => (typeof one === 'string' ? Buffer.from(one) : Buffer.from([...one]))),
);

export type Mutation = (bytes: Buffer) => Buffer;

export const asItIs: Mutation = (bytes) => bytes;

/** A place in bytes of any length. */
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const length = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 400 }));

function at(bytes: Buffer, where: number): number {
  return Math.floor(where * bytes.length);
}

const flipped = fc.tuple(place, fc.nat(7)).map(([where, bit]): Mutation => {
  return (bytes) => {
    const changed = Buffer.from(bytes);
    const index = at(bytes, where);
    if (index < changed.length) changed[index] = changed[index]! ^ (1 << bit);
    return changed;
  };
});

const inserted = (tokens: fc.Arbitrary<Buffer>): fc.Arbitrary<Mutation> =>
  fc.tuple(place, tokens).map(([where, token]): Mutation => {
    return (bytes) => Buffer.concat([bytes.subarray(0, at(bytes, where)), token, bytes.subarray(at(bytes, where))]);
  });

const removed = fc.tuple(place, length).map(([where, count]): Mutation => {
  return (bytes) => Buffer.concat([bytes.subarray(0, at(bytes, where)), bytes.subarray(at(bytes, where) + count)]);
});

const repeated = fc
  .tuple(place, length, place, fc.integer({ min: 1, max: 3 }))
  .map(([from, count, to, times]): Mutation => {
    return (bytes) => {
      const part = bytes.subarray(at(bytes, from), at(bytes, from) + count);
      const copies = Array<Buffer>(times).fill(part);
      return Buffer.concat([bytes.subarray(0, at(bytes, to)), ...copies, bytes.subarray(at(bytes, to))]);
    };
  });

const cutOff = place.map(
  (where): Mutation =>
    (bytes) =>
      bytes.subarray(0, at(bytes, where)),
);

const spliced = (others: fc.Arbitrary<Buffer>): fc.Arbitrary<Mutation> =>
  fc.tuple(place, place, others).map(([where, from, other]): Mutation => {
    return (bytes) => Buffer.concat([bytes.subarray(0, at(bytes, where)), other.subarray(at(other, from))]);
  });

export interface Harm {
  /** Files of which a part may get into this one. */
  readonly others: fc.Arbitrary<Buffer>;
  /** What may be put in. */
  readonly tokens?: fc.Arbitrary<Buffer>;
  readonly most?: number;
}

/** One change to a file, or a few. */
export function mutations({ others, tokens = nastyBytes, most = 4 }: Harm): fc.Arbitrary<Mutation> {
  const one = fc.oneof(
    { weight: 4, arbitrary: flipped },
    { weight: 6, arbitrary: inserted(tokens) },
    { weight: 3, arbitrary: removed },
    { weight: 3, arbitrary: repeated },
    { weight: 1, arbitrary: cutOff },
    { weight: 1, arbitrary: spliced(others) },
  );
  return fc.array(one, { minLength: 1, maxLength: most }).map(
    (all): Mutation =>
      (bytes) =>
        all.reduce((changed, mutate) => mutate(changed), bytes),
  );
}

/** Compressed, in one member or two, and perhaps damaged after that. */
export const compressed: fc.Arbitrary<Mutation> = fc
  .tuple(
    fc.option(place, { nil: 1 }),
    fc.option(fc.oneof(flipped, removed, inserted(nastyBytes), cutOff), { nil: undefined, freq: 2 }),
  )
  .map(([where, damage]): Mutation => {
    return (bytes) => {
      const members = [bytes.subarray(0, at(bytes, where)), bytes.subarray(at(bytes, where))];
      const packed = Buffer.concat(members.map((member) => gzipSync(member, { level: 1 })));
      return damage === undefined ? packed : damage(packed);
    };
  });

/** How many bytes come at once, again and again. */
export const pieceSizes: fc.Arbitrary<number[]> = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 3000 })),
  { minLength: 1, maxLength: 6 },
);

/** Bytes for a report, such that they can be put into a test. */
export function shown(bytes: Uint8Array): string {
  return `Buffer.from(${JSON.stringify(Buffer.from(bytes).toString('latin1'))}, 'latin1')`;
}
