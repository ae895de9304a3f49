import { Client, type PoolClient } from 'pg';
import { sqlState } from './sqlstate.js';

export interface LivenessOptions {
  readonly url: string;
  /** A query that takes longer than this makes us ask whether the server is still there. */
  readonly patienceMs: number;
  /** How long the server may take to answer that. */
  readonly answerMs: number;
  /** Questions without an answer in a row after which the server is given up. */
  readonly attempts: number;
}

export const USUAL_LIVENESS: Omit<LivenessOptions, 'url'> = { patienceMs: 15_000, answerMs: 10_000, attempts: 3 };

/**
 * Finds out that a server is frozen. Its machine still keeps the connections, so a query, a `COPY` or even an abort would
 * wait for ever; and how long a query may take nobody can say. So while connections are in use for long, the server is
 * asked over a connection of its own; when it does not answer, the sockets of all connections in use are destroyed, and
 * their queries fail like those of a lost connection.
 */
export class Liveness {
  readonly #options: LivenessOptions;
  readonly #inUse = new Map<PoolClient, number>();
  #timer: NodeJS.Timeout | undefined;
  #asking: Promise<void> | undefined;
  #unanswered = 0;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  begin(client: PoolClient): void {
    this.#inUse.set(client, performance.now());
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => void this.#watch(), this.#options.patienceMs / 3);
    this.#timer.unref();
  }

  end(client: PoolClient): void {
    this.#inUse.delete(client);
    if (this.#inUse.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#unanswered = 0;
  }

  async #watch(): Promise<void> {
    const { patienceMs } = this.#options;
    const isLong = [...this.#inUse.values()].some((since) => performance.now() - since > patienceMs);
    if (!isLong || this.#asking !== undefined) return;
    this.#asking = this.#ask();
    await this.#asking;
    this.#asking = undefined;
  }

  async #ask(): Promise<void> {
    const { url, answerMs, attempts } = this.#options;
    const client = new Client({ connectionString: url, connectionTimeoutMillis: answerMs, query_timeout: answerMs });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('select 1');
      this.#unanswered = 0;
    } catch (error) {
      // A refusal is an answer, too: there may just be no room for one more connection.
      this.#unanswered = sqlState(error) === undefined ? this.#unanswered + 1 : 0;
      if (this.#unanswered >= attempts) this.#giveUp();
    } finally {
      // Saying goodbye to a frozen server would wait for it, too.
      streamOf(client)?.destroy();
    }
  }

  #giveUp(): void {
    this.#unanswered = 0;
    const error = new Error('Connection terminated: the server does not answer');
    for (const client of this.#inUse.keys()) streamOf(client)?.destroy(error);
  }
}

/** The driver's socket, which its published types leave out. */
function streamOf(client: object): { destroy(error?: Error): void } | undefined {
  const { connection } = client as { connection?: { stream?: { destroy(error?: Error): void } } };
  return connection?.stream;
}
