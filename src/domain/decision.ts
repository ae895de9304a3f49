import type { RunCounts } from './run.js';

/** One thing an operator may do about a held run, and the command that does it. */
export interface DecisionCommand {
  readonly does: 'look' | 'apply' | 'apply without blocks' | 'drop';
  readonly command: string;
}

/** How to decide about a held run. The command line and the mails say it in the same words. */
export function decisionCommands(run: number, counts: RunCounts): DecisionCommand[] {
  return [
    { does: 'look', command: `user-sync plan ${run}` },
    { does: 'apply', command: `user-sync approve ${run} --reason "…"` },
    ...(counts.blocked > 0
      ? [{ does: 'apply without blocks', command: `user-sync approve ${run} --without-blocks --reason "…"` } as const]
      : []),
    { does: 'drop', command: `user-sync cancel ${run}` },
  ];
}
