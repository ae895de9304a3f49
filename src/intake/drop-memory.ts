import { isSameState, type Fingerprint } from './fingerprint.js';
import type { StoredFile } from './file-store.js';
import type { DropEntry } from './scan.js';
import { observe, type Observation, type ScanTime } from './settle.js';

/** What was found out about an entry in one state of it. */
export interface Finding {
  readonly fingerprint: Fingerprint;
  /** Its copy, so that a handler who says 'later' does not have it copied again and again. */
  stored?: StoredFile;
  /** The handler has it; only the original is still to be removed. */
  isRecorded?: boolean;
  /** It could be neither taken nor moved: why, and when that was tried. */
  left?: { readonly why: string; readonly triedAtMs: number };
  /** Of a sidecar: its digest, once read; null if it has none. */
  digest?: string | null;
  /** Of a sidecar: the file as it was when it last turned out to differ. */
  differedFrom?: Fingerprint;
}

const MAX_TAKEN = 1000;

/**
 * What is kept between scans. It may all be lost: after a restart files settle anew, and what was recorded but not removed
 * is told once more.
 */
export class DropMemory {
  #observations = new Map<string, Observation>();
  #findings = new Map<string, Finding>();
  readonly #taken = new Map<string, string>();

  /** Takes in a scan, and forgets what it did not find. */
  observe(entries: readonly DropEntry[], time: ScanTime): void {
    const observations = new Map<string, Observation>();
    const findings = new Map<string, Finding>();
    for (const { name, fingerprint, links } of entries) {
      observations.set(name.key, observe(this.#observations.get(name.key), { fingerprint, links }, time));
      const finding = this.#findings.get(name.key);
      const isStillTrue = finding !== undefined && isSameState(finding.fingerprint, fingerprint);
      findings.set(name.key, isStillTrue ? finding : { fingerprint });
    }
    this.#observations = observations;
    this.#findings = findings;
  }

  /** Of an entry of the last scan. */
  observationOf({ name }: DropEntry): Observation {
    return known(this.#observations.get(name.key));
  }

  /** Of an entry of the last scan; to be written to. */
  findingOf({ name }: DropEntry): Finding {
    return known(this.#findings.get(name.key));
  }

  /** Remembers for a while that a file of this name was taken, for markers and sidecars that come after it. */
  noteTaken({ name }: DropEntry, digest: string): void {
    this.#taken.delete(name.key);
    this.#taken.set(name.key, digest);
    if (this.#taken.size <= MAX_TAKEN) return;
    for (const oldest of this.#taken.keys()) {
      this.#taken.delete(oldest);
      break;
    }
  }

  /** The digest of the file of this name that was taken last. */
  takenDigest(key: string): string | undefined {
    return this.#taken.get(key);
  }
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('asked for an entry that the last scan did not find');
  return value;
}
