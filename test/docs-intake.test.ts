import { expect } from 'chai';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/lib/package-root.js';
import { readDocuments, tableRows } from './support/docs-markdown.js';
import { explainedLines, sshdConfigOf } from './support/docs-sftp.js';
import { testNames } from './support/test-names.js';

const documents = readDocuments();

describe('docs/hostile-inputs.md', () => {
  const tables = tableRows(documents.get('docs/hostile-inputs.md') ?? '');
  const cells = [...tables.values()].flat().map((row) => row.at(-1) ?? '');

  it('names a test for each thing that may come', () => {
    const files = tables.get('Files') ?? [];
    expect(files.filter(([input]) => input !== '')).to.have.length.greaterThan(13);
    const content = tables.get('Content') ?? [];
    expect(content.filter(([input]) => input !== '')).to.have.length.greaterThan(15);
    const faults = tables.get('Faults') ?? [];
    expect(faults.filter(([fault]) => fault !== '')).to.have.length.greaterThan(16);
    expect(cells.filter((cell) => !/^`test\/[^`]+\.test\.ts` › .+$/.test(cell))).to.deep.equal([]);
  });

  it('names for all content a test through the whole program, and each of these tests', () => {
    const content = tables.get('Content') ?? [];
    const isShown = new Map<string, boolean>();
    let current = '';
    for (const [input = '', , test = ''] of content) {
      if (input !== '') current = input;
      isShown.set(current, isShown.get(current) === true || test.startsWith('`test/system/'));
    }
    expect([...isShown].filter(([, shown]) => !shown)).to.deep.equal([]);
    const folder = join(packageRoot(), 'test', 'system', 'content');
    const unnamed = readdirSync(folder).flatMap((file) =>
      testNames(file, readFileSync(join(folder, file), 'utf8'))
        .map((name) => `\`test/system/content/${file}\` › ${name}`)
        .filter((test) => !cells.includes(test)),
    );
    expect(unnamed).to.deep.equal([]);
  });

  it('names no test that is not there', () => {
    const missing = cells.filter((cell) => {
      const [, file = '', name = ''] = /^`([^`]+)` › (.+)$/.exec(cell) ?? [];
      const path = join(packageRoot(), file);
      return !existsSync(path) || !testNames(file, readFileSync(path, 'utf8')).includes(name);
    });
    expect(missing).to.deep.equal([]);
  });
});

describe('docs/sftp.md', () => {
  const page = documents.get('docs/sftp.md') ?? '';
  const config = readFileSync(join(packageRoot(), 'config', 'container', 'sshd_config'), 'utf8');

  it('shows the configuration that the image and the tests use', () => {
    expect(sshdConfigOf(page)).to.equal(config);
  });

  it('explains every line of it, and no other', () => {
    const lines = config.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(explainedLines(page).sort()).to.deep.equal(lines.sort());
  });
});
