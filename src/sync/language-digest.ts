import { createHash } from 'node:crypto';
import { packageVersion } from '../lib/package-root.js';
import { telephoneRules } from '../mapping/telephone-library.js';
import type { SyncContext } from './context.js';
import { modelDigest } from './install-model.js';
import type { KnownObjects } from './stage-messages.js';

/** What a batch is understood with, beside its control file. */
export function languageDigest({ model, plugins }: SyncContext): string {
  const digest = modelDigest(model);
  if (plugins.digest === '') return digest;
  return createHash('sha256').update(digest).update(plugins.digest).digest('hex');
}

/** Everything that decides, beside a record, what it is mapped to; this program, and what it rests on, are part of it. */
export function recordSeed(context: SyncContext, controlText: string, objects: KnownObjects): string {
  // Upper and lower case are Node's, the form of telephone numbers is the library's.
  const program = [packageVersion(), process.versions.unicode, telephoneRules()];
  return createHash('sha256')
    .update(JSON.stringify([program, languageDigest(context), objects, controlText]))
    .digest('hex');
}
