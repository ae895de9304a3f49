import { expect } from 'chai';
import { join } from 'node:path';
import ts from 'typescript';
import { packageRoot } from '../../../src/lib/package-root.js';

const OPTIONS: ts.CompilerOptions = {
  allowJs: true,
  checkJs: true,
  noEmit: true,
  strict: true,
  skipLibCheck: true,
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: ['node'],
};

/** What the compiler says of a module that imports this package by its name. */
function diagnosticsOf(file: string, text?: string): string[] {
  const host = ts.createCompilerHost(OPTIONS);
  if (text !== undefined) {
    host.readFile = (name) => (name === file ? text : ts.sys.readFile(name));
    host.fileExists = (name) => name === file || ts.sys.fileExists(name);
  }
  return ts
    .getPreEmitDiagnostics(ts.createProgram([file], OPTIONS, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

describe('the published types of plugins', () => {
  const examples = join(packageRoot(), 'config', 'examples', 'plugins');

  it('fit the example, which is checked as its first line asks for', function () {
    this.timeout(60_000);
    expect(diagnosticsOf(join(examples, 'roles-join.js'))).to.deep.equal([]);
  });

  it('are found under the name of the package, and tell what is wrong', function () {
    this.timeout(60_000);
    const text = `
      import { definePlugin } from 'user-sync/plugin';
      export default definePlugin({
        filters: { 'a:b': ({ lookup }) => (value) => (typeof value === 'string' ? lookup.byRef(value) : value) },
        readers: { x: { description: 'x', options: [], read: 'no function' } },
      });`;
    const found = diagnosticsOf(join(examples, 'made-up.ts'), text);
    expect(found).to.have.length(1);
    expect(found[0]).to.include("Type 'string' is not assignable to type '(options: ");
  });

  it('come with a function that does nothing, for editors', async () => {
    const { definePlugin } = await import('../../../src/plugins/plugin.js');
    const plugin = { filters: {} };
    expect(definePlugin(plugin)).to.equal(plugin);
  });
});
