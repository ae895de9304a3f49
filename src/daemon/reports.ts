import { randomUUID } from 'node:crypto';
import type { App } from '../app.js';
import { findRun } from '../db/runs.js';
import { noticeOfRun, type RunNotice } from '../domain/run-notice.js';
import type { Logger } from '../lib/logger.js';
import type { ReportTargets } from '../notify/channels.js';
import { Notifier } from '../notify/notifier.js';
import { reportRun } from '../sync/run-report.js';

/** Tells people and services what becomes of runs, whoever executes them: the daemon, or a command in the foreground. */
export class Reports {
  readonly #app: App;
  readonly #logger: Logger;
  readonly #notifier: Notifier;

  /** @param logger where it is said what could not be delivered */
  constructor(app: App, logger: Logger = app.logger) {
    this.#app = app;
    this.#logger = logger;
    const { smtpUrl, from } = app.config.mail;
    this.#notifier = new Notifier({
      logger,
      now: () => new Date(),
      ...(smtpUrl === undefined || from === undefined ? {} : { mailServer: { smtpUrl, from } }),
    });
  }

  /** Tells how a run ended, or that it is held, once that is in the database. Never fails: the run is over. */
  async tellEnd(runId: number): Promise<void> {
    const { database, config } = this.#app;
    try {
      const run = await findRun(database, runId);
      if (run === undefined) return;
      const { publicUrl } = config.http;
      const url = publicUrl === undefined ? null : new URL(`runs/${run.id}`, `${publicUrl.replace(/\/$/, '')}/`).href;
      const notice = noticeOfRun(await reportRun(database, run), { id: randomUUID(), at: new Date(), url });
      if (notice !== undefined) this.tell(notice, (await this.#app.feed(run.feed)).report);
    } catch (error) {
      this.#logger.warn('Nobody could be told how the run ended', { run: runId, error });
    }
  }

  tell(notice: RunNotice, targets: ReportTargets): void {
    this.#notifier.notify(notice, targets);
  }

  /** Waits until everything is delivered, for `timeoutMs` at most or until the signal, and gives up what is left. */
  close(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    return this.#notifier.close(timeoutMs, signal);
  }
}
