import { expect } from 'chai';
import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { brief, cut, read } from './reading.js';

/** The records as one parser sees them that reads the whole document; undefined when it is not well-formed. */
function reference(document: string): Record<string, string>[] | undefined {
  const sax = new SaxesParser();
  const records: Record<string, string>[] = [];
  let depth = 0;
  let text = '';
  let wellFormed = true;
  const onText = (part: string): void => {
    if (depth === 1 && part.trim() !== '') wellFormed = false;
    text += part;
  };
  sax.on('error', () => (wellFormed = false));
  sax.on('doctype', () => (wellFormed = false));
  sax.on('opentag', () => {
    depth++;
    if (depth === 2) records.push({});
    if (depth === 3) text = '';
  });
  sax.on('closetag', ({ name }) => {
    const record = records.at(-1);
    if (depth === 3 && record !== undefined) record[name] = text;
    depth--;
  });
  sax.on('text', onText);
  sax.on('cdata', onText);
  sax.write(document).close();
  return wellFormed ? records : undefined;
}

const name = fc.constantFrom('a', 'b', 'ab', 'é');
const noise = fc.constantFrom('', ' ', '\n', '<!-- <a> </b> - > -->', '<?pi <a> ? ?>');
const attribute = fc.constantFrom('', ' x="1"', ` x='>"/>' y=">'"`, '\n');
const text = fc.constantFrom('', 'x', '&lt;&#65;', '<![CDATA[<a>]]]]>', ' é😀 ', ']', '/>', '--');

const element: fc.Memo<string> = fc.memo((depth) => {
  const content = depth > 1 ? fc.oneof(element(depth - 1), text, noise) : fc.oneof(text, noise);
  return fc
    .tuple(name, attribute, fc.option(fc.array(content, { maxLength: 4 })))
    .map(([name, attributes, parts]) =>
      parts === null ? `<${name}${attributes}/>` : `<${name}${attributes}>${parts.join('')}</${name}>`,
    );
});

const document = fc
  .tuple(noise, fc.array(fc.tuple(element(3), noise), { maxLength: 4 }), noise)
  .map(([before, records, after]) => `${before}<root>${records.flat().join('')}</root>${after}`);

const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 });

describe('the XML reader and saxes on the whole document', () => {
  it('read the same records from any well-formed document, however cut', async () => {
    await fc.assert(
      fc.asyncProperty(document, sizes, async (document, sizes) => {
        const { items, error } = await read('xml-text-of-children', cut(Buffer.from(document), sizes));
        expect(error).to.equal(undefined);
        expect(brief(items)).to.deep.equal(reference(document));
      }),
      { seed: 21, numRuns: 800, interruptAfterTimeLimit: 2000 },
    );
  });

  it('agree on which documents are well-formed, when one is damaged in one place', async () => {
    const damages = fc.constantFrom(
      '',
      '<',
      '>',
      '/',
      '"',
      '&',
      ';',
      '!',
      '-',
      ']',
      '?',
      'x',
      ' ',
      '=',
      '</a>',
      '<a>',
      '<!--',
    );
    await fc.assert(
      fc.asyncProperty(document, fc.nat(), damages, sizes, async (document, at, damage, sizes) => {
        const index = at % document.length;
        const bytes = Buffer.from(document.slice(0, index) + damage + document.slice(index + 1));
        const damaged = bytes.toString();
        const expected = reference(damaged);
        const { items, error } = await read('xml-text-of-children', cut(bytes, sizes));
        // A character that XML does not have rejects one record only.
        const good = error === undefined && items.every((item) => item.kind === 'record');
        expect(good, `${damaged}: ${String(error)}`).to.equal(expected !== undefined);
        if (expected !== undefined) expect(brief(items)).to.deep.equal(expected);
      }),
      { seed: 22, numRuns: 3000, interruptAfterTimeLimit: 2500 },
    );
  });
});
