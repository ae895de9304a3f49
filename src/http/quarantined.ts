import type { FastifyReply } from 'fastify';
import type { Quarantine } from '../intake/quarantine.js';
import type { QuarantineRecord } from '../intake/quarantine-record.js';
import { UserSyncError } from '../lib/errors.js';
import type { Actions, Actor } from './actions.js';
import { sendDownload } from './download.js';

/** Of which feeds whoever asks may know. */
type IsVisible = (feed: string) => boolean;

/** Files that were set aside: to look at, to fetch, to delete, in the web page as through the interface. */
export class Quarantined {
  readonly #quarantine: Quarantine;
  readonly #actions: Actions;

  constructor(quarantine: Quarantine, actions: Actions) {
    this.#quarantine = quarantine;
    this.#actions = actions;
  }

  /** Newest first. */
  async list(isVisible: IsVisible): Promise<QuarantineRecord[]> {
    return (await this.#quarantine.list()).filter(({ feed }) => isVisible(feed));
  }

  /** @throws UserSyncError `quarantine-unknown` */
  async find(isVisible: IsVisible, id: string): Promise<QuarantineRecord> {
    const found = (await this.list(isVisible)).find((record) => record.id === id);
    if (found === undefined) throw unknown('There is nothing of this id in quarantine.');
    return found;
  }

  /** @throws UserSyncError `quarantine-unknown` */
  async send(reply: FastifyReply, actor: Actor, isVisible: IsVisible, id: string): Promise<FastifyReply> {
    const record = await this.find(isVisible, id);
    return sendDownload(reply, {
      path: this.#quarantine.pathOf(id),
      filename: `quarantine-${id}`,
      missing: () => unknown('This is a link or a special file: it cannot be downloaded.'),
      note: () => this.#note(actor, 'quarantine-downloaded', record),
    });
  }

  /** @throws UserSyncError `quarantine-unknown` */
  async delete(actor: Actor, isVisible: IsVisible, id: string): Promise<void> {
    const record = await this.find(isVisible, id);
    await this.#quarantine.delete(id);
    await this.#note(actor, 'quarantine-deleted', record);
  }

  async #note(actor: Actor, action: string, record: QuarantineRecord): Promise<void> {
    const { id, feed, reason, originalFilename } = record;
    await this.#actions.note(actor, action, `feed ${feed}`, { id, reason, originalFilename });
  }
}

function unknown(message: string): UserSyncError {
  return new UserSyncError('quarantine-unknown', message, { kind: 'usage' });
}
