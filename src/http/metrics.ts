import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { isSameSecret } from '../access/secrets.js';
import { countUsers } from '../db/feed-health.js';
import { runTotals, runTimings } from '../db/run-totals.js';
import { unauthorized } from './errors.js';
import type { HttpContext } from './context.js';
import { Remembered } from './remembered.js';

/** Prometheus asks every 15 to 60 seconds; counting all users is not worth more than once a minute. */
const KEEP_MS = 5000;
const KEEP_USERS_MS = 60_000;

/**
 * `/metrics`. What outlives a process is read from the database with each scrape, so it is the same after a restart and
 * whichever of several daemons is asked. While the database is away, the last values stand.
 */
export function registerMetrics(server: FastifyInstance, context: HttpContext): void {
  const { app } = context;
  const { metricsToken } = app.config.http;
  const metrics = new Metrics(context);
  const scrape = new Remembered(() => metrics.update(), KEEP_MS);

  server.get('/metrics', async (request, reply) => {
    const given = /^bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (metricsToken !== undefined && (given === undefined || !isSameSecret(given, metricsToken))) throw unauthorized();
    await scrape.get().catch((error: unknown) => app.logger.warn('Metrics could not be brought up to date', { error }));
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
}

class Metrics {
  readonly registry = new Registry();
  readonly #context: HttpContext;
  readonly #users: Remembered<Awaited<ReturnType<typeof countUsers>>>;
  readonly #lastSuccess = this.#gauge('feed_last_success_timestamp_seconds', 'When a batch was last taken in whole.', [
    'feed',
  ]);
  readonly #lastReceived = this.#gauge('feed_last_file_received_timestamp_seconds', 'When a file last came.', ['feed']);
  readonly #runs = this.#counter('runs_total', 'Runs that ended, by how.', ['feed', 'outcome']);
  readonly #usersChanged = this.#counter('users_total', 'Users changed, by what was done.', ['feed', 'action']);
  readonly #rejected = this.#counter('records_rejected_total', 'Records rejected, by the code of what rejects each.', [
    'feed',
    'reason',
  ]);
  readonly #inProgress = this.#gauge('run_in_progress', '1 while a run is planned or applied.', ['feed']);
  readonly #records = this.#gauge('run_records', 'What the run under way has done in its phase.', ['feed', 'stage']);
  readonly #pending = this.#gauge('files_pending', 'Files in the drop directory that are not taken yet.', ['feed']);
  readonly #oldest = this.#gauge('oldest_pending_file_age_seconds', 'How long the oldest of them waits.', ['feed']);
  readonly #quarantined = this.#gauge('files_quarantined', 'Files that were set aside.', []);
  readonly #held = this.#gauge('runs_held', 'Runs that wait for a decision.', ['feed']);
  readonly #guards = this.#gauge('guard_breached', '1 for each guard that holds a run now.', ['feed', 'guard']);
  readonly #directory = this.#gauge('directory_users', 'Users of a feed.', ['feed', 'state']);
  readonly #stages = new Histogram({
    name: 'usersync_stage_duration_seconds',
    help: 'Time of a run in each phase.',
    labelNames: ['feed', 'stage'],
    buckets: [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600],
    registers: [this.registry],
  });

  constructor(context: HttpContext) {
    this.#context = context;
    this.#users = new Remembered(() => countUsers(context.app.database), KEEP_USERS_MS);
    collectDefaultMetrics({ register: this.registry });
    this.#gauge('build_info', 'The version that runs.', ['version']).set({ version: context.version }, 1);
  }

  async update(): Promise<void> {
    const { app, daemon } = this.#context;
    const [feeds, totals, timings, users, quarantined] = await Promise.all([
      daemon.health(),
      runTotals(app.database),
      runTimings(app.database),
      this.#users.get(),
      daemon.quarantine.list(),
    ]);
    for (const metric of [this.#runs, this.#usersChanged, this.#rejected, this.#records, this.#guards, this.#stages])
      metric.reset();
    this.#quarantined.set(quarantined.length);
    for (const { feed, outcome, runs, added, updated, blocked, unblocked } of totals.runs) {
      this.#runs.inc({ feed, outcome }, runs);
      for (const [action, count] of Object.entries({
        add: added,
        update: updated,
        block: blocked,
        unblock: unblocked,
      })) {
        this.#usersChanged.inc({ feed, action }, count);
      }
    }
    for (const { feed, reason, records } of totals.rejected) this.#rejected.inc({ feed, reason }, records);
    for (const { feed, stage, seconds } of timings) this.#stages.observe({ feed, stage }, seconds);
    for (const { feed, inFeed, blocked } of users) {
      this.#directory.set({ feed, state: 'in_feed' }, inFeed);
      this.#directory.set({ feed, state: 'blocked' }, blocked);
    }
    for (const { feed, lastSuccessAt, lastReceivedAt, active, held, pendingFiles, oldestPendingMs } of feeds) {
      if (lastSuccessAt !== null) this.#lastSuccess.set({ feed }, lastSuccessAt.getTime() / 1000);
      if (lastReceivedAt !== null) this.#lastReceived.set({ feed }, lastReceivedAt.getTime() / 1000);
      this.#inProgress.set({ feed }, active === null ? 0 : 1);
      if (active?.progress != null)
        this.#records.set({ feed, stage: active.progress.phase }, active.progress.records ?? active.progress.done);
      this.#pending.set({ feed }, pendingFiles);
      this.#oldest.set({ feed }, oldestPendingMs / 1000);
      this.#held.set({ feed }, held.length);
      for (const { guard } of held.flatMap(({ guards }) => guards.filter(({ breached }) => breached)))
        this.#guards.set({ feed, guard }, 1);
    }
  }

  #gauge<L extends string>(name: string, help: string, labelNames: L[]): Gauge<L> {
    return new Gauge({ name: `usersync_${name}`, help, labelNames, registers: [this.registry] });
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name: `usersync_${name}`, help, labelNames, registers: [this.registry] });
  }
}
