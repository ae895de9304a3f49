import type { Database } from '../db/database.js';
import { noteProgress } from '../db/runs.js';
import type { OnProgress } from './context.js';

const INTERVAL_MS = 1000;

/** Notes a run's progress in the database once a second, for pages and monitoring of any process. A failure is no harm. */
export function progressKeeper(database: Database, runId: number): OnProgress {
  let isWriting = false;
  let lastMs = 0;
  return (progress) => {
    if (isWriting || performance.now() - lastMs < INTERVAL_MS) return;
    isWriting = true;
    lastMs = performance.now();
    void noteProgress(database, runId, progress)
      .catch(() => undefined)
      .finally(() => (isWriting = false));
  };
}
