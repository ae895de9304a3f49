import { expect } from 'chai';
import { DEFAULT_LIMITS } from '../../../src/readers/reader.js';
import { READER_FORMATS, createReader } from '../../../src/readers/registry.js';

describe('the registry of readers', () => {
  it('describes the formats of the control-file language and their options', () => {
    const options = Object.fromEntries(
      READER_FORMATS.map(({ name, options }) => [name, options.map((option) => option.name)]),
    );
    expect(options).to.deep.equal({
      json: ['singleRecord'],
      jsonl: [],
      'xml-text-of-children': ['singleRecord'],
      'xml-attributes': ['singleRecord'],
      'tsv-with-name-row': ['charset', 'separator'],
      csv: ['charset', 'delimiter'],
    });
  });

  it('refuses formats, charsets and separators that make no sense', () => {
    const make = (format: Parameters<typeof createReader>[0]) => () => createReader(format, DEFAULT_LIMITS);
    expect(make({ read: 'yaml' })).to.throw('json, jsonl');
    expect(make({ read: 'csv', charset: 'klingon' })).to.throw('klingon');
    expect(make({ read: 'csv', delimiter: '' })).to.throw('empty');
    expect(make({ read: 'csv', delimiter: '"' })).to.throw('quote');
    expect(make({ read: 'tsv-with-name-row', separator: '' })).to.throw('empty');
  });

  it('makes readers that can be used again', async () => {
    const read = createReader({ read: 'jsonl' }, DEFAULT_LIMITS);
    async function* bytes(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('{"a":1}\n');
    }
    for (let round = 0; round < 2; round++) {
      for await (const batch of read(bytes(), new AbortController().signal))
        expect(batch[0]?.position.record).to.equal(1);
    }
  });
});
