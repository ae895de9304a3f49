import { expect } from 'chai';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InputRecord, JsonValue } from '../../src/domain/record.js';
import { packageRoot } from '../../src/lib/package-root.js';
import { parseModel } from '../../src/model/parse-model.js';
import { controlLanguage, type ControlLanguage } from '../../src/plugins/control-language.js';
import { loadPlugins, NO_PLUGINS, type Plugins } from '../../src/plugins/load-plugins.js';
import { resolvePlugins } from '../../src/plugins/resolve-plugins.js';
import { arbitraryInstructions } from '../unit/mapping/arbitrary-control-files.js';
import { EVERYTHING } from '../unit/mapping/every-instruction.js';
import { hostile, judge, pathsOf, replaced, timed } from '../unit/mapping/hostile-control-files.js';
import { controlText, model, USER_INSTRUCTIONS } from '../unit/mapping/mapping-case.js';
import { fuzz, FUZZ_TIMEOUT_MS } from './fuzzing.js';
import { asItIs, mutations } from './mutations.js';

const CONFIG = join(packageRoot(), 'config');
const EXAMPLES = join(CONFIG, 'examples');
const MAPPING = { m: { types: ['std:type:organisation'], using: 'title', values: { a: 'Faculty of Arts' } } };

/** A control file that is right, and the language that it is written in. */
interface Valid {
  readonly text: string;
  readonly language: ControlLanguage;
}

function languageOf(modelFile: string, plugins: Plugins = NO_PLUGINS): ControlLanguage {
  return controlLanguage(parseModel(readFileSync(modelFile, 'utf8'), 'the model'), plugins);
}

async function examples(): Promise<readonly Valid[]> {
  const plugins = await loadPlugins(resolvePlugins([join(EXAMPLES, 'plugins', 'roles-join.js')], packageRoot()));
  const shipped = join(CONFIG, 'model.json');
  const textOf = (name: string): string => readFileSync(join(EXAMPLES, name), 'utf8');
  return [
    { text: textOf('control.json'), language: languageOf(shipped) },
    { text: textOf('congress.json'), language: languageOf(join(EXAMPLES, 'congress-model.json')) },
    { text: textOf('roles-join.json'), language: languageOf(shipped, plugins) },
    {
      text: controlText([...USER_INSTRUCTIONS, ...EVERYTHING], { mapping: MAPPING }),
      language: controlLanguage(model),
    },
  ];
}

/** Values on which a pattern that backtracks would take for ever. */
const endless = fc
  .tuple(
    fc.constantFrom('a', ' ', '0', '1.', '-', '@', '+', "'", 'http:', 'a@', '(', 'y', ' \t', '\\', '%', 'ǆ'),
    fc.constantFrom('', '!', '\n', 'x'),
  )
  .map(([unit, end]) => `${unit.repeat(20_000 / unit.length)}${end}`);

/** Records that give something for all that the control file looks at. */
function recordsFor(text: string): fc.Arbitrary<InputRecord> {
  const names = [...text.matchAll(/"source":\s*"([^"]*)"/g)].map(([, name]) => name!);
  const value = fc.oneof({ weight: 4, arbitrary: hostile }, { weight: 1, arbitrary: endless });
  return fc.dictionary(fc.constantFrom(...names, '__proto__'), value, { maxKeys: 20, noNullPrototype: false });
}

/** Anything put anywhere in a document. */
function changed(document: JsonValue): fc.Arbitrary<JsonValue | undefined> {
  const change = fc.tuple(fc.constantFrom(...pathsOf(document)), fc.option(hostile, { nil: undefined }));
  return change.map(([path, value]) => replaced(document, path, value));
}

const arbitrary = arbitraryInstructions(1, false).map((instructions): Valid => ({
  text: controlText([...USER_INSTRUCTIONS, ...instructions]),
  language: controlLanguage(model),
}));

describe('Control files, whatever is in them', function () {
  this.timeout(FUZZ_TIMEOUT_MS);

  it('are refused with problems that have their place, or map any record in time', async () => {
    const shipped = await examples();
    for (const { text, language } of shipped) expect(judge(text, {}, language)).to.equal('mapped');
    const valid = fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...shipped) }, { weight: 1, arbitrary });
    const others = valid.map(({ text }) => Buffer.from(text));
    const cases = valid.chain(({ text, language }) =>
      fc.record({
        language: fc.constant(Object.assign(language, { [fc.toStringMethod]: () => 'a language' })),
        text: fc
          .tuple(
            fc.oneof(
              fc.constant(text),
              changed(JSON.parse(text) as JsonValue).map((one) => JSON.stringify(one, null, 1) ?? ''),
            ),
            fc.option(mutations({ others, most: 2 }), { nil: asItIs, freq: 2 }),
          )
          .map(([one, mutate]) => mutate(Buffer.from(one)).toString('utf8')),
        record: recordsFor(text),
      }),
    );
    const seen = { refused: 0, mapped: 0 };
    await fuzz('control files', { atLeast: 50 }, cases, async ({ text, record, language }) => {
      seen[timed(() => judge(text, record, language))]++;
    });
    for (const [what, count] of Object.entries(seen)) expect(count, what).to.be.greaterThan(10);
  });
});
