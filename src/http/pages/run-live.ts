import type { FastifyInstance } from 'fastify';
import { PassThrough, type Readable } from 'node:stream';
import { findRun, missingFiles } from '../../db/runs.js';
import { isEnd } from '../../domain/run.js';
import type { HttpContext } from '../context.js';
import { liveContent, mustBeRun, runIdOf, stateOf } from './run-parts.js';
import { NO_PAGE } from './return-path.js';
import { requireSession } from './session.js';
import { queryOf } from './request.js';

const POLL_MS = 1000;
const KEEP_ALIVE_MS = 15_000;
/** After this time the browser comes again, so that who has been signed out or lost a role does not go on watching. */
const LONGEST_MS = 5 * 60_000;

/**
 * `/runs/ID/live`: server-sent events. `part` is new HTML for the element that follows the run, `reload` says that the rest
 * of the page has changed too.
 */
export function registerRunLive(pages: FastifyInstance, context: HttpContext): void {
  const { app, draining } = context;
  const watches = new Map<number, RunWatch>();
  draining.addEventListener('abort', () => {
    for (const watch of watches.values()) watch.end();
  });
  const look = async (id: number): Promise<Look | undefined> => {
    const run = await findRun(app.database, id);
    return run === undefined
      ? undefined
      : { state: stateOf(run), content: liveContent(run, await missingFiles(app.database, run)).toString() };
  };

  pages.get('/runs/:id/live', NO_PAGE, async (request, reply) => {
    requireSession(request, 'view-runs');
    const id = runIdOf(request);
    const run = mustBeRun(await findRun(app.database, id), id);
    const state = queryOf(request, 'state') ?? stateOf(run);
    // To a browser, 204 means not to ask again.
    if (isEnd(run.status) && state === stateOf(run)) return reply.code(204).send();
    const watch =
      watches.get(id) ??
      new RunWatch(
        () => look(id),
        () => watches.delete(id),
      );
    watches.set(id, watch);
    const stream = watch.open(state);
    if (draining.aborted) watch.end();
    return reply
      .type('text/event-stream; charset=utf-8')
      .header('cache-control', 'no-store')
      .header('x-accel-buffering', 'no')
      .send(stream);
  });
}

interface Look {
  readonly state: string;
  readonly content: string;
}

/** One run, looked at once a second for all who watch it, as long as somebody does. */
class RunWatch {
  readonly #look: () => Promise<Look | undefined>;
  readonly #onUnwatched: () => void;
  readonly #streams = new Set<EventStream>();
  #timer: NodeJS.Timeout | undefined;
  #last: Look | undefined;
  #isLooking = false;

  constructor(look: () => Promise<Look | undefined>, onUnwatched: () => void) {
    this.#look = look;
    this.#onUnwatched = onUnwatched;
  }

  /** @param state of the run when the page was made */
  open(state: string): Readable {
    const stream = new EventStream(state, () => this.#close(stream));
    this.#streams.add(stream);
    this.#timer ??= setInterval(() => void this.#runOnce(), POLL_MS);
    if (this.#last === undefined) void this.#runOnce();
    else stream.show(this.#last);
    return stream.body;
  }

  end(): void {
    for (const stream of this.#streams) stream.end();
  }

  /** While the database is away there is nothing to tell; the next look may find it. */
  async #runOnce(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const found = await this.#look().catch(() => undefined);
    this.#isLooking = false;
    if (found === undefined) return;
    this.#last = found;
    for (const stream of this.#streams) stream.show(found);
  }

  #close(stream: EventStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#onUnwatched();
  }
}

/** The events for one page. */
class EventStream {
  readonly body = new PassThrough();
  readonly #state: string;
  readonly #timers: readonly NodeJS.Timeout[];
  #shown: string | undefined;

  constructor(state: string, onClose: () => void) {
    this.#state = state;
    this.#timers = [
      setInterval(() => this.#write(': still here\n\n'), KEEP_ALIVE_MS),
      setTimeout(() => this.end(), LONGEST_MS),
    ];
    this.body.once('close', () => {
      for (const timer of this.#timers) clearTimeout(timer);
      onClose();
    });
    // Sends the headers, and how long a browser waits before it comes again.
    this.#write('retry: 3000\n\n');
  }

  show({ state, content }: Look): void {
    if (state !== this.#state) {
      this.#write('event: reload\ndata: now\n\n');
      this.end();
    } else if (content !== this.#shown) {
      const lines = content.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
      if (this.#write(`event: part\n${lines.join('')}\n`)) this.#shown = content;
    }
  }

  end(): void {
    this.body.end();
  }

  /** What a slow browser has not read yet is not piled up. */
  #write(text: string): boolean {
    if (!this.body.writable || this.body.writableNeedDrain) return false;
    this.body.write(text);
    return true;
  }
}
