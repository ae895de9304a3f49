import { expect } from 'chai';
import fc from 'fast-check';
import { parseJsonSource, pointerTo } from '../../../src/model/json-source.js';

describe('JSON with places', () => {
  it('knows the line and column of every value and key', () => {
    const source = parseJsonSource('{\n  "a": [1,\r\n   {"b/c": null}],\r\t"~": "x"}');
    expect(source.problems).to.deep.equal([]);
    expect(source.place('')).to.deep.equal({ line: 1, column: 1 });
    expect(source.place('/a')).to.deep.equal({ line: 2, column: 8 });
    expect(source.keyPlace('/a')).to.deep.equal({ line: 2, column: 3 });
    expect(source.place('/a/1')).to.deep.equal({ line: 3, column: 4 });
    expect(source.place('/a/1/b~1c')).to.deep.equal({ line: 3, column: 12 });
    expect(source.keyPlace('/~0')).to.deep.equal({ line: 4, column: 2 });
  });

  it('shows the nearest parent of what does not exist', () => {
    const source = parseJsonSource('\n{"a":\n {}}');
    expect(source.place('/a/b/c')).to.deep.equal({ line: 3, column: 2 });
    expect(source.place('/x')).to.deep.equal({ line: 2, column: 1 });
    expect(source.keyPlace('/x')).to.deep.equal({ line: 2, column: 1 });
  });

  const broken: readonly (readonly [text: string, message: RegExp, line: number, column: number])[] = [
    ['', /ends where a value/, 1, 1],
    ['{', /key in double quotes/, 1, 2],
    ['{"a" 1}', /expected `:`/, 1, 6],
    ["{'a':1}", /key in double quotes/, 1, 2],
    ['[1\n2]', /expected `,` or `\]`/, 2, 1],
    ['[1,]', /remove the `,` before this `\]`/, 1, 4],
    ['{"a": 1, }', /remove the `,` before this `}`/, 1, 10],
    ['"abc', /ends inside a string/, 1, 1],
    ['"abc\\', /ends inside a string/, 1, 1],
    ['["a\nb"]', /closed before the line ends/, 1, 4],
    ['["\\x"]', /unknown escape/, 1, 2],
    ['{} {}', /more text after the end/, 1, 4],
    ['01', /more text after the end/, 1, 2],
    ['nul', /no JSON value/, 1, 1],
    ['// a\n{}', /no JSON value/, 1, 1],
  ];
  for (const [text, message, line, column] of broken) {
    it(`says where and why ${JSON.stringify(text)} is not JSON`, () => {
      const { value, problems } = parseJsonSource(text);
      expect(value).to.equal(undefined);
      expect(problems).to.have.length(1);
      expect(problems[0]).to.include({ code: 'not-json', severity: 'error', pointer: '', line, column });
      expect(problems[0]?.message).to.match(message);
    });
  }

  it('drops a byte-order mark', () => {
    expect(parseJsonSource('\ufeff{"a":1}').value).to.deep.equal({ a: 1 });
  });

  it('finds keys that are there twice', () => {
    const { problems } = parseJsonSource('{"a":{"b":1,\n"b":2}}');
    expect(problems).to.have.length(1);
    expect(problems[0]).to.include({ code: 'duplicate-key', pointer: '/a/b', line: 2, column: 1 });
  });

  it('finds numbers that it cannot keep', () => {
    const { problems } = parseJsonSource('[1, 9007199254740993, 1e400, 0.1, -5]');
    expect(problems.map(({ code, pointer }) => [code, pointer])).to.deep.equal([
      ['inexact-number', '/1'],
      ['inexact-number', '/2'],
    ]);
  });

  it('takes `__proto__` for a key like any other', () => {
    const { value } = parseJsonSource('{"__proto__":{"polluted":1}}');
    expect(Object.keys(value as object)).to.deep.equal(['__proto__']);
    expect(({} as Record<string, unknown>).polluted).to.equal(undefined);
  });

  it('refuses hostile nesting instead of running out of stack', () => {
    for (const open of ['[', '{"a":']) {
      const { value, problems } = parseJsonSource(open.repeat(200_000));
      expect(value).to.equal(undefined);
      expect(problems[0]).to.include({ code: 'too-deep', line: 1 });
    }
  });

  it('reads all JSON as JSON.parse does, with pointers to all of it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(undefined, 2, '\t'), (value, space) => {
        const text = JSON.stringify(value, null, space);
        const source = parseJsonSource(text);
        expect(JSON.stringify(source.value)).to.equal(JSON.stringify(JSON.parse(text)));
        expect(placesMissing(source.value, '', source)).to.deep.equal([]);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('never throws, and agrees with JSON.parse on what is JSON', () => {
    const text = fc.string({ unit: fc.constantFrom(...'{}[]":,\\u0aeE+-.1 \n\ttrufalsn'), maxLength: 12 });
    fc.assert(
      fc.property(text, (one) => {
        const { value, problems } = parseJsonSource(one);
        expect(value !== undefined || problems.some((problem) => problem.code === 'not-json')).to.equal(true);
        expect(value !== undefined).to.equal(isJson(one));
      }),
      { seed: 2, numRuns: 5000 },
    );
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Pointers whose place is the same as their parent's, which no value inside another one has. */
function placesMissing(value: unknown, pointer: string, source: ReturnType<typeof parseJsonSource>): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const here = source.place(pointer);
  return Object.entries(value).flatMap(([key, member]) => {
    const at = pointerTo(pointer, key);
    const place = source.place(at);
    const own = place.line === here.line && place.column === here.column ? [at] : [];
    return [...own, ...placesMissing(member, at, source)];
  });
}
