import { expect } from 'chai';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidFileError } from '../../../src/lib/errors.js';
import { loadPlugins } from '../../../src/plugins/load-plugins.js';
import { resolvePlugins } from '../../../src/plugins/resolve-plugins.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { caught, loaded } from './plugin-modules.js';

const DESTINATION = `{ kind: 'dictionary', name: 'x:door', title: 'Door', depends: 'user', names: [{ name: 'code', title: 'Code', dataType: 'text' }] }`;

/** Pointers of the problems of one plugin, or those of several with the plugin's name before them. */
async function problemsOf(modules: Readonly<Record<string, string>>): Promise<string[]> {
  const error = await caught(loaded(modules));
  expect(error).to.be.instanceOf(InvalidFileError).and.include({ code: 'invalid-plugin', kind: 'usage' });
  return (error as InvalidFileError).problems.map(({ pointer }) => pointer);
}

describe('loading plugins', () => {
  it('collects what all of them add, in their order', async () => {
    const plugins = await loaded({
      first: `export default {
        filters: { 'x:one': () => (value) => value },
        readers: { 'x-format': { description: 'Lines.', options: [{ name: 'sep', type: 'string', description: 'It.' }], read() {} } },
        recordProcessors: { 'x:join': async function* () {} },
        destinations: [${DESTINATION}],
        hooks: { afterPlan() {} },
      };`,
      second: `export default { filters: { 'y:two': () => () => undefined }, hooks: { onBlock() {} } };`,
    });
    expect(plugins.modules.map(({ name }) => name)).to.deep.equal(['first', 'second']);
    expect([...plugins.filters.keys()]).to.deep.equal(['x:one', 'y:two']);
    expect([...plugins.readers.keys()]).to.deep.equal(['x-format']);
    expect([...plugins.recordProcessors.keys()]).to.deep.equal(['x:join']);
    expect(plugins.hooks.map(({ plugin }) => plugin)).to.deep.equal(['first', 'second']);
    expect(plugins.filters.get('y:two')?.plugin).to.equal('second');
  });

  it('completes destinations with their defaults', async () => {
    const { destinations } = await loaded({ a: `export default { destinations: [${DESTINATION}] };` });
    const names = [{ name: 'code', title: 'Code', dataType: 'text', required: false }];
    expect(destinations).to.deep.equal([
      { kind: 'dictionary', name: 'x:door', title: 'Door', depends: 'user', optional: true, names },
    ]);
  });

  it('takes a plugin that adds nothing', async () => {
    expect((await loaded({ a: 'export default {};' })).filters.size).to.equal(0);
  });

  it('lets functions use `this`', async () => {
    const text = `export default { filters: { 'x:a'() { return () => 1; } }, hooks: { limit: undefined, afterPlan() {} } };`;
    expect(await problemsOf({ a: text })).to.deep.equal(['/hooks/limit']);
    const { hooks } = await loaded({ a: `export default { hooks: { afterPlan() { return this; } } };` });
    const [first] = hooks;
    expect(first?.value.afterPlan?.({} as never)).to.equal(first?.value);
  });

  it('finds packages from the folder of the configuration, and calls them as they are written there', async () => {
    await using folder = await temporaryFolder();
    const home = join(folder.path, 'node_modules', 'user-sync-plugin-x');
    await mkdir(home, { recursive: true });
    await mkdir(join(folder.path, 'etc'));
    await writeFile(join(home, 'package.json'), '{"name":"user-sync-plugin-x","type":"module","exports":"./main.js"}');
    await writeFile(join(home, 'main.js'), `export default { filters: { 'x:a': () => () => 1 } };`);
    const modules = resolvePlugins(['user-sync-plugin-x'], join(folder.path, 'etc'));
    expect(modules.map(({ name }) => name)).to.deep.equal(['user-sync-plugin-x']);
    expect([...(await loadPlugins(modules)).filters.keys()]).to.deep.equal(['x:a']);
  });

  it('says which package is not installed, and from where it was looked for', async () => {
    const error = await caught((async () => resolvePlugins(['user-sync-plugin-y'], '/srv/sync'))());
    expect(error).to.include({ code: 'plugin-unreadable', kind: 'usage' });
    expect(error.message).to.include('user-sync-plugin-y').and.include('/srv/sync').and.not.include('\n');
  });

  for (const [what, text, reason] of [
    ['that is not there', undefined, 'Cannot find module'],
    ['that is no JavaScript', 'export default {', 'Unexpected'],
    ['that throws', 'throw new Error("no licence");', 'no licence'],
  ] as const) {
    it(`says which module it is ${what}, and why it cannot be imported`, async () => {
      await using folder = await temporaryFolder(text === undefined ? {} : { 'broken.mjs': text });
      const path = join(folder.path, 'broken.mjs');
      const error = await caught(loadPlugins(resolvePlugins([path], folder.path)));
      expect(error).to.include({ code: 'plugin-unreadable', kind: 'usage' });
      expect(error.message).to.include(path).and.include(reason);
    });
  }

  const wrong: readonly (readonly [string, string, readonly string[]])[] = [
    ['a module without a default export', 'export const plugin = {};', ['']],
    ['an export that is no object', 'export default () => ({});', ['']],
    ['an unknown key', 'export default { filter: {} };', ['/filter']],
    ['a filter that is no function', `export default { filters: { 'x:a': 'b' } };`, ['/filters/x:a']],
    ['a name that cannot be one', `export default { filters: { 'x a': () => () => 1 } };`, ['/filters/x a']],
    ['a name of user-sync', `export default { filters: { 'haplo:mine': () => () => 1 } };`, ['/filters/haplo:mine']],
    [
      'a built-in format',
      `export default { readers: { csv: { description: 'x', options: [], read() {} } } };`,
      ['/readers/csv'],
    ],
    [
      'a format with wrong options',
      `export default { readers: { x: { options: [
         { name: 'read', type: 'string', description: 'x' }, { name: 'a', type: 'number', description: 'x' },
         { name: 'a', type: 'string', description: '' } ], read: 1 } } };`,
      [
        '/readers/x/description',
        '/readers/x/options/0/name',
        '/readers/x/options/1/type',
        '/readers/x/options/2/description',
        '/readers/x/read',
      ],
    ],
    [
      'an option that is there twice',
      `const o = { name: 'a', type: 'string', description: 'x' };
       export default { readers: { x: { description: 'x', options: [o, o], read() {} } } };`,
      ['/readers/x/options/1/name'],
    ],
    ['a hook that does not exist', `export default { hooks: { afterStage() {} } };`, ['/hooks/afterStage']],
    ['a processor that is no function', `export default { recordProcessors: { x: {} } };`, ['/recordProcessors/x']],
    [
      'a destination of the model',
      `export default { destinations: [{ ...${DESTINATION}, name: 'user:tags' }, { ...${DESTINATION}, name: 'profile' }] };`,
      ['/destinations/0/name', '/destinations/1/name'],
    ],
    [
      'a destination that cannot be stored',
      `export default { destinations: [{ ...${DESTINATION}, kind: 'object', names: [] },
         { ...${DESTINATION}, names: [{ name: 'a', title: 'A', dataType: 'ref' }] }] };`,
      ['/destinations/0/kind', '/destinations/0/names', '/destinations/1/names/0/dataType'],
    ],
    [
      'two destinations of one name',
      `export default { destinations: [${DESTINATION}, ${DESTINATION}] };`,
      ['/destinations/1/name'],
    ],
  ];
  for (const [what, text, pointers] of wrong) {
    it(`refuses ${what}`, async () => {
      expect((await problemsOf({ a: text })).sort()).to.deep.equal([...pointers].sort());
    });
  }

  it('reports the problems of all plugins at once, each with its module', async () => {
    const error = await caught(
      loaded({
        one: `export default { filters: { 'x:a': () => () => 1 }, hook: {} };`,
        two: `export default { filters: { 'x:b': 1, 'x:c': 2 } };`,
      }),
    );
    expect(error.message).to.match(/^The list of plugins has 3 problems:/);
    expect(error.message).to.match(/\/hook: unknown key `hook`.*one\.mjs\)/);
    expect(error.message).to.match(/\/filters\/x:c: must be a function \(.*two\.mjs\)/);
  });

  it('refuses a name that two plugins have, and says which the other one is', async () => {
    const text = `export default { filters: { 'x:a': () => () => 1 } };`;
    const error = await caught(loaded({ one: text, two: text }));
    expect(error.message).to.match(/^The plugin two has 1 problem:\n/);
    expect(error.message).to.include('/filters/x:a: the plugin one has `x:a` already');
  });
});
