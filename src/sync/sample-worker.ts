import { parentPort, workerData } from 'node:worker_threads';
import { UserSyncError, messageOf } from '../lib/errors.js';
import { parseModel } from '../model/model.js';
import { controlLanguage } from '../plugins/control-language.js';
import { loadPlugins } from '../plugins/load-plugins.js';
import { ReadError } from '../readers/reader.js';
import { explainSample, type Explained } from './explain.js';
import type { MappedSample, SampleAnswer, SampleJob } from './sample.js';

/** The thread that maps a sample: it answers once. */
async function answer({ model, plugins, limits, sample, mostValues }: SampleJob): Promise<SampleAnswer> {
  try {
    const language = controlLanguage(parseModel(model, 'the model'), await loadPlugins(plugins));
    const explained = await explainSample({ language, limits }, sample);
    return { kind: 'mapped', records: explained.map((one) => mappedSample(one, mostValues)) };
  } catch (error) {
    if (!(error instanceof UserSyncError)) throw error;
    // Here it is not a batch that fails, but a text that somebody pasted.
    const isUsage = error.kind === 'usage' || error instanceof ReadError;
    return { kind: 'failed', code: error.code, message: messageOf(error), isUsage };
  }
}

function mappedSample(
  { line: { record, line, username, accepted, errors }, rows }: Explained,
  most: number,
): MappedSample {
  const values = rows.slice(0, most).map(({ name, value, qualifier, isAbsent = false, event }) => ({
    name,
    value,
    isAbsent,
    ...(qualifier === undefined ? {} : { qualifier }),
    ...(event === undefined ? {} : { pointer: event.pointer }),
    ...(event?.source === undefined ? {} : { source: event.source }),
  }));
  return { record, line, username, accepted, values, more: rows.length - values.length, errors: errors.slice(0, most) };
}

parentPort?.postMessage(await answer(workerData as SampleJob));
