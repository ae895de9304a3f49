import type { FilterFactories } from '../mapping/filter-set.js';
import { BUILT_IN_FILTERS } from '../mapping/filters.js';
import type { Model } from '../model/model.js';
import type { ReadLimits, Reader } from '../readers/reader.js';
import { READER_FORMATS, createReader, type FileFormat, type ReaderFormat } from '../readers/registry.js';
import { NO_PLUGINS, type Contribution, type Plugins } from './load-plugins.js';
import type { RecordProcessor } from './plugin.js';
import { pluginFilter } from './plugin-filters.js';
import { pluginReader } from './plugin-readers.js';

/** The language of control files as this installation understands it: what is built in, its model, and its plugins. */
export interface ControlLanguage {
  readonly model: Model;
  /** What `read` may name. */
  readonly formats: readonly ReaderFormat[];
  readonly filters: FilterFactories;
  readonly recordProcessors: ReadonlyMap<string, Contribution<RecordProcessor>>;
  /** @throws UserSyncError as the registry of readers, or `reader-failed` */
  createReader(format: FileFormat, limits: ReadLimits): Reader;
}

export function controlLanguage(model: Model, plugins: Plugins = NO_PLUGINS): ControlLanguage {
  const { readers, filters, recordProcessors } = plugins;
  return {
    model,
    formats: [
      ...READER_FORMATS,
      ...[...readers.values()].map(({ name, value: { description, options } }) => ({ name, description, options })),
    ],
    filters: new Map([
      ...BUILT_IN_FILTERS,
      ...[...filters.values()].map((filter) => [filter.name, pluginFilter(filter)] as const),
    ]),
    recordProcessors,
    createReader: (format, limits) => {
      const contribution = readers.get(format.read);
      return contribution === undefined ? createReader(format, limits) : pluginReader(contribution, format, limits);
    },
  };
}
