import type { AnchoredFolder } from './anchored-folder.js';
import type { Disposal } from './disposal.js';
import type { IntakeWarningCode } from './drop-handler.js';
import { subjectOf } from './entry-name.js';
import { codeOf, explain } from './file-system-error.js';
import { isAside, removeIfSame, restoreAside } from './move.js';
import { LINK, SPECIAL_FILE } from './refusals.js';
import type { RoundContext } from './round-context.js';
import type { DropEntry, Scan } from './scan.js';
import { isLasting, type ScanTime } from './settle.js';
import { digestOfSidecar } from './sidecar.js';

const HOUR_MS = 60 * 60 * 1000;

/** What stands in a drop directory and is no batch file: links and FIFOs, unfinished uploads, markers without a file. */
export class Bystanders {
  readonly #folder: AnchoredFolder;
  readonly #scan: Scan;
  readonly #time: ScanTime;
  readonly #context: RoundContext;
  readonly #disposal: Disposal;

  constructor(folder: AnchoredFolder, scan: Scan, time: ScanTime, context: RoundContext, disposal: Disposal) {
    this.#folder = folder;
    this.#scan = scan;
    this.#time = time;
    this.#context = context;
    this.#disposal = disposal;
  }

  /** @returns when something will have been there for long enough to be dealt with. */
  async visit(): Promise<number | undefined> {
    const dueMs: number[] = [];
    for (const entry of this.#scan.foreign) {
      if (this.#isLasting(entry)) await this.#safely(() => this.#visitForeign(entry));
      else dueMs.push(this.#context.memory.observationOf(entry).unchangedSinceMs + this.#context.settings.settleMs);
    }
    for (const entry of this.#scan.ignored) await this.#visitIgnored(entry);
    const files = new Set(this.#scan.files.map((entry) => entry.name.key));
    for (const entry of [...this.#scan.markers.values(), ...this.#scan.sidecars.values()]) {
      if (!files.has(subjectOf(entry.name))) await this.#safely(() => this.#visitOrphan(entry));
    }
    return dueMs.length === 0 ? undefined : Math.min(...dueMs);
  }

  /** Directories stay: what is in them may be somebody's, and nobody would take them for a file. */
  async #visitForeign(entry: DropEntry): Promise<void> {
    if (entry.kind === 'directory') {
      const message = `"${entry.name.shown}" in the drop directory is a directory: what is in it is not taken.`;
      await this.#warn(entry, 'directory-ignored', message);
    } else {
      await this.#disposal.setAside(entry, entry.kind === 'link' ? LINK : SPECIAL_FILE);
    }
  }

  async #visitIgnored(entry: DropEntry): Promise<void> {
    if (entry.kind !== 'directory') {
      await this.#warnIfOld(entry, 'is ignored: its name says that it is not complete, or not for this program');
    } else if (isAside(entry.name.bytes) && this.#isLasting(entry)) {
      await this.#orWarn(entry, () => restoreAside(this.#folder, entry.name.bytes));
    }
  }

  /** A marker or sidecar without a file. One that came after its file was taken goes; any other may be early. */
  async #visitOrphan(entry: DropEntry): Promise<void> {
    if (this.#isLasting(entry) && (await this.#isLate(entry))) {
      const { bytes } = entry.name;
      await this.#orWarn(entry, () => removeIfSame(this.#folder, bytes, entry.fingerprint, this.#context.newId()));
    } else {
      await this.#warnIfOld(entry, 'speaks of a file that is not there');
    }
  }

  async #isLate(entry: DropEntry): Promise<boolean> {
    const { memory } = this.#context;
    const taken = memory.takenDigest(subjectOf(entry.name));
    if (taken === undefined || entry.role === 'marker') return taken !== undefined;
    return (await digestOfSidecar(this.#folder, entry, memory)) === taken;
  }

  #isLasting(entry: DropEntry): boolean {
    const { memory, settings } = this.#context;
    return isLasting(memory.observationOf(entry), this.#time, settings.settleMs);
  }

  /** By ctime or by when it was first seen, since the clock of the machine may be wrong. */
  async #warnIfOld(entry: DropEntry, what: string): Promise<void> {
    const { memory, now } = this.#context;
    const seenForMs = this.#time.startedMs - memory.observationOf(entry).firstSeenMs;
    const unchangedForMs = now().getTime() - Number(entry.fingerprint.ctimeNs / 1_000_000n);
    if (Math.max(seenForMs, unchangedForMs) < HOUR_MS) return;
    const message = `"${entry.name.shown}" has been in the drop directory for more than an hour and ${what}. Rename or remove it.`;
    await this.#warn(entry, 'ignored-for-long', message);
  }

  /** Whatever is the matter with one, the others and the batch files are looked at. */
  async #safely(visit: () => Promise<void>): Promise<void> {
    try {
      await visit();
    } catch (error) {
      if (!this.#context.signal.aborted) await this.#disposal.reportFailure(error);
    }
  }

  async #orWarn(entry: DropEntry, removal: () => Promise<unknown>): Promise<void> {
    try {
      await removal();
    } catch (error) {
      const message = `"${entry.name.shown}" cannot be removed: ${explain(codeOf(error))}.`;
      await this.#warn(entry, 'file-not-removed', message, error);
    }
  }

  async #warn(entry: DropEntry, code: IntakeWarningCode, message: string, error?: unknown): Promise<void> {
    const { key, shown } = entry.name;
    await this.#context.reports.warn(`file ${key}`, { code, message, originalFilename: shown }, error);
  }
}
