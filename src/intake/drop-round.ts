import type { AnchoredFolder } from './anchored-folder.js';
import { batchNameOf, type BatchName } from './batch-names.js';
import { Bystanders } from './bystanders.js';
import { Disposal, type Outcome } from './disposal.js';
import type { Answer } from './drop-handler.js';
import { isPlain } from './entry-name.js';
import { codeOf, explain } from './file-system-error.js';
import type { StoredFile } from './file-store.js';
import { BAD_NAME, SUSPECT, tooLarge, unknownName } from './refusals.js';
import type { RoundContext } from './round-context.js';
import type { DropEntry, Scan } from './scan.js';
import { judge, type Evidence, type ScanTime, type SidecarEvidence, type Verdict } from './settle.js';
import { digestOfSidecar } from './sidecar.js';
import { takeFile } from './take.js';

export interface RoundResult {
  /** When each of the files was first seen that are, or may be, for us and are still there. */
  readonly pendingSinceMs: readonly number[];
  /** When the first of them will have been quiet for long enough. */
  readonly dueMs: number | undefined;
}

/** A handler that fails this often in a row fails for all. */
const MAX_FAILURES = 10;

/** Does with the entries of one scan what is to be done with them. */
export class DropRound {
  readonly #folder: AnchoredFolder;
  readonly #scan: Scan;
  readonly #time: ScanTime;
  readonly #context: RoundContext;
  readonly #disposal: Disposal;
  readonly #bystanders: Bystanders;
  readonly #pending: DropEntry[] = [];
  #dueMs: number | undefined;
  #failures = 0;

  constructor(folder: AnchoredFolder, scan: Scan, time: ScanTime, context: RoundContext) {
    this.#folder = folder;
    this.#scan = scan;
    this.#time = time;
    this.#context = context;
    this.#disposal = new Disposal(folder, scan, time, context);
    this.#bystanders = new Bystanders(folder, scan, time, context, this.#disposal);
  }

  /**
   * Control files first, since they say which names are known; the start signal last, since it speaks of what came before
   * it. The others in the order of their last change, so that of two versions the newer is told later.
   */
  async run(): Promise<RoundResult> {
    this.#wakeUpAt(await this.#bystanders.visit());
    const named = this.#scan.files.map((entry) => ({ entry, batch: batchNameOf(entry.name.text ?? '') }));
    const ofKind = (...kinds: BatchName['kind'][]): typeof named =>
      named.filter(({ batch }) => kinds.includes(batch.kind));
    const waiting: DropEntry[] = [];
    const visit = async ({ entry, batch }: (typeof named)[number]): Promise<Outcome> => {
      const outcome = await this.#visit(entry, batch);
      if (outcome !== 'done') this.#pending.push(entry);
      if (outcome === 'settling' || outcome === 'later') waiting.push(entry);
      return outcome;
    };
    for (const one of ofKind('control')) await visit(one);
    const isControlComing = waiting.length > 0;
    for (const one of ofKind('file', 'unusable')) {
      if (isControlComing && !this.#isRecorded(one.entry)) {
        this.#pending.push(one.entry);
        waiting.push(one.entry);
      } else await visit(one);
    }
    for (const one of ofKind('start')) {
      if (this.#mayStart(one.entry, waiting)) await visit(one);
      else this.#pending.push(one.entry);
    }
    const { memory } = this.#context;
    return {
      pendingSinceMs: this.#pending.map((entry) => memory.observationOf(entry).firstSeenMs),
      dueMs: this.#dueMs,
    };
  }

  #isRecorded(entry: DropEntry): boolean {
    return this.#context.memory.findingOf(entry).isRecorded === true;
  }

  /**
   * Whether everything that was there when the signal came has been dealt with. Listing a directory is no snapshot: only
   * the look after the one that found the signal is sure to find what was there before it.
   */
  #mayStart(signal: DropEntry, waiting: readonly DropEntry[]): boolean {
    const { memory } = this.#context;
    const { firstSeenMs, looks } = memory.observationOf(signal);
    if (looks < 2) {
      this.#wakeUpAt(this.#time.endedMs);
      return false;
    }
    return !waiting.some((entry) => memory.observationOf(entry).firstSeenMs <= firstSeenMs);
  }

  async #visit(entry: DropEntry, batch: BatchName): Promise<Outcome> {
    const { memory, signal } = this.#context;
    if (signal.aborted || this.#failures >= MAX_FAILURES) return 'later';
    this.#context.onProgress();
    if (this.#isRecorded(entry)) return this.#disposal.remove(entry);
    try {
      const verdict = judge(
        memory.observationOf(entry),
        await this.#evidenceFor(entry),
        this.#time,
        this.#context.settings,
      );
      return await this.#follow(verdict, entry, batch);
    } catch (error) {
      if (signal.aborted) return 'later';
      return await this.#disposal.reportFailure(error);
    }
  }

  async #follow(verdict: Verdict, entry: DropEntry, batch: BatchName): Promise<Outcome> {
    if (verdict.kind === 'wait') {
      this.#wakeUpAt(verdict.untilMs);
      return 'settling';
    }
    if (!isPlain(entry.name) || batch.kind === 'unusable') return this.#disposal.setAside(entry, BAD_NAME);
    if (verdict.kind === 'refuse') return this.#disposal.setAside(entry, SUSPECT[verdict.reason]);
    if (batch.kind === 'start') return this.#start(entry);
    const stored = await this.#copy(entry, verdict.digest);
    return typeof stored === 'string' ? stored : this.#handOver(entry, batch, stored);
  }

  async #evidenceFor(entry: DropEntry): Promise<Evidence> {
    const marker = this.#scan.markers.get(entry.name.key);
    const sidecar = this.#scan.sidecars.get(entry.name.key);
    return {
      ...(marker === undefined ? {} : { marker: marker.fingerprint }),
      ...(sidecar === undefined ? {} : { sidecar: await this.#evidenceOf(sidecar) }),
    };
  }

  async #evidenceOf(sidecar: DropEntry): Promise<SidecarEvidence> {
    const { memory } = this.#context;
    return {
      observation: memory.observationOf(sidecar),
      digest: await digestOfSidecar(this.#folder, sidecar, memory),
      differedFrom: memory.findingOf(sidecar).differedFrom,
    };
  }

  async #copy(entry: DropEntry, digest: string | undefined): Promise<StoredFile | Outcome> {
    const { store, settings, signal, onProgress, memory } = this.#context;
    const finding = memory.findingOf(entry);
    if (finding.stored !== undefined && (await store.has(finding.stored.digest))) return finding.stored;
    const { maxBytes } = settings;
    const result = await takeFile(this.#folder, entry, store, { maxBytes, digest, signal, onProgress });
    switch (result.kind) {
      case 'stored':
        finding.stored = result.stored;
        return result.stored;
      case 'changed':
        return 'settling';
      case 'digest-differs': {
        const sidecar = this.#scan.sidecars.get(entry.name.key);
        if (sidecar !== undefined) memory.findingOf(sidecar).differedFrom = entry.fingerprint;
        return 'settling';
      }
      case 'too-large':
        return this.#disposal.setAside(entry, tooLarge(maxBytes));
      case 'unreadable':
        return this.#reportUnreadable(entry, result.code);
    }
  }

  /** The handler has it on record before the original goes; in between a crash only means that it is told again. */
  async #handOver(entry: DropEntry, batch: BatchName, stored: StoredFile): Promise<Outcome> {
    const { handler, memory, reports } = this.#context;
    const isControl = batch.kind === 'control';
    const file = {
      name: batch.kind === 'file' ? batch.name : '_control',
      originalFilename: entry.name.shown,
      ...stored,
      original: entry.original,
      receivedAt: this.#context.now(),
    };
    const outcome = await this.#ask(entry, () => (isControl ? handler.onControl(file) : handler.onFile(file)));
    if (outcome !== 'taken') return outcome;
    memory.noteTaken(entry, stored.digest);
    reports.taken(entry.name.shown, { file: stored.digest, name: file.name, sizeBytes: stored.sizeBytes });
    return this.#disposal.remove(entry);
  }

  async #start(entry: DropEntry): Promise<Outcome> {
    const { handler, now } = this.#context;
    const outcome = await this.#ask(entry, () =>
      handler.onStart({ originalFilename: entry.name.shown, receivedAt: now() }),
    );
    return outcome === 'taken' ? this.#disposal.remove(entry) : outcome;
  }

  async #ask(entry: DropEntry, question: () => Promise<Answer>): Promise<Outcome | 'taken'> {
    const { memory, reports } = this.#context;
    let answer: Answer;
    try {
      answer = await question();
    } catch (error) {
      this.#failures += 1;
      const message = `Recording dropped files fails (${codeOf(error) ?? 'see the log'}); they stay where they are and are tried again.`;
      await reports.warn('handler', { code: 'handler-failed', message }, error);
      return 'later';
    }
    this.#failures = 0;
    switch (answer.kind) {
      case 'taken':
        memory.findingOf(entry).isRecorded = true;
        return 'taken';
      case 'later':
        return 'later';
      case 'unknown-name':
        return this.#disposal.setAside(entry, unknownName(answer.expectedNames));
      case 'refused':
        return this.#disposal.setAside(entry, { reason: 'refused', detail: answer.detail });
    }
  }

  async #reportUnreadable(entry: DropEntry, code: string | undefined): Promise<Outcome> {
    const { key, shown } = entry.name;
    const message = `"${shown}" cannot be read: ${explain(code)}. It is tried again with every scan.`;
    const warning = { code: 'file-unreadable', message, originalFilename: shown } as const;
    await this.#context.reports.warn(`file ${key}`, warning);
    return 'stuck';
  }

  #wakeUpAt(dueMs: number | undefined): void {
    if (dueMs !== undefined) this.#dueMs = Math.min(this.#dueMs ?? Infinity, dueMs);
  }
}
