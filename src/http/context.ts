import type { App } from '../app.js';
import type { Daemon } from '../daemon/daemon.js';

/** For routes whose answers are ready: monitoring is not to be refused because others ask a lot. */
export const UNLIMITED = { config: { rateLimit: false } } as const;

/** What every route works with. */
export interface HttpContext {
  readonly app: App;
  readonly daemon: Daemon;
  readonly now: () => Date;
  readonly version: string;
  /** Aborted when the program is told to end: live streams end, and /readyz says so. */
  readonly draining: AbortSignal;
  /** How long sending a form or JSON may take. */
  readonly bodyMs: number;
  /** When the process began, in milliseconds of the wall clock. */
  readonly startedAt: Date;
}
