import { expect } from 'chai';
import fc from 'fast-check';
import { UTF_8 } from '../../../src/readers/charset.js';
import { Cursor } from '../../../src/readers/cursor.js';

const text = fc.string({ unit: fc.constantFrom('a', '\n', '\r', '\r\n'), maxLength: 30 });

describe('Cursor', () => {
  it('knows the line of every place it stops at, whatever the line ends and the pieces', () => {
    fc.assert(
      fc.property(
        fc.array(text, { maxLength: 5 }),
        fc.array(fc.nat({ max: 40 }), { maxLength: 8 }),
        (pieces, stops) => {
          const cursor = new Cursor({ byte: 0, charset: UTF_8 });
          let before = '';
          for (const piece of pieces) {
            const bytes = Buffer.from(piece);
            for (const stop of stops.filter((one) => one <= piece.length).toSorted((a, b) => a - b)) {
              const until = before + piece.slice(0, stop);
              // A \n belongs to the \r before it, which has ended the line.
              const line = 1 + (until.match(/\r\n|\r|\n/g)?.length ?? 0);
              expect(cursor.at(bytes, stop)).to.deep.equal({ line, byte: until.length });
            }
            cursor.endPiece(bytes);
            before += piece;
          }
        },
      ),
      { numRuns: 3000 },
    );
  });
});
