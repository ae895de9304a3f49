import { describeKind, type RunStatus } from '../domain/run.js';
import { decisionCommands } from '../domain/decision.js';
import { describeGuard } from '../domain/guard-text.js';
import { duration, number } from '../domain/number-text.js';
import { describeOutcome } from '../domain/outcome-text.js';
import type { RunReport } from '../sync/run-report.js';
import { printable } from '../lib/printable.js';
import { type Style, type Terminal } from './terminal.js';

const STATUS_STYLE: Readonly<Record<RunStatus, Style>> = {
  uploading: 'cyan',
  ready: 'cyan',
  planning: 'cyan',
  held: 'yellow',
  applying: 'cyan',
  complete: 'green',
  failed: 'red',
  cancelled: 'yellow',
};

export function styledStatus(terminal: Terminal, status: RunStatus): string {
  return terminal.style(status, STATUS_STYLE[status]);
}

/** A run at a glance: how it went, what it did, what needs a decision and how to make it. */
export function printRun(terminal: Terminal, run: RunReport): void {
  const { counts, timings } = run;
  terminal.print(
    `${terminal.style(`Run ${run.run}`, 'bold')} of feed ${printable(run.feed)} ${verb(run.status)} ${styledStatus(terminal, run.status)}${explain(run)}`,
  );
  const kind = describeKind(run.kind, run.ofRun);
  if (kind !== undefined) terminal.print(`  It ${kind}.`);
  if (run.missingFiles.length > 0) terminal.print(`  It waits for: ${run.missingFiles.map(printable).join(', ')}`);
  if (run.waitsForStart)
    terminal.print('  All files are there. It waits for the start: a file named _start, or start-sync.');
  if (run.failure !== null) terminal.print(`  ${terminal.style(printable(run.failure.message), 'red')}`);
  terminal.print();
  const columns = [
    ['records', counts.records],
    ['added', counts.added],
    ['updated', counts.updated],
    ['blocked', counts.blocked],
    ['unblocked', counts.unblocked],
    ['unchanged', counts.unchanged],
    ['rejected', counts.rejected],
    ['errors', run.errors],
  ] as const;
  terminal.table(
    ['', ...columns.map(([name]) => name)],
    [['', ...columns.map(([, value]) => number(value))]],
    columns.map((_, index) => index + 1),
  );
  const seconds = timings.stage + timings.plan + timings.apply;
  terminal.print();
  terminal.print(
    `  took ${duration(seconds)}: stage ${duration(timings.stage)}, plan ${duration(timings.plan)}, apply ${duration(timings.apply)}`,
  );
  printGuards(terminal, run);
  if (run.approval !== null) {
    const { by, reason } = run.approval;
    terminal.print(printable(`  approved by ${by}: ${reason ?? 'no reason given'}`));
  }
  if (run.errors > 0) terminal.print(`  errors: user-sync log ${run.run} --errors`);
  if (run.status === 'held') printDecision(terminal, run);
}

function explain(run: RunReport): string {
  const withoutBlocks = run.approval?.withoutBlocks === true;
  const text = describeOutcome({ ...run, withoutBlocks });
  if (text === undefined) return '.';
  const how = run.outcome === 'dry-run' ? ' as a dry run' : run.outcome === 'applied' ? ', without blocks' : '';
  return `${how}: ${text}`;
}

function verb(status: RunStatus): string {
  return status === 'failed' ? 'has' : status === 'cancelled' ? 'was' : 'is';
}

function printGuards(terminal: Terminal, run: RunReport): void {
  const breached = run.guards.filter((guard) => guard.breached);
  if (breached.length === 0 && run.guards.length > 0) terminal.print('  guards: all within their limits');
  for (const guard of breached) {
    terminal.print(`  ${terminal.style(`guard ${guard.guard}`, 'yellow')}: ${printable(describeGuard(guard))}`);
  }
}

function printDecision(terminal: Terminal, run: RunReport): void {
  terminal.print();
  for (const { does, command } of decisionCommands(run.run, run.counts)) {
    terminal.print(`  ${(does === 'apply without blocks' ? '' : does).padEnd(8)}  ${command}`);
  }
}
