import { createHash } from 'node:crypto';
import { packageVersion } from '../lib/package-root.js';
import type { SyncContext } from './context.js';
import { modelDigest } from './install-model.js';
import type { KnownObjects } from './stage-messages.js';

/** What a batch is understood with, beside its control file. */
export function languageDigest({ model, plugins }: SyncContext): string {
  const digest = modelDigest(model);
  if (plugins.digest === '') return digest;
  return createHash('sha256').update(digest).update(plugins.digest).digest('hex');
}

/** Everything that decides, beside a record, what it is mapped to; this program is part of it. */
export function recordSeed(context: SyncContext, controlText: string, objects: KnownObjects): string {
  return createHash('sha256')
    .update(JSON.stringify([packageVersion(), languageDigest(context), objects, controlText]))
    .digest('hex');
}
