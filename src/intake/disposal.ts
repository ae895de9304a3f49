import type { AnchoredFolder } from './anchored-folder.js';
import type { IntakeWarningCode } from './drop-handler.js';
import { codeOf, explain } from './file-system-error.js';
import { removeIfSame } from './move.js';
import type { Refusal } from './refusals.js';
import type { RoundContext } from './round-context.js';
import type { DropEntry, Scan } from './scan.js';
import type { ScanTime } from './settle.js';

/** What has become of a file in one round. */
export type Outcome =
  /** Taken, set aside, or gone. */
  | 'done'
  /** Not complete yet. */
  | 'settling'
  /** Complete, and to be tried again: the handler said so, or something failed that may pass. */
  | 'later'
  /** Nothing will come of it until somebody does something about it. */
  | 'stuck';

/** What could not be set aside is tried again after this time: each try writes to the disk. */
const RETRY_MS = 60_000;

/** How files leave a drop directory: removed once they are recorded, or set aside. */
export class Disposal {
  readonly #folder: AnchoredFolder;
  readonly #scan: Scan;
  readonly #time: ScanTime;
  readonly #context: RoundContext;

  constructor(folder: AnchoredFolder, scan: Scan, time: ScanTime, context: RoundContext) {
    this.#folder = folder;
    this.#scan = scan;
    this.#time = time;
    this.#context = context;
  }

  /**
   * Removes what was recorded. Marker and sidecar go first: if the program is killed in between, the file settles once
   * more by itself, whereas a marker left alone would vouch for the next upload.
   */
  async remove(entry: DropEntry): Promise<Outcome> {
    const { shown } = entry.name;
    try {
      await this.#removeCompanions(entry);
      await removeIfSame(this.#folder, entry.name.bytes, entry.fingerprint, this.#context.newId());
    } catch (error) {
      const message = `"${shown}" was taken but cannot be removed: ${explain(codeOf(error))}. Remove it, and let this program write to the drop directory.`;
      await this.#warn(entry, 'file-not-removed', message, error);
    }
    return 'done';
  }

  /** Moves what cannot be taken to quarantine. What can be neither taken nor moved stays, and is told. */
  async setAside(entry: DropEntry, refusal: Refusal): Promise<Outcome> {
    const { quarantine, memory, reports, settings } = this.#context;
    const finding = memory.findingOf(entry);
    const { left } = finding;
    if (left !== undefined && this.#time.startedMs - left.triedAtMs < RETRY_MS)
      return this.#reportLeft(entry, left.why);
    const reason = { feed: settings.feed, ...refusal };
    const result = await quarantine.hold(this.#folder, entry, reason, this.#context.signal);
    switch (result.kind) {
      case 'held':
        await reports.quarantined(result.record);
        await this.#removeCompanions(entry);
        return 'done';
      case 'changed':
        return 'settling';
      case 'left': {
        const why = `${refusal.detail} It cannot be set aside either: ${result.why}.`;
        finding.left = { why, triedAtMs: this.#time.startedMs };
        return this.#reportLeft(entry, why);
      }
    }
  }

  /** Something is the matter with the disk or with this process, rather than with a file. It may pass. */
  async reportFailure(error: unknown): Promise<Outcome> {
    const code = codeOf(error);
    const message = `Dropped files cannot be stored or set aside: ${explain(code)}. They stay where they are and are tried again with every scan.`;
    await this.#context.reports.warn(`store ${code ?? ''}`, { code: 'store-failed', message }, error);
    return 'later';
  }

  async #removeCompanions(entry: DropEntry): Promise<void> {
    const { key } = entry.name;
    for (const one of [this.#scan.markers.get(key), this.#scan.sidecars.get(key)]) {
      if (one === undefined) continue;
      await removeIfSame(this.#folder, one.name.bytes, one.fingerprint, this.#context.newId());
    }
  }

  async #reportLeft(entry: DropEntry, why: string): Promise<Outcome> {
    const message = `"${entry.name.shown}" cannot be taken, and stays where it is. ${why}`;
    await this.#warn(entry, 'file-not-quarantined', message);
    return 'stuck';
  }

  async #warn(entry: DropEntry, code: IntakeWarningCode, message: string, error?: unknown): Promise<void> {
    const { key, shown } = entry.name;
    await this.#context.reports.warn(`file ${key}`, { code, message, originalFilename: shown }, error);
  }
}
