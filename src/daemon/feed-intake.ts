import { readFile } from 'node:fs/promises';
import type { Lease } from '../db/lease.js';
import { logRun } from '../db/run-log.js';
import type { Answer, DropHandler, DroppedFile, IntakeWarning, StartSignal } from '../intake/drop-handler.js';
import type { QuarantineRecord } from '../intake/quarantine-record.js';
import { describeProblem, InvalidFileError, UserSyncError } from '../lib/errors.js';
import { collectDropped, replaceControl, startBatch, type Collected, type StartRule } from '../sync/collect.js';
import type { SyncContext } from '../sync/context.js';
import { MAX_CONTROL_BYTES } from '../sync/control.js';
import { expectedFiles } from '../sync/expected-files.js';

export interface FeedIntakeOptions {
  readonly context: SyncContext;
  readonly feed: string;
  readonly startRule: () => Promise<StartRule>;
  /** The right to take files in; what is recorded after it was lost is refused. */
  readonly duty: Lease;
  /** A batch may be there to be taken up. */
  readonly onQueued: () => void;
}

/** Who is noted as the sender of dropped files. */
const SOURCE = 'drop directory';

/** What becomes of the files of one feed's drop directory: parts of a batch, a new control file, a signal to start. */
export class FeedIntake implements DropHandler {
  readonly #options: FeedIntakeOptions;
  readonly #told = new Set<string>();

  constructor(options: FeedIntakeOptions) {
    this.#options = options;
  }

  async onFile(file: DroppedFile): Promise<Answer> {
    const { context, feed, startRule, onQueued } = this.#options;
    const { name, digest, sizeBytes, originalFilename, original } = file;
    await this.#assertOnDuty();
    const expected = await expectedFiles(context, feed);
    if (expected.kind === 'no-control') {
      await this.#tellOnce('warn', `The file ${originalFilename} waits: the feed has no control file yet`);
      return { kind: 'later' };
    }
    if (expected.kind === 'unusable') return this.#waitForControl(originalFilename, expected.error);
    if (!expected.names.includes(name)) return { kind: 'unknown-name', expectedNames: expected.names };
    const request = {
      feed,
      file: { name, digest, sizeBytes, originalFilename, source: SOURCE },
      start: await startRule(),
      mayReplace: true,
    };
    const collected = await collectDropped(context, request, original);
    if (collected === undefined) return this.#takenBefore(originalFilename);
    await this.#tell(file, collected);
    if (collected.queued) onQueued();
    return { kind: 'taken' };
  }

  async onControl(file: DroppedFile): Promise<Answer> {
    const { context, feed, startRule, onQueued } = this.#options;
    await this.#assertOnDuty();
    if (file.sizeBytes > MAX_CONTROL_BYTES) {
      return { kind: 'refused', detail: `A control file has at most ${MAX_CONTROL_BYTES} bytes.` };
    }
    const { originalFilename, name, digest, original } = file;
    const text = await readFile(context.store.pathOf(digest), 'utf8');
    const what = `The control file ${originalFilename}`;
    try {
      const dropped = { name, digest, original };
      const start = await startRule();
      const { isNew, completed } = await replaceControl(context, { feed, text, what, source: SOURCE, start, dropped });
      if (!isNew) return await this.#takenBefore(originalFilename);
      await this.#log('info', `${what} is in force now`);
      if (completed !== undefined) {
        const waits = completed.queued ? 'complete' : 'complete, and waits for the start';
        await this.#log('info', `By ${originalFilename} the batch of run ${completed.run} is ${waits}`, completed.run);
      }
      if (completed?.queued === true) onQueued();
      return { kind: 'taken' };
    } catch (error) {
      if (!(error instanceof InvalidFileError)) throw error;
      return { kind: 'refused', detail: error.problems.map(describeProblem).join('\n') };
    }
  }

  async onStart({ originalFilename }: StartSignal): Promise<Answer> {
    const { context, feed, onQueued } = this.#options;
    await this.#assertOnDuty();
    const expected = await expectedFiles(context, feed);
    if (expected.kind === 'unusable') return this.#waitForControl(originalFilename, expected.error);
    const started = await startBatch(context, feed, SOURCE).catch((error: unknown) => {
      if (error instanceof UserSyncError && error.code === 'control-missing') return { missing: [] };
      throw error;
    });
    if ('run' in started) {
      await this.#log('info', `Run ${started.run} is started by ${originalFilename}`, started.run);
      onQueued();
      return { kind: 'taken' };
    }
    const missing = started.missing.join(', ');
    return { kind: 'refused', detail: `There is no batch to start: ${missing || 'a control file'} is missing.` };
  }

  async onQuarantined(record: QuarantineRecord): Promise<void> {
    const { id, reason, detail, originalFilename } = record;
    await this.#log('error', `The file ${originalFilename} was set aside: ${detail}`, undefined, {
      quarantine: id,
      reason,
    });
  }

  async onWarning({ code, message }: IntakeWarning): Promise<void> {
    await this.#log('warn', message, undefined, { code });
  }

  async #assertOnDuty(): Promise<void> {
    const { context, duty } = this.#options;
    await context.database.transaction((connection) => duty.assertHeld(connection));
  }

  async #tell({ originalFilename, digest }: DroppedFile, collected: Collected): Promise<void> {
    const { run, missing, queued, replaced } = collected;
    const { database } = this.#options.context;
    const waits =
      missing.length > 0 ? `still missing: ${missing.join(', ')}` : queued ? 'complete' : 'waits for the start';
    const message = `Received ${originalFilename}; the batch of run ${run} is ${replaced ? 'changed, ' : ''}${waits}.`;
    await logRun(database, run, 'info', message);
    await this.#log('info', message, run, { file: digest });
  }

  /** What was told and not removed: by a process that was killed, or as it may not be. */
  async #takenBefore(originalFilename: string): Promise<Answer> {
    await this.#log('info', `The file ${originalFilename} was taken before, and not removed: it is not taken again`);
    return { kind: 'taken' };
  }

  /** Taken now, a batch could only fail; in the drop directory it waits for the control file that can read it. */
  async #waitForControl(originalFilename: string, { message }: InvalidFileError): Promise<Answer> {
    await this.#tellOnce('error', `The file ${originalFilename} waits for another control file. ${message}`);
    return { kind: 'later' };
  }

  /** A file that waits is asked about with every scan. */
  async #tellOnce(level: 'warn' | 'error', message: string): Promise<void> {
    if (this.#told.has(message)) return;
    this.#told.add(message);
    await this.#log(level, message);
  }

  /** One event for those who watch the process. */
  async #log(
    level: 'info' | 'warn' | 'error',
    message: string,
    run?: number,
    fields: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    const { context, feed } = this.#options;
    context.logger[level](message, { feed, stage: 'intake', ...(run === undefined ? {} : { run }), ...fields });
    return Promise.resolve();
  }
}
