import { isSameState, type Fingerprint } from './fingerprint.js';

/** When a scan looked: by a clock that nobody sets, in milliseconds. */
export interface ScanTime {
  readonly startedMs: number;
  readonly endedMs: number;
}

/** What several looks at one name found. */
export interface Observation {
  readonly fingerprint: Fingerprint;
  readonly links: number;
  readonly firstSeenMs: number;
  /** How long it has had this fingerprint. */
  readonly unchangedSinceMs: number;
  /** Looks that found this fingerprint. */
  readonly looks: number;
}

export interface SettleSettings {
  /** The quiet period. */
  readonly settleMs: number;
  /** How long a quiet file may differ from its sidecar, which may still be on its way. */
  readonly sidecarPatienceMs: number;
}

/** What stands beside a file and speaks of it. */
export interface Evidence {
  /** The `.done` marker. */
  readonly marker?: Fingerprint;
  readonly sidecar?: SidecarEvidence;
}

export interface SidecarEvidence {
  readonly observation: Observation;
  /** SHA-256, hex. Undefined when it cannot be read from the sidecar, or not yet. */
  readonly digest: string | undefined;
  /** The file as it was when it last turned out not to have this digest. */
  readonly differedFrom: Fingerprint | undefined;
}

export type Verdict =
  /** Not complete as far as anybody can tell. `untilMs`: when the quiet period would be over. */
  | { readonly kind: 'wait'; readonly untilMs?: number }
  /** Complete; with a sidecar only if its content has this digest. */
  | { readonly kind: 'take'; readonly digest?: string }
  | { readonly kind: 'refuse'; readonly reason: 'hard-link' | 'digest-differs' };

/**
 * Adds a look. A scan takes time, so the quiet period is measured inwards: from the end of the scan that first saw this
 * state to the start of the one that judges it.
 */
export function observe(
  before: Observation | undefined,
  seen: { readonly fingerprint: Fingerprint; readonly links: number },
  time: ScanTime,
): Observation {
  const { fingerprint, links } = seen;
  if (before === undefined) {
    return { fingerprint, links, firstSeenMs: time.startedMs, unchangedSinceMs: time.endedMs, looks: 1 };
  }
  return isSameState(before.fingerprint, fingerprint)
    ? { ...before, links, looks: before.looks + 1 }
    : { fingerprint, links, firstSeenMs: before.firstSeenMs, unchangedSinceMs: time.endedMs, looks: 1 };
}

function isQuiet(observation: Observation, time: ScanTime, settleMs: number): boolean {
  return time.startedMs - observation.unchangedSinceMs >= settleMs;
}

/** For what is refused rather than taken: never at first sight, since a state may be that of a moment. */
export function isLasting(observation: Observation, time: ScanTime, settleMs: number): boolean {
  return observation.looks >= 2 && isQuiet(observation, time, settleMs);
}

/** Whether a regular file may be taken now. */
export function judge(file: Observation, evidence: Evidence, time: ScanTime, settings: SettleSettings): Verdict {
  const waiting: Verdict = { kind: 'wait', untilMs: file.unchangedSinceMs + settings.settleMs };
  if (file.links > 1) {
    // OpenSSH renames by link and unlink, so every upload has two names for a moment.
    return isLasting(file, time, settings.settleMs) ? { kind: 'refuse', reason: 'hard-link' } : waiting;
  }
  if (evidence.sidecar !== undefined) return judgeBySidecar(file, evidence.sidecar, time, settings);
  if (evidence.marker !== undefined && isAbout(evidence.marker, file.fingerprint)) return { kind: 'take' };
  return isQuiet(file, time, settings.settleMs) ? { kind: 'take' } : waiting;
}

/** A marker older than the file's last change was left over from an earlier file, or the file was overwritten since. */
function isAbout(marker: Fingerprint, file: Fingerprint): boolean {
  return marker.ctimeNs >= file.ctimeNs;
}

/** A sidecar says more than a marker or silence: with one, only the right content is complete. */
function judgeBySidecar(
  file: Observation,
  { observation, digest, differedFrom }: SidecarEvidence,
  time: ScanTime,
  { settleMs, sidecarPatienceMs }: SettleSettings,
): Verdict {
  const isTried = digest === undefined || (differedFrom !== undefined && isSameState(differedFrom, file.fingerprint));
  if (isTried) {
    const quietSinceMs = Math.max(file.unchangedSinceMs, observation.unchangedSinceMs);
    const isLost = time.startedMs - quietSinceMs >= Math.max(settleMs, sidecarPatienceMs);
    return isLost ? { kind: 'refuse', reason: 'digest-differs' } : { kind: 'wait' };
  }
  // Comparing means reading it all. A file that is growing is tried once, and then only when it paused between two scans.
  return differedFrom === undefined || file.looks >= 2
    ? { kind: 'take', digest }
    : { kind: 'wait', untilMs: file.unchangedSinceMs + settleMs };
}
