import { createHash, hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { InvalidFileError, UserSyncError, messageOf, type Problem } from '../lib/errors.js';
import { pointerTo } from '../model/json-source.js';
import type { DictionaryDestination as ModelDictionary } from '../model/schema.js';
import { READER_FORMATS } from '../readers/registry.js';
import type { DictionaryDestination, FilterFactory, Hooks, Plugin, PluginFormat, RecordProcessor } from './plugin.js';
import { problem } from './problem.js';
import type { PluginModule } from './resolve-plugins.js';

/** What all plugins add together. */
export interface Plugins {
  /** In the order of the configuration. */
  readonly modules: readonly PluginModule[];
  /** Of the modules themselves, not of what they import; empty without plugins. Changes when a plugin may do something else. */
  readonly digest: string;
  readonly filters: ReadonlyMap<string, Contribution<FilterFactory>>;
  readonly readers: ReadonlyMap<string, Contribution<PluginFormat>>;
  readonly recordProcessors: ReadonlyMap<string, Contribution<RecordProcessor>>;
  readonly destinations: readonly CompleteDestination[];
  readonly hooks: readonly Contribution<Hooks>[];
}

/** Something with the name of the plugin that it is from, for messages. */
export interface Contribution<T> {
  readonly plugin: string;
  readonly name: string;
  readonly value: T;
}

/** A declared destination with nothing left open, as the model has it. */
export type CompleteDestination = ModelDictionary;

export const NO_PLUGINS: Plugins = {
  modules: [],
  digest: '',
  filters: new Map(),
  readers: new Map(),
  recordProcessors: new Map(),
  destinations: [],
  hooks: [],
};

/**
 * Imports the modules and checks what they export.
 *
 * @throws UserSyncError `plugin-unreadable` when a module cannot be imported
 * @throws InvalidFileError `invalid-plugin` with every problem of every plugin
 */
export async function loadPlugins(modules: readonly PluginModule[]): Promise<Plugins> {
  if (modules.length === 0) return NO_PLUGINS;
  // With what checks them, which most installations never need.
  const { problemsOfShape } = await import('./plugin-schema.js');
  const registry = new Registry(modules);
  const digest = createHash('sha256');
  for (const module of modules) {
    const exported = await importPlugin(module);
    registry.add(module, exported, exported === undefined ? NO_EXPORT : problemsOfShape(exported));
    digest.update(hash('sha256', await readFile(fileURLToPath(module.url))));
  }
  return registry.complete(digest.digest('hex'));
}

async function importPlugin(module: PluginModule): Promise<unknown> {
  try {
    const loaded = (await import(module.url)) as { readonly default?: unknown };
    return loaded.default;
  } catch (error) {
    throw new UserSyncError(
      'plugin-unreadable',
      `Loading the plugin ${module.name} (${fileURLToPath(module.url)}): ${messageOf(error)}. ` +
        'Check the key "plugins" of the configuration; a plugin is an ES module.',
      { kind: 'usage', cause: error },
    );
  }
}

const NO_EXPORT = [problem('', 'the module has no default export: export the plugin with `export default`')];

type Named<T> = Map<string, Contribution<T>>;

/** Collects what plugins add, and all that is wrong with it. */
class Registry {
  readonly #modules: readonly PluginModule[];
  readonly #problems: { readonly module: PluginModule; readonly problem: Problem }[] = [];
  readonly #filters: Named<FilterFactory> = new Map();
  readonly #readers: Named<PluginFormat> = new Map();
  readonly #recordProcessors: Named<RecordProcessor> = new Map();
  readonly #destinations: Named<CompleteDestination> = new Map();
  readonly #hooks: Contribution<Hooks>[] = [];

  constructor(modules: readonly PluginModule[]) {
    this.#modules = modules;
  }

  /** @param wrong with its shape */
  add(module: PluginModule, exported: unknown, wrong: readonly Problem[]): void {
    for (const one of wrong) this.#report(module, one);
    if (wrong.length > 0) return;
    // As it was exported, and not what the schema made of it: functions may use `this`.
    const plugin = exported as Plugin;
    this.#take(module, 'filters', this.#filters, Object.entries(plugin.filters ?? {}));
    this.#take(module, 'readers', this.#readers, Object.entries(plugin.readers ?? {}));
    this.#take(module, 'recordProcessors', this.#recordProcessors, Object.entries(plugin.recordProcessors ?? {}));
    plugin.destinations?.forEach((destination, index) => {
      this.#takeOne(
        this.#destinations,
        module,
        `/destinations/${index}/name`,
        destination.name,
        completed(destination),
      );
    });
    if (plugin.hooks !== undefined) this.#hooks.push({ plugin: module.name, name: 'hooks', value: plugin.hooks });
  }

  /** @throws InvalidFileError */
  complete(digest: string): Plugins {
    const concerned = [...new Set(this.#problems.map(({ module }) => module))];
    if (concerned.length > 0) {
      const [only] = concerned;
      const what = concerned.length === 1 && only !== undefined ? `The plugin ${only.name}` : 'The list of plugins';
      const problems = this.#problems.map(({ module, problem: { message, ...place } }) => ({
        ...place,
        message: `${message} (${fileURLToPath(module.url)})`,
      }));
      throw new InvalidFileError('invalid-plugin', what, problems);
    }
    return {
      modules: this.#modules,
      digest,
      filters: this.#filters,
      readers: this.#readers,
      recordProcessors: this.#recordProcessors,
      destinations: [...this.#destinations.values()].map(({ value }) => value),
      hooks: this.#hooks,
    };
  }

  #take<T>(module: PluginModule, part: string, into: Named<T>, entries: readonly (readonly [string, T])[]): void {
    for (const [name, value] of entries) this.#takeOne(into, module, pointerTo(`/${part}`, name), name, value);
  }

  #takeOne<T>(into: Named<T>, module: PluginModule, pointer: string, name: string, value: T): void {
    const other = into.get(name);
    if (other !== undefined) {
      this.#report(module, problem(pointer, `the plugin ${other.plugin} has \`${name}\` already: rename one of them`));
    } else if (isBuiltIn(name)) {
      const message = `\`${name}\` is a name of user-sync itself: choose one that starts with your own prefix`;
      this.#report(module, problem(pointer, message));
    } else {
      into.set(name, { plugin: module.name, name, value });
    }
  }

  #report(module: PluginModule, found: Problem): void {
    this.#problems.push({ module, problem: found });
  }
}

/** Today's formats, and whatever later versions bring under the prefix. */
function isBuiltIn(name: string): boolean {
  return name.startsWith('haplo:') || READER_FORMATS.some((format) => format.name === name);
}

function completed(destination: DictionaryDestination): CompleteDestination {
  const names = destination.names.map((name) => ({ required: false, ...name }));
  return { optional: true, ...destination, names };
}
