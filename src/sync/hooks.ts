import { readPlanPages } from '../db/changes.js';
import { logRun } from '../db/run-log.js';
import type { RunRow } from '../db/runs.js';
import type { GuardResult } from '../domain/guard.js';
import type { ChangeKind, PlannedChange, RunCounts } from '../domain/run.js';
import type { Contribution } from '../plugins/load-plugins.js';
import type { BlockContext, Change, HookContext, Hooks } from '../plugins/plugin.js';
import { describeFailure } from '../plugins/plugin-failure.js';
import type { SyncContext } from './context.js';

const LONGEST_REASON = 500;

/** Calls the hooks of all plugins for one run, one after the other, and notes in the run's log what came of it. */
export class RunHooks {
  readonly #context: SyncContext;
  readonly #run: RunRow;
  readonly #signal: AbortSignal;

  constructor(context: SyncContext, run: RunRow, signal: AbortSignal) {
    this.#context = context;
    this.#run = run;
    this.#signal = signal;
  }

  /**
   * Shows the plan to every `afterPlan` hook.
   *
   * @returns a breach for each plugin that wants the run held, or that failed and so may not let it pass
   */
  async afterPlan(counts: RunCounts): Promise<GuardResult[]> {
    const holds: GuardResult[] = [];
    for (const { plugin, value: hooks } of this.#hooks) {
      if (hooks.afterPlan === undefined) continue;
      const context = this.#contextFor(plugin, counts, () => true);
      try {
        const reason = reasonIn(await this.#untilAborted(async () => hooks.afterPlan?.(context)));
        if (reason === undefined) continue;
        holds.push(hold(plugin, reason));
        await this.#warn(`Plugin ${plugin} holds the run: ${reason}`, 'plugin');
      } catch (error) {
        this.#signal.throwIfAborted();
        const reason = `its hook afterPlan failed (${describeFailure(error)}), so nobody knows what it would have said`;
        holds.push(hold(plugin, reason));
        await this.#failed(`Plugin ${plugin} holds the run: ${reason}`, error);
      }
    }
    return holds;
  }

  /** Tells the hooks what was applied. Whatever they do, the run goes on. */
  async afterApply(counts: RunCounts): Promise<void> {
    for (const { plugin, value: hooks } of this.#hooks) {
      const context = this.#contextFor(plugin, counts, (change) => change.applied);
      if (hooks.onBlock !== undefined && counts.blocked > 0) {
        const blocked: BlockContext = { ...context, blocked: () => context.changes('block') };
        await this.#attempt(plugin, 'onBlock', async () => hooks.onBlock?.(blocked));
      }
      if (hooks.afterApply !== undefined) {
        await this.#attempt(plugin, 'afterApply', async () => hooks.afterApply?.(context));
      }
    }
  }

  get #hooks(): readonly Contribution<Hooks>[] {
    return this.#context.plugins.hooks;
  }

  async #attempt(plugin: string, hook: keyof Hooks, call: () => Promise<void>): Promise<void> {
    try {
      await this.#untilAborted(call);
    } catch (error) {
      const why = this.#signal.aborted ? 'nobody waited for it, since the process is to end' : describeFailure(error);
      await this.#failed(`The hook ${hook} of plugin ${plugin} failed: ${why}. What was applied stays.`, error);
    }
  }

  /** A hook that waits for another program must not keep the process from ending. */
  async #untilAborted<T>(call: () => Promise<T>): Promise<T> {
    const signal = this.#signal;
    signal.throwIfAborted();
    let stop: (() => void) | undefined;
    const aborted = new Promise<never>((_resolve, reject) => {
      stop = () => {
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', stop, { once: true });
    });
    try {
      return await Promise.race([call(), aborted]);
    } finally {
      if (stop !== undefined) signal.removeEventListener('abort', stop);
    }
  }

  #contextFor(plugin: string, counts: RunCounts, isMeant: (change: PlannedChange) => boolean): HookContext {
    const { database, logger } = this.#context;
    const { id: run, feed, dryRun } = this.#run;
    const own = logger.child({ run, feed, plugin });
    return {
      run,
      feed,
      counts,
      dryRun,
      signal: this.#signal,
      logger: {
        info: (message, fields) => {
          own.info(String(message), fields);
        },
        warn: (message, fields) => {
          own.warn(String(message), fields);
        },
      },
      async *changes(kind?: ChangeKind): AsyncGenerator<readonly Change[]> {
        for await (const page of readPlanPages(database, run, kind)) {
          const meant = page.filter(isMeant);
          if (meant.length > 0) yield meant.map(asChange);
        }
      },
    };
  }

  async #failed(message: string, error: unknown): Promise<void> {
    const { database, logger } = this.#context;
    const { id: run, feed } = this.#run;
    await logRun(database, run, 'warn', message, 'hook-failed');
    logger.warn(message, { run, feed, error });
  }

  async #warn(message: string, code: string): Promise<void> {
    const { database, logger } = this.#context;
    const { id: run, feed } = this.#run;
    await logRun(database, run, 'warn', message, code);
    logger.warn(message, { run, feed });
  }
}

/** Undefined: it lets the run pass. @throws when that is not clear */
function reasonIn(answer: unknown): string | undefined {
  if (answer === undefined || answer === null) return undefined;
  const reason = typeof answer === 'object' && 'hold' in answer ? answer.hold : undefined;
  if (typeof reason !== 'string') throw new TypeError('a hook gives nothing, or { hold: reason }');
  // The run's log takes neither null characters nor half of a surrogate pair.
  const text = reason.replaceAll('\0', '').toWellFormed().trim().slice(0, LONGEST_REASON);
  return text === '' ? 'it gave no reason' : text;
}

function hold(plugin: string, reason: string): GuardResult {
  return { guard: 'plugin', value: 1, limit: 0, breached: true, count: 0, subject: plugin, reason };
}

function asChange({ kind, username, before, after }: PlannedChange): Change {
  return { kind, username, before, after };
}
