import { expect } from 'chai';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunRow } from '../../../src/db/runs.js';
import { UserSyncError } from '../../../src/lib/errors.js';
import { cancelRun, requestApproval } from '../../../src/sync/decide.js';
import { submitRevert } from '../../../src/sync/revert.js';
import { DirectoryModel } from '../../support/directory-model.js';
import { RunLedger } from '../../support/run-ledger.js';
import { LEASE_MS, WholeSite } from '../../support/whole-site.js';
import { describeStep, stepsOf, type Action, type Fault, type Step } from '../../support/whole-steps.js';

/** `WHOLE_ROUNDS`, `WHOLE_STEPS` and `WHOLE_SEED` ask for more, for longer ones, and for the same again. */
const ROUNDS = Number(process.env['WHOLE_ROUNDS'] ?? 2);
const STEPS = Number(process.env['WHOLE_STEPS'] ?? 10);
const SEED = Number(process.env['WHOLE_SEED'] ?? 20261125);

/** No further step begins after this time, on slow machines. */
const ROUND_MS = STEPS * 2500;
const LANES = 2;

describe(`Batches, decisions, edits by hand and faults of any kind, in any order (seed ${SEED})`, function () {
  this.timeout(60_000 + (ROUND_MS + 60_000) * ROUNDS);

  it(`leave the directory as a plain model says, ${ROUNDS} times, with the change log to match`, async () => {
    const happened: Record<string, number> = {};
    let next = SEED;
    const lane = async (): Promise<void> => {
      while (next < SEED + ROUNDS) {
        const seed = next++;
        const steps = stepsOf(seed, STEPS, LEASE_MS);
        await play(steps, happened).catch((error: unknown) => {
          next = Infinity;
          const how = `again: WHOLE_SEED=${seed} WHOLE_ROUNDS=1 WHOLE_STEPS=${STEPS}`;
          throw saying(error, (message) => [message, how, ...steps.map(describeStep)].join('\n'));
        });
      }
    };
    const lanes = await Promise.allSettled(Array.from({ length: Math.min(LANES, ROUNDS) }, lane));
    for (const ended of lanes) if (ended.status === 'rejected') throw ended.reason;
    console.log(`      ${JSON.stringify(happened)}`);
  });
});

/** The error itself, so that what differs is shown, too. */
function saying(error: unknown, more: (message: string) => string): unknown {
  if (error instanceof Error) error.message = more(error.message);
  return error;
}

/** The run has ended meanwhile, or somebody else was faster. */
function unlessDecided(error: unknown): void {
  if (!(error instanceof UserSyncError && error.code === 'run-status')) throw error;
}

/**
 * One system, from its first batch to its last.
 *
 * @param happened counts of all that was done, and of what became of runs
 */
async function play(steps: readonly Step[], happened: Record<string, number>): Promise<void> {
  await using site = await WholeSite.open();
  await new Round(site, happened).play(steps);
  await site.close();
}

class Round {
  readonly #site: WholeSite;
  readonly #happened: Record<string, number>;
  readonly #model = new DirectoryModel();
  readonly #ledger: RunLedger;
  /** Accounts made by hand, as they were when they were made. */
  readonly #handMade = new Map<number, string>();
  #lastDrop = '';

  constructor(site: WholeSite, happened: Record<string, number>) {
    this.#site = site;
    this.#happened = happened;
    this.#ledger = new RunLedger(this.#model, site.database);
  }

  async play(steps: readonly Step[]): Promise<void> {
    const end = performance.now() + ROUND_MS;
    for (const [index, step] of steps.entries()) {
      const isLast = index === steps.length - 1;
      if (performance.now() > end && !isLast) continue;
      await this.#step(step).catch((error: unknown) => {
        throw saying(error, (message) => `step ${index + 1}: ${message}`);
      });
      if (isLast) await this.#site.expectTidy();
    }
    for (const [status, times] of Object.entries(this.#ledger.ends)) this.#count(`runs ${status}`, times);
  }

  async #step({ action, faults }: Step): Promise<void> {
    await Promise.all([this.#act(action), this.#disturb(faults)]);
    await this.#site.settled(() => this.#ledger.runs());
    const mayFail = faults.some(({ kind }) => kind === 'end-connections') && 'way' in action;
    await this.#ledger.catchUp(mayFail);
    expect(await this.#model.read(this.#site)).to.deep.equal(this.#model.expected());
    await this.#expectHandMadeAlone();
    await this.#site.expectWatched();
    const [last] = await this.#site.rows<{ digest: string }>(
      `select digest from sync.run join sync.run_file on run_id = run.id where kind = 'batch' order by run.id desc limit 1`,
    );
    expect(last?.digest, 'the batch that was dropped last').to.equal(this.#lastDrop);
  }

  async #act(action: Action): Promise<void> {
    this.#count(action.kind);
    if (action.kind === 'drop') {
      for (const [index, { text, records }] of action.batches.entries()) {
        if (index > 0) await delay(action.gapMs);
        this.#lastDrop = this.#ledger.expect(text, records);
        await this.#site.drop(text);
      }
    } else if (action.kind === 'edit') {
      for (const edit of action.edits) await this.#model.edit(edit, this.#site);
    } else {
      await this.#decide(action).catch(unlessDecided);
    }
  }

  async #decide(action: Extract<Action, { pick: number }>): Promise<void> {
    const { database } = this.#site;
    const isConcerned: Record<typeof action.kind, (run: RunRow) => boolean> = {
      approve: ({ status }) => status === 'held',
      'drop-held': ({ status }) => status === 'held',
      'take-back': ({ published }) => published,
      'apply-again': ({ kind, status }) => kind === 'batch' && status === 'complete',
    };
    const runs = (await this.#ledger.runs()).filter(isConcerned[action.kind]);
    const run = runs[Math.floor(action.pick * runs.length)];
    if (run === undefined) return;
    const id = String(run.id);
    const isCommand = action.way === 'command';
    if (action.kind === 'approve') {
      const { withoutBlocks } = action;
      const more = withoutBlocks ? ['--without-blocks'] : [];
      if (isCommand) await this.#site.command('approve', id, '--reason', 'a test', ...more);
      else await requestApproval(database, run.id, { by: 'test', reason: 'a test', withoutBlocks });
    } else if (action.kind === 'drop-held') {
      if (isCommand) await this.#site.command('cancel', id);
      else await cancelRun(database, run.id, { by: 'test' });
    } else if (action.kind === 'take-back') {
      if (isCommand) await this.#site.command('revert', id);
      else await submitRevert({ database }, run.id, { by: 'test', queued: true });
    } else {
      await this.#site.command('reapply', id);
    }
  }

  async #disturb(faults: readonly Fault[]): Promise<void> {
    for (const fault of faults) {
      await delay(fault.afterMs);
      this.#count(fault.kind);
      const { pick } = fault;
      if (fault.kind === 'kill') await this.#site.kill(pick);
      else if (fault.kind === 'term') await this.#site.end(pick);
      else if (fault.kind === 'end-connections') await this.#site.endConnections();
      else if (fault.kind === 'second') await this.#site.second(pick);
      else if (fault.kind === 'freeze') await this.#site.freeze(pick, fault.forMs);
      else if (fault.kind === 'cancel') await this.#cancel(pick);
      else if (fault.kind === 'edit') await this.#model.edit(fault.edit, this.#site);
    }
  }

  /** Whatever is under way or waits, if there is anything. */
  async #cancel(pick: number): Promise<void> {
    const open = (await this.#ledger.runs()).filter(({ finishedAt }) => finishedAt === null);
    const run = open.at(pick < 0.8 ? -1 : 0);
    if (run === undefined) return;
    await cancelRun(this.#site.database, run.id, { by: 'test' }).catch(unlessDecided);
  }

  async #expectHandMadeAlone(): Promise<void> {
    const rows = await this.#site.rows<{ id: number; row: string }>(
      `select account.id, (account, array(select group_code from directory.membership where account_id = account.id))::text as row
       from directory.account where not exists (select from sync.feed_user where account_id = account.id)`,
    );
    for (const { id, row } of rows) {
      expect(row, 'an account made by hand').to.equal(this.#handMade.get(id) ?? row);
      this.#handMade.set(id, row);
    }
    expect(rows.length, 'accounts made by hand').to.equal(this.#handMade.size);
  }

  #count(what: string, times = 1): void {
    this.#happened[what] = (this.#happened[what] ?? 0) + times;
  }
}
