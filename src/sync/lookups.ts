import type { Database } from '../db/database.js';
import { UserSyncError } from '../lib/errors.js';
import type { ExistingObject, ExistingUser } from '../mapping/existing.js';
import type { DirectoryNeeds } from '../mapping/mapped-names.js';
import { MAX_TITLE_CANDIDATES } from '../mapping/references.js';
import type { Model } from '../model/model.js';
import { typesOfKind } from './install-model.js';
import type { RecognitionAnswer, RecognitionQuestion } from './recognition.js';
import type { KnownObjects, StageAnswer, StageQuestion } from './stage-messages.js';

/** What mapping asks of the directory, always for many records at once. */

/**
 * The objects that a control file names, before the first record is read.
 *
 * @throws UserSyncError `too-many-candidates` when a mapping by title would have to search too many
 */
export async function knownObjects(database: Database, needs: DirectoryNeeds, model: Model): Promise<KnownObjects> {
  const query = needs.behaviours ? 'lookup/all-behaviours' : 'lookup/model-behaviours';
  const behaviours = await database.rows<{ behaviour: string; ref: number }>(query);
  const titles: KnownObjects['titles'][number][] = [];
  for (const { types, titles: wanted } of needs.titles) {
    const kinds = types.flatMap((type) => typesOfKind(model, type));
    const found = await database.rows<{ ref: number; types: string[]; title: string; candidates: number }>(
      'lookup/titled-objects',
      [kinds, wanted, MAX_TITLE_CANDIDATES],
    );
    if ((found[0]?.candidates ?? 0) > MAX_TITLE_CANDIDATES) throw tooManyCandidates(types);
    titles.push(...found.map(({ ref, types: own, title }) => ({ ref: String(ref), types: own, title })));
  }
  return {
    behaviours: Object.fromEntries(behaviours.map(({ behaviour, ref }) => [behaviour, String(ref)])),
    titles,
  };
}

function tooManyCandidates(types: readonly string[]): UserSyncError {
  return new UserSyncError(
    'too-many-candidates',
    `A mapping by title would have to search more than ${MAX_TITLE_CANDIDATES} objects of ${types.join(', ')}. ` +
      'Use a mapping by behaviour in the control file.',
  );
}

export async function answer(
  database: Database,
  feedId: number,
  { usernames, refs }: StageQuestion,
): Promise<StageAnswer> {
  const users =
    usernames.length === 0
      ? []
      : await database.rows<ExistingUser & { username: string }>('lookup/existing-users', [feedId, usernames]);
  const objects =
    refs.length === 0
      ? []
      : await database.rows<ExistingObject & Record<string, unknown>>('lookup/objects-by-ref', [refs]);
  return {
    type: 'answer',
    users: new Map(users.map(({ username, ...user }) => [username, user])),
    objects,
  };
}

/** Which records of a batch are the same as last time. */
export async function recognise(
  database: Database,
  feedId: number,
  { usernames, digests }: RecognitionQuestion,
): Promise<RecognitionAnswer> {
  const [found] = await database.rows<RecognitionAnswer & Record<string, unknown>>('lookup/recognise', [
    feedId,
    usernames,
    digests,
  ]);
  if (found === undefined) throw new Error('lookup/recognise returned nothing');
  return found;
}
