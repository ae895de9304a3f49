import { expect } from 'chai';
import {
  cycles,
  readArchitecture,
  readSources,
  shapelessFiles,
  strayLibraries,
  strayProcessUses,
  wrongDirections,
} from './support/architecture.js';

describe('architecture', () => {
  const sources = readSources();
  const architecture = readArchitecture();

  it('finds the sources', () => {
    expect([...sources.keys()]).to.include('src/lib/errors.ts');
  });

  it('lets imports run one way through the layers', () => {
    expect(wrongDirections(sources, architecture)).to.deep.equal([]);
  });

  it('has no import cycles', () => {
    expect(cycles(sources)).to.deep.equal([]);
  });

  it('uses each library in the folder that owns it', () => {
    expect(strayLibraries(sources, architecture)).to.deep.equal([]);
  });

  it('reads the environment and sets the exit code in one file each', () => {
    expect(strayProcessUses(sources, architecture)).to.deep.equal([]);
  });

  it('has short files with names that mean something', () => {
    expect(shapelessFiles(sources)).to.deep.equal([]);
  });

  describe('the checks themselves', () => {
    const check = (files: Record<string, string>) => new Map(Object.entries(files));

    it('notice an import up the layers, sideways, or of a folder without a layer', () => {
      const wrong = check({
        'src/lib/a.ts': "import type { B } from '../domain/b.js';",
        'src/readers/a.ts': "export * from '../mapping/b.js';",
        'src/intake/a.ts': "import '../sync/b.js';",
        'src/sync/a.ts': "import '../intake/b.js';",
        'src/app.ts': "const cli = await import('./cli/b.js');",
        'src/cli/a.ts': "import '../app.js'; import '../db/b.js';",
        'src/elsewhere/a.ts': '',
      });
      expect(wrongDirections(wrong, architecture)).to.deep.equal([
        'src/lib/a.ts imports src/domain/b.ts',
        'src/readers/a.ts imports src/mapping/b.ts',
        'src/intake/a.ts imports src/sync/b.ts',
        'src/app.ts imports src/cli/b.ts',
        'src/elsewhere/a.ts: src/elsewhere has no layer in test/support/layers.json',
      ]);
    });

    it('notice a cycle', () => {
      const wrong = check({
        'src/lib/a.ts': "import './b.js';",
        'src/lib/b.ts': "import './c.js';",
        'src/lib/c.ts': "import './b.js';",
      });
      expect(cycles(wrong)).to.deep.equal(['src/lib/b.ts → src/lib/c.ts → src/lib/b.ts']);
    });

    it('notice a library outside its folder', () => {
      const wrong = check({
        'src/sync/a.ts': "import { Pool } from 'pg';",
        'src/mapping/a.ts': "import p from 'stream-json/parser.js';",
        'src/db/a.ts': "import { Pool } from 'pg'; import copy from 'pg-copy-streams';",
      });
      expect(strayLibraries(wrong, architecture)).to.deep.equal([
        'src/sync/a.ts imports pg',
        'src/mapping/a.ts imports stream-json/parser.js',
      ]);
    });

    it('notice the environment and the exit code in every spelling', () => {
      const wrong = check({
        'src/lib/a.ts': 'process.env.HOME; process["exit"](1); const { exitCode: code } = process;',
        'src/lib/b.ts': "import { env } from 'node:process'; globalThis.process.env;",
        'src/main.ts': 'process.exitCode = 1; process.env.HOME;',
        'src/config/load.ts': '// process.exit\nprocess.env; process.cwd();',
      });
      expect(strayProcessUses(wrong, architecture)).to.deep.equal([
        'src/lib/a.ts uses process.env',
        'src/lib/a.ts uses process.exit',
        'src/lib/a.ts uses process.exitCode',
        'src/lib/b.ts imports node:process',
        'src/lib/b.ts uses process.env',
        'src/main.ts uses process.env',
      ]);
    });

    it('notice a long file and an empty name', () => {
      const wrong = check({
        'src/lib/long.ts': '\n'.repeat(401),
        'src/lib/fine.ts': '\n'.repeat(400),
        'src/lib/string-utils.ts': '',
        'src/common/a.ts': '',
        'src/sync/types.ts': '',
        'src/model/type-tree.ts': '',
      });
      expect(shapelessFiles(wrong)).to.deep.equal([
        'src/lib/long.ts has 401 lines',
        'src/lib/string-utils.ts is named after nothing in particular',
        'src/common/a.ts is named after nothing in particular',
        'src/sync/types.ts is named after nothing in particular',
      ]);
    });
  });
});
