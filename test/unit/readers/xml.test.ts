import { expect } from 'chai';
import { brief, failureOf, pieces, read, values } from './reading.js';

const CHILDREN = 'xml-text-of-children';
const ATTRIBUTES = 'xml-attributes';
const SIZES = [1, 5, 100_000];

describe('the XML readers', () => {
  it('take local names, CDATA, character references and text of deeper elements, and leave out comments', async () => {
    const text =
      '<?xml version="1.0"?><?pi > ?>\n<h:users xmlns:h="urn:x"><!-- <user> > -- ></user> -->' +
      "<h:user id='1>'><h:a>1&amp;&#x20AC;<![CDATA[<b>]]]]><![CDATA[> ]]></h:a >stray<c> x<d>y</d><!-- no -->z </c><e/></h:user>" +
      '<odd/><person><a></a></person></h:users><!-- end -->';
    for (const size of SIZES) {
      const wellFormed = text.replace(' -- ></user>', ' - ></user>');
      expect(await values(CHILDREN, pieces(wellFormed, size))).to.deep.equal([
        { a: '1&€<b>]]> ', c: ' xyz ', e: '' },
        {},
        { a: '' },
      ]);
    }
  });

  it('take attributes, without declarations of namespaces', async () => {
    const text =
      `<u><a x:id="1" xmlns:x="urn:x" xmlns='urn:y' b='<"'><c d="no"/></a ><a b=" &lt;&#10;&#65;\t>"/><a/></u>`.replace(
        '<"',
        '"',
      );
    for (const size of SIZES) {
      expect(await values(ATTRIBUTES, pieces(text, size))).to.deep.equal([{ id: '1', b: '"' }, { b: ' <\nA >' }, {}]);
    }
  });

  it('let the last of children with the same name count', async () => {
    expect(await values(CHILDREN, '<u><r><a>1</a><b>2</b><a>3</a></r></u>')).to.deep.equal([{ a: '3', b: '2' }]);
  });

  it('normalise line ends in text as XML says', async () => {
    expect(await values(CHILDREN, '<u><r><a>1\r\n2\r3</a></r></u>')).to.deep.equal([{ a: '1\n2\n3' }]);
  });

  it('read the root as one record with singleRecord', async () => {
    for (const size of SIZES) {
      const text = '<?xml version="1.0"?>\n<user id="5" name="n"><id>6</id></user>\n';
      expect(await values({ read: CHILDREN, singleRecord: true }, pieces(text, size))).to.deep.equal([{ id: '6' }]);
      expect(await values({ read: ATTRIBUTES, singleRecord: true }, pieces(text, size))).to.deep.equal([
        { id: '5', name: 'n' },
      ]);
      const two = await failureOf({ read: ATTRIBUTES, singleRecord: true }, pieces('<u/><u/>', size));
      expect(two.code).to.equal('malformed-file');
    }
  });

  it('honour the declared charset, and prefer what the bytes say', async () => {
    const declared = (name: string): string => `<?xml version="1.0" encoding='${name}'?><u><r><a>é’</a></r></u>`;
    const windows = Buffer.from(declared('Windows-1252').replace('’', '\x92'), 'latin1');
    for (const size of SIZES) expect(await values(CHILDREN, pieces(windows, size))).to.deep.equal([{ a: 'é’' }]);
    expect(await values(CHILDREN, declared('utf-16'))).to.deep.equal([{ a: 'é’' }]);
    expect(await values(CHILDREN, `\ufeff${declared('windows-1252')}`)).to.deep.equal([{ a: 'é’' }]);
    expect(await values(CHILDREN, Buffer.from(declared('UTF-16'), 'utf16le'))).to.deep.equal([{ a: 'é’' }]);
    expect((await failureOf(CHILDREN, declared('klingon'))).code).to.equal('unknown-charset');
  });

  it('read XML 1.1 by the rules of 1.0', async () => {
    expect(await values(CHILDREN, '<?xml version="1.1"?><u><r><a>1</a></r></u>')).to.deep.equal([{ a: '1' }]);
  });

  it('refuse a document type at once', async () => {
    const bomb =
      '<?xml version="1.0"?><!DOCTYPE u [<!ENTITY a "aaaa"><!ENTITY b SYSTEM "file:///etc/passwd">]><u><r><a>&b;</a></r></u>';
    for (const size of SIZES) {
      const { items, error } = await read(CHILDREN, pieces(bomb, size));
      expect(items).to.deep.equal([]);
      expect(error).to.have.property('code', 'doctype-refused');
      expect(error)
        .to.have.property('message')
        .that.includes(`at line 1, byte ${bomb.indexOf('DOCTYPE')}`);
    }
  });

  it('fail with place for whatever is not well-formed', async () => {
    const cases: [string, string][] = [
      ['<u><r><a>&nbsp;</a></r></u>', 'undefined entity'],
      ['<u><r><a>&toString;</a></r></u>', 'undefined entity'],
      ['<u><r><a>R&D</a></r></u>', '& begins no entity'],
      ['<u><r><a>R&D</a></r><r><a>x;</a></r></u>', '& begins no entity'],
      ['<u><r a="R&D"/><r a=";"/></u>', '& begins no entity'],
      ['<u>&<r/></u>', ''],
      ['<u><r><a>1</b></r></u>', 'closing tag'],
      ['<u><r><a>1</r></a></u>', 'closing tag'],
      ['<u><r a=1/></u>', ''],
      ['<u><r a="1" a="2"/></u>', 'duplicate attribute'],
      ['<u><r a="<"/></u>', ''],
      ['<u><r/></u><u/>', 'only one root'],
      ['<u><r/></u>garbage', 'text'],
      ['<u><r/></u>\0', ''],
      ['garbage<u><r/></u>', 'text'],
      ['<u><r/>stray<r/></u>', 'text between the records'],
      ['<u><![CDATA[stray]]><r/></u>', 'text between the records'],
      ['<u><r/><!ELEMENT x></u>', '<!'],
      ['<u><r>a<![cdata[x]]></r></u>', '<!'],
      ['</u>', 'closing tag'],
      ['{"a":1}', 'text'],
      [`<u>${' '.repeat(2_000_000)}<r/></u>`, 'between two records'],
    ];
    for (const [text, what] of cases) {
      for (const size of text.length > 1000 ? [50_000] : SIZES) {
        const error = await failureOf(CHILDREN, pieces(text, size));
        expect(error.code, text.slice(0, 40)).to.equal('malformed-file');
        expect(error.message).to.include(what);
        expect(error.place.byte).to.be.at.most(text.length);
      }
    }
  });

  it('tell line and byte of an error within a record', async () => {
    const text = '<u>\n<r><a>ä</a></r>\n<r>\n<a>&x;</a></r></u>';
    for (const size of SIZES) {
      const { items, error } = await read(CHILDREN, pieces(text, size));
      expect(brief(items)).to.deep.equal([{ a: 'ä' }]);
      expect(error).to.have.nested.property('place.line', 4);
      expect(error).to.have.nested.property('place.record', 2);
      expect(error).to.have.nested.property('place.byte', Buffer.byteLength(text.slice(0, text.indexOf(';') + 1)));
    }
  });

  it('tell the byte of an error in the charset of the file, and behind bytes that are invalid in it', async () => {
    const text = '<?xml version="1.0" encoding="ISO-8859-1"?>\n<us><r><u>ééé</u><n>é&b;</n></r></us>';
    const invalid = Buffer.concat([
      Buffer.from('<us><r><u>'),
      Buffer.of(0xe9, 0xe9, 0xe9),
      Buffer.from('&b;</u></r></us>'),
    ]);
    for (const bytes of [Buffer.from(text, 'latin1'), invalid]) {
      for (const size of SIZES) {
        const { error } = await read(CHILDREN, pieces(bytes, size));
        expect(error).to.have.nested.property('place.byte', bytes.indexOf(';') + 1);
      }
    }
  });

  it('fail for a file that is cut off anywhere', async () => {
    const text = '<users>\n<user a="1"><b>x</b><!-- c --><![CDATA[ ]]></user>\n</users>';
    for (let end = 1; end < text.length; end++) {
      expect((await failureOf(CHILDREN, text.slice(0, end))).code, text.slice(0, end)).to.equal('truncated-file');
    }
  });

  it('reject only the record with a character that XML does not have', async () => {
    const bad: [string, string][] = [
      ['&#0;', 'null-character'],
      ['&#x0000;', 'null-character'],
      ['&#xD800;', 'null-character'],
      ['\0', 'null-character'],
      ['\x0b', 'invalid-character'],
      ['&#11;', 'invalid-character'],
      ['\uffff', 'invalid-character'],
    ];
    for (const [character, code] of bad) {
      const record = `<r n="${character}"><u>anna</u><n>${character}</n></r>`;
      const { items, error } = await read(CHILDREN, `<us>${record}<r><u>bo</u></r></us>`);
      expect(error).to.equal(undefined);
      expect(brief(items), JSON.stringify(character)).to.deep.equal([code, { u: 'bo' }]);
      expect(items[0]?.value).to.deep.equal({ u: 'anna' });
    }
    expect(await values(CHILDREN, '<us><r><u><![CDATA[&#0;]]></u></r></us>')).to.deep.equal([{ u: '&#0;' }]);
  });

  it('reject records that are too deep or have too many values', async () => {
    const deep = `<r><u>anna</u>${'<x>'.repeat(100)}${'</x>'.repeat(100)}</r>`;
    const wide = `<r><u>bo</u>${'<x/>'.repeat(100)}</r>`;
    const { items, error } = await read(CHILDREN, `<us>${deep}${wide}<r><u>cem</u></r></us>`, { depth: 50, keys: 50 });
    expect(error).to.equal(undefined);
    expect(brief(items)).to.deep.equal(['too-deep', 'too-many-keys', { u: 'cem' }]);
    expect(items[0]?.value).to.include({ u: 'anna' });
    const attributes = Array.from({ length: 60 }, (_, index) => `a${index}="1"`).join(' ');
    expect(await values(ATTRIBUTES, `<us><r ${attributes}/></us>`, { keys: 50 })).to.deep.equal(['too-many-keys']);
  });

  it('fail when a record that is too large has swallowed others', async () => {
    const text = `<us><r><u>1</u><x>${'y'.repeat(500)}</x><r><u>2</u></r></us><z></z></us>`;
    for (const size of SIZES) {
      expect((await failureOf(CHILDREN, pieces(text, size), { recordBytes: 100 })).code).to.equal('malformed-file');
    }
  });
});
