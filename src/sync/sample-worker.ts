import { parentPort, workerData } from 'node:worker_threads';
import { UserSyncError, messageOf } from '../lib/errors.js';
import { modelOfSource } from '../model/model.js';
import { controlLanguage, type ControlLanguage } from '../plugins/control-language.js';
import { loadPlugins } from '../plugins/load-plugins.js';
import { ReadError, type ReadLimits } from '../readers/reader.js';
import { explainSample, type Explained } from './explain.js';
import { previewTexts } from './preview-texts.js';
import type { MappedSample, SampleAnswer, SampleJob, SampleResults, SampleWork } from './sample.js';

/** The thread that maps a sample: it answers once. */
async function answer({ model, plugins, limits, work, mostBytes }: SampleJob): Promise<SampleAnswer> {
  try {
    const language = controlLanguage(modelOfSource(model), await loadPlugins(plugins));
    const json = JSON.stringify(await mapped(work, { language, limits }));
    return Buffer.byteLength(json) > mostBytes ? { kind: 'too-much' } : { kind: 'mapped', json };
  } catch (error) {
    if (!(error instanceof UserSyncError)) throw error;
    // Here it is not a batch that fails, but a text that somebody pasted.
    const isUsage = error.kind === 'usage' || error instanceof ReadError;
    return { kind: 'failed', code: error.code, message: messageOf(error), isUsage };
  }
}

async function mapped(
  work: SampleWork,
  surroundings: { readonly language: ControlLanguage; readonly limits: ReadLimits },
): Promise<SampleResults[SampleWork['kind']]> {
  switch (work.kind) {
    case 'explain': {
      const explained = await explainSample(surroundings, work.sample);
      return explained.map((one) => mappedSample(one, work.mostValues));
    }
    case 'preview':
      return previewTexts(work.texts, { ...surroundings, folder: work.folder });
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
