import { UserSyncError } from '../lib/errors.js';
import { charsetNamed } from '../readers/charset.js';
import { decompressed } from '../readers/decompressed.js';
import { ReadError, malformedFile, type ReadItem, type ReadLimits, type Reader } from '../readers/reader.js';
import type { FileFormat } from '../readers/registry.js';
import { ItemChecker, NotABatch } from './checked-items.js';
import type { Contribution } from './load-plugins.js';
import type { FormatOptions, PluginFormat } from './plugin.js';
import { describeFailure } from './plugin-failure.js';
import { WatchedSource } from './watched-source.js';

/**
 * A plugin's reader such that what it gives is what the engine takes from readers, and what it throws says whose it is.
 *
 * @throws UserSyncError `reader-failed`
 */
export function pluginReader(contribution: Contribution<PluginFormat>, format: FileFormat, limits: ReadLimits): Reader {
  const blame = (error: unknown): unknown => (error instanceof ReadError ? error : readerFailed(contribution, error));
  let read: Reader;
  try {
    read = contribution.value.read(optionsOf(format, contribution.value), limits, {
      fail: (message, place) => {
        throw malformedFile(message, place);
      },
    });
  } catch (error) {
    throw blame(error);
  }
  return (bytes, signal) => guarded(read, bytes, signal, limits, blame);
}

async function* guarded(
  read: Reader,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  limits: ReadLimits,
  blame: (error: unknown) => unknown,
): AsyncGenerator<readonly ReadItem[], void, undefined> {
  const source = new WatchedSource(decompressed(bytes, limits, signal));
  const checker = new ItemChecker(limits);
  try {
    for await (const batch of read(source, signal)) yield checker.check(batch);
    // A reader may stop at an end of its own; that the file itself is whole shows at the end of its bytes.
    await source.drain();
  } catch (error) {
    signal.throwIfAborted();
    throw source.failure === undefined ? blame(error) : source.failure.error;
  } finally {
    await source.close();
  }
}

function readerFailed({ plugin, name }: Contribution<PluginFormat>, error: unknown): UserSyncError {
  const what = error instanceof NotABatch ? error.message : describeFailure(error);
  return new UserSyncError(
    'reader-failed',
    `The reader of format ${name} of plugin ${plugin} failed: ${what}. Nothing was changed. Correct the plugin, or the file.`,
    { cause: error },
  );
}

/** Charsets by the names that `TextDecoder` knows; people write them in many ways. */
function optionsOf(format: FileFormat, { options }: PluginFormat): FormatOptions {
  return Object.fromEntries(
    options.flatMap(({ name, type }) => {
      const value = format[name];
      if (value === undefined) return [];
      return [[name, type === 'charset' ? (charsetNamed(String(value))?.name ?? value) : value]];
    }),
  );
}
