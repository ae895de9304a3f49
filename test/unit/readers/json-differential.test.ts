import { Readable } from 'node:stream';
import { expect } from 'chai';
import fc from 'fast-check';
import { streamArray } from 'stream-json/streamers/stream-array.js';
import { cut, values } from './reading.js';

/** The records as stream-json sees them. */
async function reference(bytes: Uint8Array): Promise<unknown[]> {
  const records: unknown[] = [];
  const stream = Readable.from([bytes]).pipe(streamArray.withParserAsStream());
  for await (const item of stream as AsyncIterable<{ value: unknown }>) records.push(item.value);
  return records;
}

/** Strings that the database can store, with a taste for the characters that matter to a scanner. */
const text = fc
  .array(
    fc.oneof(fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', '\n', 'é', '漢', '😀', '\ufffd'), fc.string()),
  )
  .map((parts) => parts.join('').replaceAll('\0', ''));

const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.constantFrom(null, true, false),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(text, tie('any'), { maxKeys: 4 }),
  ),
})).any;

describe('the JSON reader and stream-json', () => {
  it('read the same records from any array of objects, however written and cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(text, value, { maxKeys: 6 }), { maxLength: 5 }),
        fc.constantFrom(undefined, 1, '\t'),
        fc.boolean(),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 }),
        async (records, space, escape, sizes) => {
          const plain = JSON.stringify(records, null, space);
          const written = escape
            ? plain.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
            : plain;
          const bytes = Buffer.from(written);
          const read = await values('json', cut(bytes, sizes));
          expect(read).to.deep.equal(await reference(bytes));
          expect(read).to.deep.equal(JSON.parse(written));
        },
      ),
      { seed: 11, numRuns: 400, interruptAfterTimeLimit: 3000 },
    );
  });

  it('agree on which texts are JSON, when a valid one is damaged in one place', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.dictionary(fc.string({ maxLength: 3 }), fc.oneof(fc.integer(), fc.string({ maxLength: 3 })), {
            maxKeys: 3,
          }),
          { minLength: 1, maxLength: 3 },
        ),
        fc.nat(),
        fc.constantFrom('', '"', '{', '}', '[', ']', ',', ':', '\\', '1', 'x', ' '),
        fc.integer({ min: 1, max: 9 }),
        async (records, at, damage, size) => {
          const written = JSON.stringify(records);
          const index = at % written.length;
          const damaged = Buffer.from(written.slice(0, index) + damage + written.slice(index + 1));
          const valid = isArrayText(damaged.toString());
          const outcome = await values('json', cut(damaged, [size])).then(
            () => true,
            () => false,
          );
          expect(outcome, damaged.toString()).to.equal(valid);
        },
      ),
      { seed: 12, numRuns: 3000, interruptAfterTimeLimit: 3000 },
    );
  });
});

function isArrayText(text: string): boolean {
  try {
    return Array.isArray(JSON.parse(text));
  } catch {
    return false;
  }
}
