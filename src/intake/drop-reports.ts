import type { Logger } from '../lib/logger.js';
import type { DropHandler, IntakeWarning } from './drop-handler.js';
import type { QuarantineRecord } from './quarantine-record.js';
import { StandingProblems } from './standing-problems.js';

/** Tells log and handler what happens in a drop directory. A handler that fails to hear it never stops the intake. */
export class DropReports {
  readonly #handler: DropHandler;
  readonly #logger: Logger;
  readonly #problems = new StandingProblems();
  readonly #toldForGood = new Set<string>();

  constructor(handler: DropHandler, logger: Logger) {
    this.#handler = handler;
    this.#logger = logger;
  }

  /** Told once until `message` changes, or it was over in between. */
  async warn(subject: string, warning: IntakeWarning, error?: unknown): Promise<void> {
    if (!this.#problems.note(subject, `${warning.code} ${warning.message}`)) return;
    await this.#tell(warning, error);
  }

  /** Told once in the life of the process: for what no scan finds again. */
  async warnOnce(warning: IntakeWarning, error: unknown): Promise<void> {
    if (this.#toldForGood.has(warning.message)) return;
    this.#toldForGood.add(warning.message);
    await this.#tell(warning, error);
  }

  async quarantined(record: QuarantineRecord): Promise<void> {
    const { id, reason, originalFilename, sizeBytes } = record;
    this.#logger.warn(`Set "${originalFilename}" aside: ${record.detail}`, { quarantine: id, reason, sizeBytes });
    await this.#guard(() => this.#handler.onQuarantined(record));
  }

  taken(originalFilename: string, fields: Readonly<Record<string, unknown>>): void {
    this.#logger.info(`Took "${originalFilename}" from the drop directory`, fields);
  }

  /** After a look at everything: warnings that were not repeated are over. */
  endRound(): void {
    this.#problems.forgetOthers();
  }

  async #tell(warning: IntakeWarning, error?: unknown): Promise<void> {
    this.#logger.warn(warning.message, { code: warning.code, ...(error === undefined ? {} : { error }) });
    await this.#guard(() => this.#handler.onWarning(warning));
  }

  async #guard(tell: () => Promise<void>): Promise<void> {
    try {
      await tell();
    } catch (error) {
      this.#logger.error('Passing on what happened in a drop directory failed', { error });
    }
  }
}
