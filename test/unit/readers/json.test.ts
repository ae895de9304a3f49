import { expect } from 'chai';
import { brief, failureOf, pieces, read, values } from './reading.js';

const SIZES = [1, 5, 100_000];

describe('the JSON reader', () => {
  it('keeps the text of each record as it stands in the file', async () => {
    const { items } = await read('json', '[ {"a": 1.0, "b":"\\u00e9"} ,{}]');
    expect(items.map((item) => (item.kind === 'record' ? item.raw : null))).to.deep.equal([
      '{"a": 1.0, "b":"\\u00e9"}',
      '{}',
    ]);
  });

  it('is not confused by brackets, quotes and escapes within strings', async () => {
    const records = [
      { 'a"b\\': '}]{[,:"\\', b: '\\"' },
      { c: '\\\\', d: ['}', { e: '"' }] },
    ];
    for (const size of SIZES) {
      expect(await values('json', pieces(JSON.stringify(records), size))).to.deep.equal(records);
    }
  });

  it('rejects elements that are not objects', async () => {
    const text = '[1,"x",null,true,[{"a":1}],-1.5e3 , "y\\"]" ,{"a":1}]';
    for (const size of SIZES) {
      const { items, error } = await read('json', pieces(text, size));
      expect(error).to.equal(undefined);
      expect(brief(items)).to.deep.equal([...Array<string>(7).fill('not-an-object'), { a: 1 }]);
    }
  });

  it('rejects numbers that a double does not hold as they are written', async () => {
    const bad = [
      '9007199254740993',
      '1e400',
      '-1e400',
      '1e131071',
      '0.1234567890123456789',
      '1e-400',
      '12345678901234567890',
    ];
    for (const number of [...bad, '1.00000000000000001']) {
      for (const size of SIZES) {
        const text = `[{"username":"anna","n":[${number}],"id":${number}},{"a":1}]`;
        const { items } = await read('json', pieces(text, size));
        expect(brief(items), number).to.deep.equal(['invalid-number', { a: 1 }]);
        expect(items[0]?.value).to.deep.equal({ username: 'anna' });
        expect(items[0]).to.have.nested.property('error.value', number);
      }
    }
  });

  it('accepts numbers that mean the same when written again', async () => {
    const good = ['0', '-0', '-0.0', '1.0', '1e2', '0.1', '1.10', '100000000000000000000', '5e-324', '1E+2', '1e23'];
    const more = [
      '9007199254740991',
      '9007199254740992',
      '-123.456e-7',
      '0.30000000000000004',
      '0e999',
      '0.000000000000000000001',
    ];
    const text = `[{"n":[${[...good, ...more].join(',')}]}]`;
    for (const size of SIZES) expect(await values('json', pieces(text, size))).to.deep.equal(JSON.parse(text));
  });

  it('does not take digits within strings for numbers', async () => {
    const records = [{ a: '9007199254740993', '1e400': '1e400 \\" 1e400' }];
    expect(await values('json', JSON.stringify(records))).to.deep.equal(records);
  });

  it('rejects a record with a name twice at any depth, and does not guess between the values', async () => {
    const { items } = await read(
      'json',
      '[{"u":"a","x":1,"u":"b","y":2},{"u":"c","n":[{"k":1,"\\u006b":2}]},{"__proto__":1,"__proto__":2},{"u":"d","n":[{"k":1},{"k":1}]}]',
    );
    expect(brief(items).slice(0, 3)).to.deep.equal(['duplicate-key', 'duplicate-key', 'duplicate-key']);
    expect(items[0]?.value).to.deep.equal({ x: 1, y: 2 });
    expect(items[0]).to.have.nested.property('error.source', 'u');
    expect(items[1]?.value).to.deep.equal({ u: 'c' });
    expect(items[1]).to.have.nested.property('error.source', 'k');
    expect(items[3]?.kind).to.equal('record');
  });

  it('rejects null characters and lone surrogates in values and names, but not escapes that only look like them', async () => {
    const bad = [
      '"\\u0000"',
      '"\\ud800"',
      '"\\uDC00x"',
      '"\\udc00\\ud800"',
      '["a\\u0000"]',
      '{"\\u0000":1}',
      '{"a":{"b":"\\uD83D"}}',
    ];
    for (const value of bad) {
      for (const size of SIZES) {
        const { items } = await read('json', pieces(`[{"u":"a","v":${value}},{"u":"b"}]`, size));
        expect(brief(items), value).to.deep.equal(['null-character', { u: 'b' }]);
        expect(items[0]?.value).to.deep.equal({ u: 'a' });
        expect(items[0]).to.have.nested.property('error.source', 'v');
      }
    }
    const good = '[{"v":"\\\\u0000 \\ud83d\\ude00 \\\\ud800 \\u0001"}]';
    expect(await values('json', good)).to.deep.equal(JSON.parse(good));
  });

  it('rejects records that are too deep or have too many names, and finds out whose they are', async () => {
    const deep = `{"username":"anna","x":${'['.repeat(100_000)}${']'.repeat(100_000)},"last":1}`;
    const wide = JSON.stringify({
      username: 'bo',
      ...Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i])),
    });
    for (const recordBytes of [1000, 10_000_000]) {
      const { items, error } = await read('json', pieces(`[${deep},${wide},{"username":"cem"}]`, 4096), {
        recordBytes,
      });
      expect(error).to.equal(undefined);
      const expected = recordBytes === 1000 ? ['record-too-large', 'record-too-large'] : ['too-deep', 'too-many-keys'];
      expect(brief(items)).to.deep.equal([...expected, { username: 'cem' }]);
      expect(items[0]?.value).to.deep.equal({ username: 'anna', last: 1 });
      expect(items[1]?.value?.['username']).to.equal('bo');
    }
  });

  it('accepts exactly as much as the caps allow', async () => {
    const limits = { depth: 3, keys: 3, recordBytes: 30 };
    expect(await values('json', '[{"a":{"b":[{"c":1}]}},{"a":{"b":[]}}]', limits)).to.deep.equal([
      'too-deep',
      { a: { b: [] } },
    ]);
    expect(await values('json', '[{"a":1,"b":{"c":1,"d":1}},{"a":1,"b":{"c":1}}]', limits)).to.deep.equal([
      'too-many-keys',
      { a: 1, b: { c: 1 } },
    ]);
    const long = JSON.stringify({ a: 'x'.repeat(22) });
    expect(long).to.have.length(30);
    for (const size of SIZES) {
      const text = `[${long},${long.replace('x', 'xx')}]`;
      expect(brief((await read('json', pieces(text, size), limits)).items)).to.deep.equal([
        JSON.parse(long),
        'record-too-large',
      ]);
    }
  });

  it('skips a record that is much larger than memory allows it to be held', async () => {
    async function* huge(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('[{"username":"anna"},{"first":"x","');
      for (let i = 0; i < 40; i++) yield Buffer.alloc(256 * 1024, 'k');
      yield Buffer.from('":"');
      for (let i = 0; i < 80; i++) yield Buffer.alloc(256 * 1024, 'v');
      yield Buffer.from('","username":"bo"},{"username":"cem"}]');
    }
    const { items, error } = await read('json', huge());
    expect(error).to.equal(undefined);
    expect(brief(items)).to.deep.equal([{ username: 'anna' }, 'record-too-large', { username: 'cem' }]);
    expect(items[1]?.value).to.deep.equal({ first: 'x', username: 'bo' });
  });

  it('fails for a syntax error within a record, and tells the place but nothing of the record', async () => {
    for (const size of SIZES) {
      const { items, error } = await read('json', pieces('[{"a":1},\n {"secret":\n  }]', size));
      expect(brief(items)).to.deep.equal([{ a: 1 }]);
      expect(error).to.have.property('code', 'malformed-file');
      expect(error).to.have.deep.property('place', { line: 3, byte: 24, record: 2 });
      expect(error).to.have.property('message').that.does.not.include('secret');
    }
  });

  it('fails for a syntax error within a record that is too large, so that it does not swallow others', async () => {
    const swallowed = `[{"a":[1,"${'x'.repeat(2000)}"},{"b":2]},{"c":3}]`;
    for (const size of SIZES) {
      expect((await failureOf('json', pieces(swallowed, size), { recordBytes: 100 })).code).to.equal('malformed-file');
    }
  });

  it('fails with place for whatever is not one array', async () => {
    const cases: [string, string, number][] = [
      ['{"a":1}\n{"a":2}\n', 'unexpected-content', 0],
      ['a,b\n1,2', 'unexpected-content', 0],
      ['\n\n\0', 'unexpected-content', 2],
      ['[{"a":1}', 'truncated-file', 8],
      ['[{"a":1},', 'truncated-file', 9],
      ['[', 'truncated-file', 1],
      ['[{"a":"', 'truncated-file', 7],
      ['[12', 'truncated-file', 3],
      ['[{"a":1}] []', 'trailing-data', 10],
      ['[{"a":1}]\0', 'trailing-data', 9],
      ['[{"a":1}]]', 'trailing-data', 9],
      ['[{"a":1},]', 'malformed-file', 9],
      ['[,{"a":1}]', 'malformed-file', 1],
      ['[{"a":1}{"a":1}]', 'malformed-file', 8],
      ['[{"a":1},nul]', 'malformed-file', 9],
      ['[{"a":01}]', 'malformed-file', 7],
      ['[{"a":"\n"}]', 'malformed-file', 7],
      ['[{"a":1]]', 'malformed-file', 7],
      [`[{"a":1}, ${'1'.repeat(2000)}]`, 'malformed-file', 10],
    ];
    for (const [text, code, byte] of cases) {
      for (const size of SIZES) {
        const error = await failureOf('json', pieces(text, size));
        expect([error.code, error.place.byte], text.slice(0, 20)).to.deep.equal([code, byte]);
      }
    }
  });

  it('reads the whole document as one record with singleRecord', async () => {
    const single = { read: 'json', singleRecord: true };
    for (const size of SIZES) {
      expect(await values(single, pieces(' {"a":[1,2]}\n', size))).to.deep.equal([{ a: [1, 2] }]);
      expect(await values(single, pieces('[{"a":1}]', size))).to.deep.equal(['not-an-object']);
      expect(await values(single, pieces('12', size))).to.deep.equal(['not-an-object']);
      expect((await failureOf(single, pieces('{"a":1}{"a":2}', size))).code).to.equal('trailing-data');
      expect((await failureOf(single, pieces('{"a":1', size))).code).to.equal('truncated-file');
    }
  });

  it('recognises UTF-16 without a byte-order mark', async () => {
    const bytes = Buffer.from('[{"a":"é"}]', 'utf16le');
    expect(await values('json', bytes)).to.deep.equal([{ a: 'é' }]);
    expect(await values('json', Buffer.from(bytes).swap16())).to.deep.equal([{ a: 'é' }]);
  });
});

describe('the JSON lines reader', () => {
  it('rejects a malformed line and goes on with the next', async () => {
    const text = '{"a":1}\n{"a":\n{"a":1} {}\r{"a":1]\nnot\r\n[1]\n"x"\n  \n\t{"a":2} ';
    for (const size of SIZES) {
      const { items, error } = await read('jsonl', pieces(text, size));
      expect(error).to.equal(undefined);
      expect(brief(items)).to.deep.equal([
        { a: 1 },
        'invalid-json',
        'invalid-json',
        'invalid-json',
        'invalid-json',
        'not-an-object',
        'not-an-object',
        { a: 2 },
      ]);
    }
  });

  it('rejects what the JSON reader rejects', async () => {
    const text = '{"a":1,"a":2}\n{"a":"\\u0000"}\n{"a":1e400}\n{"a":{"b":{}}}\n{"a":1,"b":2,"c":3}';
    expect(await values('jsonl', text, { depth: 2, keys: 2 })).to.deep.equal([
      'duplicate-key',
      'null-character',
      'invalid-number',
      'too-deep',
      'too-many-keys',
    ]);
  });
});
