import { readFile } from 'node:fs/promises';
import type { Lease } from '../db/lease.js';
import { logRun } from '../db/run-log.js';
import type { Answer, DropHandler, DroppedFile, IntakeWarning, StartSignal } from '../intake/drop-handler.js';
import type { QuarantineRecord } from '../intake/quarantine-record.js';
import { describeProblem, InvalidFileError, UserSyncError } from '../lib/errors.js';
import {
  collectFile,
  listedFiles,
  replaceControl,
  startBatch,
  type Collected,
  type StartRule,
} from '../sync/collect.js';
import type { SyncContext } from '../sync/context.js';
import { MAX_CONTROL_BYTES } from '../sync/control.js';

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
    const { name, digest, sizeBytes, originalFilename } = file;
    await this.#assertOnDuty();
    const listed = await listedFiles(context, feed);
    if (listed === undefined) {
      await this.#tellOnce(`The file ${originalFilename} waits: the feed has no control file yet`);
      return { kind: 'later' };
    }
    if (!listed.includes(name)) return { kind: 'unknown-name', expectedNames: listed };
    const collected = await collectFile(context, {
      feed,
      file: { name, digest, sizeBytes, originalFilename, source: SOURCE },
      start: await startRule(),
      mayReplace: true,
    });
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
    const { originalFilename, digest } = file;
    const text = await readFile(context.store.pathOf(digest), 'utf8');
    const what = `The control file ${originalFilename}`;
    try {
      const completed = await replaceControl(context, { feed, text, what, source: SOURCE, start: await startRule() });
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

  /** A file that waits is asked about with every scan. */
  async #tellOnce(message: string): Promise<void> {
    if (this.#told.has(message)) return;
    this.#told.add(message);
    await this.#log('warn', message);
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
