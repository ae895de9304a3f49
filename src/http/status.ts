import type { FastifyInstance } from 'fastify';
import type { FeedHealth } from '../daemon/feed-health.js';
import { UNLIMITED, type HttpContext } from './context.js';
import { Remembered } from './remembered.js';

/** What `/status` says of a feed. */
interface FeedStatus {
  readonly lastRun: {
    readonly run: number;
    readonly status: string;
    readonly outcome: string | null;
    readonly at: string;
  } | null;
  readonly lastSuccessAt: string | null;
  readonly heldRuns: number;
  readonly pendingFiles: number;
  readonly nextExpectedAt: string | null;
  readonly overdue: boolean;
}

/** For monitoring that reads JSON: small, open, and without data of people. */
export function registerStatus(server: FastifyInstance, context: HttpContext): void {
  const { daemon, startedAt, now, version } = context;
  const health = new Remembered(() => daemon.health(), 1000);

  server.get('/status', UNLIMITED, async (_request, reply) => {
    const feeds = await health.get();
    return reply.header('cache-control', 'no-store').send({
      version,
      uptimeSeconds: Math.round((now().getTime() - startedAt.getTime()) / 1000),
      feeds: Object.fromEntries(feeds.map((feed) => [feed.feed, statusOf(feed)])),
    });
  });
}

function statusOf({ last, lastSuccessAt, held, pendingFiles, nextExpectedAt, isOverdue }: FeedHealth): FeedStatus {
  return {
    lastRun:
      last === null
        ? null
        : {
            run: last.id,
            status: last.status,
            outcome: last.outcome,
            at: (last.finishedAt ?? last.createdAt).toISOString(),
          },
    lastSuccessAt: lastSuccessAt?.toISOString() ?? null,
    heldRuns: held.length,
    pendingFiles,
    nextExpectedAt: nextExpectedAt?.toISOString() ?? null,
    overdue: isOverdue,
  };
}
