import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../src/lib/package-root.js';
import { controlLanguage } from '../../../src/plugins/control-language.js';
import type { Plugins } from '../../../src/plugins/load-plugins.js';
import { DEFAULT_LIMITS, type ReadItem } from '../../../src/readers/reader.js';
import { batchRecords } from '../../../src/plugins/batch-records.js';
import { parseModel } from '../../../src/model/parse-model.js';
import { fencesOf } from '../../support/docs-markdown.js';
import { caught, loaded } from './plugin-modules.js';

const page = readFileSync(join(packageRoot(), 'docs', 'plugins.md'), 'utf8');
const model = parseModel(readFileSync(join(packageRoot(), 'config', 'model.json'), 'utf8'), 'the model');

describe('docs/plugins.md', () => {
  let plugins: Plugins;
  before(async () => {
    const examples = fencesOf(page).filter(({ info }) => info === 'js plugin');
    plugins = await loaded(Object.fromEntries(examples.map(({ text }, index) => [`example-${index}`, text])));
  });

  it('shows plugins that can be loaded, all together, with one of each kind', () => {
    expect([...plugins.filters.keys()]).to.deep.equal(['acme:tidy-spaces', 'acme:cost-centre-to-ref']);
    expect([...plugins.readers.keys()]).to.deep.equal(['acme-fixed-width']);
    expect([...plugins.recordProcessors.keys()]).to.deep.equal(['acme:without-tests']);
    expect(plugins.destinations.map(({ name }) => name)).to.deep.equal(['acme:parking']);
    expect(plugins.hooks).to.have.length(1);
    expect(Object.keys(plugins.hooks[0]?.value ?? {})).to.have.members(['afterPlan', 'onBlock', 'afterApply']);
  });

  it('shows a reader that reads, and notices a file that is cut off', async () => {
    const reader = controlLanguage(model, plugins).createReader({ read: 'acme-fixed-width' }, DEFAULT_LIMITS);
    const read = async (text: string): Promise<ReadItem[]> => {
      const items: ReadItem[] = [];
      for await (const batch of reader(bytesOf(text), new AbortController().signal)) items.push(...batch);
      return items;
    };
    const line = `jbloggs ${'Joe Bloggs'.padEnd(20)}joe@example.org`;
    expect((await read(`${line}\n${line}\n`)).map(({ value, position }) => [value, position.line])).to.deep.equal([
      [{ id: 'jbloggs', name: 'Joe Bloggs', mail: 'joe@example.org' }, 1],
      [{ id: 'jbloggs', name: 'Joe Bloggs', mail: 'joe@example.org' }, 2],
    ]);
    expect(await caught(read(`${line}\n${line.slice(0, 5)}`))).to.include({ code: 'malformed-file' });
  });

  it('shows a record processor that leaves out what it says', async () => {
    const position = { record: 1, line: 1, byte: 0 };
    const items: ReadItem[] = ['real', 'test'].map((category) => ({ kind: 'record', position, value: { category } }));
    const warnings: string[] = [];
    const given: ReadItem[] = [];
    const input = { name: 'users', open: () => batchesOf(items) };
    const batch = batchRecords([input], plugins.recordProcessors.get('acme:without-tests'), {
      limits: DEFAULT_LIMITS,
      signal: new AbortController().signal,
      temporaryDirectory: () => Promise.resolve(''),
      warn: (message) => warnings.push(message),
    });
    for await (const records of batch) given.push(...records.items);
    expect(given.map(({ value }) => value)).to.deep.equal([{ category: 'real' }]);
    expect(warnings).to.deep.equal(['Test accounts that were left out: 1.']);
  });
});

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text.slice(0, 10));
  yield Buffer.from(text.slice(10));
}

async function* batchesOf(items: readonly ReadItem[]): AsyncGenerator<readonly ReadItem[]> {
  yield items;
}
