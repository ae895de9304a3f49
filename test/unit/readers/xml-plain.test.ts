import { expect } from 'chai';
import fc from 'fast-check';
import { PlainXmlReader } from '../../../src/readers/xml-plain.js';
import { XmlRecordParser } from '../../../src/readers/xml-record.js';

const name = fc.constantFrom('a', 'b', 'a.b', '_1', 'name-2', '__proto__', 'toString');
const space = fc.constantFrom('', ' ', '\n  ', '\r\n', 'text between');
const value = fc.oneof(
  fc.constantFrom('', ' x ', 'é', '\ufffd', '> / = "', 'two\nlines', ']', '\u0085\u2028'),
  fc.string({ unit: fc.constantFrom('a', ' ', '>', ']', '/', '"', '\t', 'ß') }),
);
const field = fc
  .tuple(name, fc.option(value))
  .map(([tag, text]) => (text === null ? `<${tag}/>` : `<${tag}>${text}</${tag}>`));
const record = fc
  .tuple(name, fc.array(fc.tuple(space, field)), space)
  .map(([tag, fields, last]) => `<${tag}>${fields.flat().join('')}${last}</${tag}>`)
  .filter((text) => !text.includes(']]>'));

/** What takes a parser, or is no XML. */
const oddity = fc.constantFrom(
  '<', '>', '/', '&', '&amp;', '&#0;', '</a>', '<a>', '<a/>', '<a x="1">', '<a >', '</a >', '<!-- -->', '<![CDATA[<a>]]>',
  '<?x?>', ']]>', '\0', '\u000b', '\ud800', '😀', '\ufffe', '\r', '<é>', '<1>', '<x:a>', '</', '<//>', '<>',
); // prettier-ignore

describe('The short way to read a plain XML record', () => {
  const plain = new PlainXmlReader();

  it('is taken for elements without attributes that hold one text each, and gives what the parser gives', () => {
    const parser = new XmlRecordParser('text-of-children');
    fc.assert(
      fc.property(record, (text) => {
        const parsed = parser.parse(text);
        expect(parsed.error).to.equal(undefined);
        expect(plain.read(text)).to.deep.equal(parsed);
      }),
      { seed: 31, numRuns: 2000, interruptAfterTimeLimit: 2000 },
    );
  });

  it('is left for whatever else a record holds, unless it makes no difference', () => {
    let taken = 0;
    fc.assert(
      fc.property(record, fc.array(fc.tuple(fc.nat(), oddity), { minLength: 1, maxLength: 3 }), (text, oddities) => {
        const odd = oddities.reduce((whole, [at, what]) => {
          const index = at % whole.length;
          return whole.slice(0, index) + what + whole.slice(index);
        }, text);
        const found = plain.read(odd);
        if (found === undefined) return;
        taken++;
        expect(found).to.deep.equal(new XmlRecordParser('text-of-children').parse(odd));
      }),
      { seed: 32, numRuns: 5000, interruptAfterTimeLimit: 3000 },
    );
    expect(taken).to.be.greaterThan(100);
  });

  it('reads the last of two fields of one name, and counts both', () => {
    expect(plain.read('<r><a>1</a><a>2</a></r>')).to.deep.equal({ record: { a: '2' }, count: 2, error: undefined });
  });
});
