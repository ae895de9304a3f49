import { Worker } from 'node:worker_threads';
import { CopyInto } from '../db/copy.js';
import type { Database } from '../db/database.js';
import type { Lease } from '../db/lease.js';
import { stageTable } from '../db/queries.js';
import { insertErrors } from '../db/run-log.js';
import { UserSyncError } from '../lib/errors.js';
import type { OnProgress } from './context.js';
import { answer, recognise } from './lookups.js';
import type {
  StageAnswer,
  StageBatch,
  StageCredit,
  StageJob,
  StageMessage,
  StageQuestion,
  StageRecognised,
  StageRecognition,
  StageSummary,
} from './stage-messages.js';

/**
 * A batch passes through in small pieces; a heap that may not grow is collected before it does. Young objects have
 * room enough that a record is mostly gone before they are collected. Room for a record at its cap many times over.
 */
const WORKER_LIMITS = { maxYoungGenerationSizeMb: 32, maxOldGenerationSizeMb: 512 };

export interface StageRequest {
  readonly runId: number;
  readonly feedId: number;
  readonly lease: Lease;
  readonly job: StageJob;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/**
 * Streams the batch through reading and mapping into the run's staging table. Rows travel from a worker thread to
 * `COPY`; what is wrong with single records goes to the run's log. Nothing counts until the end of the input was reached
 * cleanly and Postgres has as many rows as were sent. The batch holds a connection until it is staged, and asks and logs by
 * another one.
 *
 * @throws the reason why the batch cannot be read to its end; the staging table is gone then.
 */
export function stageBatch(database: Database, request: StageRequest): Promise<StageSummary> {
  return database.inTurn(() => stageInTurn(database, request));
}

async function stageInTurn(database: Database, request: StageRequest): Promise<StageSummary> {
  const { lease } = request;
  request.signal.throwIfAborted();
  const stage = stageTable(request.runId);
  await lease.fenced(async (connection) => {
    await connection.rows('stage/end-late-staging', [stage]);
    await connection.run('stage/drop-stage', [], stage);
    await connection.run('stage/create-stage', [], stage);
  });
  return database.withConnection(async (connection) => {
    await connection.client.query('begin');
    const copy = new CopyInto(connection, database.queryText('stage/copy-stage', stage));
    const worker = new Worker(new URL('./stage-worker.js', import.meta.url), {
      workerData: request.job,
      resourceLimits: WORKER_LIMITS,
    });
    try {
      const summary = await receive(worker, request, {
        onBatch: async (batch) => {
          const { errors } = batch;
          if (errors.length > 0) await lease.fenced((writer) => insertErrors(writer, request.runId, errors));
          await copy.write(batch.rows);
        },
        onQuestion: async (question) =>
          question.type === 'question'
            ? answer(database, request.feedId, question)
            : { type: 'recognised', ...(await recognise(database, request.feedId, question)) },
      });
      const stored = await copy.end();
      if (stored !== summary.rows) {
        throw new UserSyncError(
          'rows-lost',
          `Postgres stored ${stored} of ${summary.rows} rows of the batch. Nothing was changed. Please report this.`,
        );
      }
      // Not before, as that would keep the next owner waiting for the whole COPY of one that is frozen.
      await lease.assertHeld(connection);
      await connection.client.query('commit');
      return summary;
    } catch (error) {
      copy.destroy(error instanceof Error ? error : new Error(String(error)));
      await connection.client.query('rollback').catch(() => undefined);
      throw error;
    } finally {
      await worker.terminate();
    }
  });
}

interface Handlers {
  readonly onBatch: (batch: StageBatch) => Promise<void>;
  readonly onQuestion: (question: StageQuestion | StageRecognition) => Promise<StageAnswer | StageRecognised>;
}

/** Deals with the worker's messages one after the other, until it is done or has failed. */
async function receive(
  worker: Worker,
  request: StageRequest,
  { onBatch, onQuestion }: Handlers,
): Promise<StageSummary> {
  const totalBytes = request.job.files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const credit: StageCredit = { type: 'credit' };
  let onAbort = (): void => undefined;
  const received = new Promise<StageSummary>((resolve, reject) => {
    onAbort = (): void => {
      reject(request.signal.reason as Error);
    };
    let handled = Promise.resolve();
    // Questions do not wait for the rows sent before them.
    let answered = Promise.resolve();
    const handle = async (message: Exclude<StageMessage, StageQuestion | StageRecognition>): Promise<void> => {
      if (message.type === 'done') {
        resolve(message);
      } else if (message.type === 'failed') {
        reject(new UserSyncError(message.code, message.message));
      } else {
        await onBatch(message);
        const { bytesRead, records } = message;
        request.onProgress({ phase: 'stage', done: bytesRead, total: totalBytes, unit: 'bytes', records });
        worker.postMessage(credit);
      }
    };
    worker.on('message', (message: StageMessage) => {
      if (message.type === 'question' || message.type === 'recognise') {
        answered = answered.then(async () => {
          worker.postMessage(await onQuestion(message));
        });
        answered.catch(reject);
        return;
      }
      handled = handled.then(() => handle(message));
      handled.catch(reject);
    });
    worker.on('error', reject);
    worker.on('exit', () => {
      // Messages may still be under way through `handle`; what they settle wins.
      const end = (): void => {
        reject(new UserSyncError('internal', 'The thread that reads the batch ended early.'));
      };
      void handled.then(end, end);
    });
    if (request.signal.aborted) onAbort();
    else request.signal.addEventListener('abort', onAbort, { once: true });
  });
  // A daemon's signal outlives many runs.
  return received.finally(() => request.signal.removeEventListener('abort', onAbort));
}
