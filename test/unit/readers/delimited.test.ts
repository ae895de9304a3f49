import { parse } from 'csv-parse/sync';
import { expect } from 'chai';
import fc from 'fast-check';
import { brief, cut, failureOf, pieces, read, values } from './reading.js';

const TSV = 'tsv-with-name-row';
const SIZES = [1, 5, 100_000];

describe('the TSV reader', () => {
  it('takes quotes for data, and leaves out empty and missing fields', async () => {
    const text = 'a\tb\tc\n"1\t\\.\t""\n\tx\n1\t2\t3\t\t\n';
    for (const size of SIZES) {
      expect(await values(TSV, pieces(text, size))).to.deep.equal([
        { a: '"1', b: '\\.', c: '""' },
        { b: 'x' },
        { a: '1', b: '2', c: '3' },
      ]);
    }
  });

  it('ends lines at \\n, \\r\\n and \\r, mixed, and skips blank lines', async () => {
    const text = '\r\n\na\tb\r1\t2\r\r\n3\t4\n\n\r\n \t \n5\t6\r\n7\t8';
    for (const size of SIZES) {
      const { items } = await read(TSV, pieces(text, size));
      expect(brief(items)).to.deep.equal([1, 3, 5, 7].map((a) => ({ a: `${a}`, b: `${a + 1}` })));
      expect(items.map(({ position }) => position.line)).to.deep.equal([4, 6, 10, 11]);
    }
  });

  it('separates by several characters', async () => {
    const format = { read: TSV, separator: ', ' };
    expect(await values(format, 'a, b\n1,2, 3\n,, \n')).to.deep.equal([{ a: '1,2', b: '3' }, { a: ',' }]);
  });

  it('reads the charset it is told, in any spelling', async () => {
    const bytes = Buffer.from('a\tb\n\x92\xe9\t\x80\n', 'latin1');
    for (const charset of ['windows-1252', 'Cp1252', 'ISO-8859-1', 'latin1']) {
      for (const size of SIZES) {
        expect(await values({ read: TSV, charset }, pieces(bytes, size))).to.deep.equal([{ a: '’é', b: '€' }]);
      }
    }
    const utf16 = Buffer.from('a\tb\né\t1\n', 'utf16le');
    expect(await values({ read: TSV, charset: 'UTF-16' }, utf16)).to.deep.equal([{ a: 'é', b: '1' }]);
    expect(await values({ read: TSV, charset: 'utf-16be' }, utf16.swap16())).to.deep.equal([{ a: 'é', b: '1' }]);
  });

  it('rejects records with more fields than names, and does not guess whose they are', async () => {
    const { items } = await read(TSV, 'a\tb\n1\t2\t3\n4\t5\n');
    expect(brief(items)).to.deep.equal(['too-many-fields', { a: '4', b: '5' }]);
    expect(items[0]?.value).to.equal(undefined);
  });

  it('refuses a header that does not name every column once', async () => {
    const headers = [
      'a\tb\ta\n1\t2\t3',
      'a\t\tb\n1\t2\t3',
      '\ta\n1\t2',
      'a\tb\0\n1\t2',
      Array.from({ length: 60 }, (_, i) => `n${i}`).join('\t'),
    ];
    for (const text of headers) {
      expect((await failureOf(TSV, text, { keys: 50 })).code, text).to.equal('bad-header');
    }
    expect((await failureOf(TSV, Buffer.from([0x61, 0xff, 0x0a]))).code).to.equal('bad-header');
    for (const size of SIZES) {
      expect((await failureOf(TSV, pieces('x'.repeat(100), size), { recordBytes: 50 })).code).to.equal('bad-header');
    }
    expect(await values(TSV, 'a\tb\t\t\n1\t2\t\t\n')).to.deep.equal([{ a: '1', b: '2' }]);
  });

  it('does not take the cut field of a line that is too long for a value', async () => {
    for (const size of SIZES) {
      const { items } = await read(TSV, pieces(`a\tb\n1\t${'x'.repeat(90)}\n${'y'.repeat(90)}\t2\n3\t4`, size), {
        recordBytes: 50,
      });
      expect(items.map((item) => ({ ...item.value }))).to.deep.equal([{ a: '1' }, {}, { a: '3', b: '4' }]);
    }
  });

  it('reads the same as csv-parse without quotes, from any lines, however cut', async () => {
    const field = fc.string({ unit: fc.constantFrom('a', '"', ' ', ',', '\\', 'é', '漢', '😀', '='), maxLength: 5 });
    const line = fc.array(field, { minLength: 1, maxLength: 3 });
    const lines = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r', '\r\n', '\n\n')), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(lines, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), async (lines, sizes) => {
        const text = `x\ty\tz\n${lines.map(([fields, end]) => fields.join('\t') + end).join('')}`;
        const rows: Record<string, string>[] = parse(text, {
          delimiter: '\t',
          record_delimiter: ['\r\n', '\n', '\r'],
          quote: null,
          escape: null,
          columns: true,
          relax_column_count_less: true,
        });
        // csv-parse does not skip lines with white space only, nor empty fields.
        const expected = rows
          .filter((row) => Object.values(row).join('').trim() !== '')
          .map((row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== '')));
        expect(await values(TSV, cut(Buffer.from(text), sizes))).to.deep.equal(expected);
      }),
      { seed: 13, numRuns: 1000, interruptAfterTimeLimit: 2000 },
    );
  });
});

describe('the CSV reader', () => {
  it('reads quoted fields with delimiters, quotes and line ends of any kind', async () => {
    const text = '"a",b,"c, d"\r\n"1,""2""","x\r\ny\n\rz",\r"",2,"3"\n\n4\n';
    for (const size of SIZES) {
      const { items } = await read('csv', pieces(text, size));
      expect(brief(items)).to.deep.equal([{ a: '1,"2"', b: 'x\r\ny\n\rz' }, { b: '2', 'c, d': '3' }, { a: '4' }]);
      expect(items.map(({ position }) => position.line)).to.deep.equal([2, 6, 8]);
    }
  });

  it('separates by the delimiter it is told, in the charset of the file', async () => {
    for (const size of SIZES) {
      expect(await values({ read: 'csv', delimiter: ';' }, pieces('a;b\n"1;2";3,4\n', size))).to.deep.equal([
        { a: '1;2', b: '3,4' },
      ]);
      expect(await values({ read: 'csv', delimiter: '||' }, pieces('a||b\n"1||2"||3|4\n', size))).to.deep.equal([
        { a: '1||2', b: '3|4' },
      ]);
      const latin = Buffer.from('a\xa7b\n"1\xa7"\xa7\xe9\n', 'latin1');
      const format = { read: 'csv', delimiter: '§', charset: 'latin1' };
      expect(await values(format, pieces(latin, size))).to.deep.equal([{ a: '1§', b: 'é' }]);
      expect(await values({ read: 'csv', delimiter: '§' }, pieces('a§b\n"1§"§é\n', size))).to.deep.equal([
        { a: '1§', b: 'é' },
      ]);
    }
  });

  it('tells a delimiter of several characters from parts of it', async () => {
    for (const size of SIZES) {
      const pipes = { read: 'csv', delimiter: '||' };
      const items = await values(pipes, pieces('a||b\n1|"x||2\n"3"||4\n|"5||6\n', size));
      expect(items).to.deep.equal(['invalid-quoting', { a: '3', b: '4' }, 'invalid-quoting']);
      for (const text of ['a||b\n"1"|\n', 'a||b\n"1"|"2"\n', 'a||b\n"1"|2||3\n']) {
        expect((await failureOf(pipes, pieces(text, size))).code, text).to.equal('malformed-file');
      }
      const within = { read: 'csv', delimiter: 'aab' };
      expect(await values(within, pieces('xaaby\n1aaab"2\n3"\n', size))).to.deep.equal([{ x: '1a', y: '2\n3' }]);
    }
  });

  it('fails for a quote behind half of a character that looks like the delimiter', async () => {
    const bytes = Buffer.concat([Buffer.from('a|b\n0|0\n'), Buffer.of(0x83, 0x7c), Buffer.from('"x|1\n2"|3\n')]);
    for (const size of SIZES) {
      const format = { read: 'csv', delimiter: '|', charset: 'shift_jis' };
      const { items, error } = await read(format, pieces(bytes, size));
      expect(brief(items)).to.deep.equal([{ a: '0', b: '0' }]);
      expect(error).to.have.property('code', 'malformed-file');
      expect(error).to.have.nested.property('place.line', 3);
    }
  });

  it('rejects a record with a quote in a field that is not quoted', async () => {
    for (const size of SIZES) {
      const { items, error } = await read('csv', pieces('a,b\n1,5" disk\n2,"x"\n3,5",6\n', size));
      expect(error).to.equal(undefined);
      expect(brief(items)).to.deep.equal(['invalid-quoting', { a: '2', b: 'x' }, 'invalid-quoting']);
      expect(items.map((item) => item.value?.['a'])).to.deep.equal(['1', '2', undefined]);
    }
  });

  it('fails for quotes that may have swallowed records', async () => {
    for (const size of SIZES) {
      const open = await read('csv', pieces('a,b\n1,2\n3,"4\n5,6\n', size));
      expect(brief(open.items)).to.deep.equal([{ a: '1', b: '2' }]);
      expect(open.error).to.have.property('code', 'truncated-file');
      expect(open.error).to.have.nested.property('place.line', 3);
      const shifted = await read('csv', pieces('a,b\n1,2\n3,"4\n5,"6"\n', size));
      expect(shifted.error).to.have.property('code', 'malformed-file');
      expect(shifted.error).to.have.nested.property('place.line', 4);
    }
  });

  it('skips a record that is too large to its real end, quoted line ends included', async () => {
    const text = `a,b\n1,"${'x\ny,"",'.repeat(100)}"\n2,3\n`;
    for (const size of SIZES) {
      const { items, error } = await read('csv', pieces(text, size), { recordBytes: 100 });
      expect(error).to.equal(undefined);
      expect(brief(items)).to.deep.equal(['record-too-large', { a: '2', b: '3' }]);
      expect({ ...items[0]?.value }).to.deep.equal({ a: '1' });
    }
  });

  it('refuses a header that does not name every column once', async () => {
    for (const text of ['a,b,a\n', 'a,,b\n', 'a,b"c\n', '"",a\n', `${'x'.repeat(100)}\n`]) {
      expect((await failureOf('csv', text, { recordBytes: 50 })).code, text).to.equal('bad-header');
    }
  });

  it('asks about the delimiter when a quote is in the way and there is one column', async () => {
    const { items } = await read('csv', pieces('a;b\n1;"2; 3"\n', 4));
    expect(items[0]).to.have.nested.property('error.message').that.includes('is the `delimiter` another one?');
  });

  it('reads back whatever records were written', async () => {
    const field = fc.string({
      unit: fc.constantFrom('a', '"', ' ', ',', '\n', '\r', 'é', '漢', '\ufffd'),
      minLength: 1,
      maxLength: 6,
    });
    const record = fc.record({ x: field, y: field });
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        async (records, sizes) => {
          const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
          const text = `x,y\r\n${records.map(({ x, y }) => `${quoted(x)},${quoted(y)}\r\n`).join('')}`;
          expect(await values('csv', cut(Buffer.from(text), sizes))).to.deep.equal(records);
        },
      ),
      { seed: 14, numRuns: 500, interruptAfterTimeLimit: 2000 },
    );
  });
});
