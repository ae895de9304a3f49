import { Option, type Command } from 'commander';
import { noteAudit } from '../db/audit.js';
import { readPlan } from '../db/changes.js';
import { findRun, unknownRun } from '../db/runs.js';
import { fieldsOf, type ChangedField } from '../domain/change-fields.js';
import { PLAN_CSV_HEAD, planCsvLines, planLine } from '../domain/plan-export.js';
import { CHANGE_KINDS, type ChangeKind } from '../domain/run.js';
import { valueText } from '../domain/value-text.js';
import { commandLine } from './author.js';
import { parseRunId, type RegisterCommand } from './command.js';
import { printable } from '../lib/printable.js';
import { type Style } from './terminal.js';

interface PlanOptions {
  kind?: ChangeKind;
  format: 'table' | 'csv' | 'ndjson';
}

const KIND_STYLE: Readonly<Record<ChangeKind, Style>> = {
  add: 'green',
  update: 'cyan',
  block: 'red',
  unblock: 'green',
};

export const registerPlan: RegisterCommand = (program, context) => {
  const { terminal } = context;
  program
    .command('plan')
    .description("a run's planned changes, with before and after")
    .argument('<ID>', 'the run', parseRunId)
    .addOption(new Option('--kind <kind>', 'only changes of this kind').choices(CHANGE_KINDS))
    .addOption(
      new Option('--format <format>', 'how to print them').choices(['table', 'csv', 'ndjson']).default('table'),
    )
    .action(async (id: number, options: PlanOptions, command: Command) => {
      const format = context.wantsJson(command) ? 'ndjson' : options.format;
      await context.withApp(command, async (app) => {
        const run = await findRun(app.database, id);
        if (run === undefined) throw unknownRun(id);
        if (format !== 'table') {
          const details = { kind: options.kind, format };
          await noteAudit(app.database, commandLine(), { action: 'plan-downloaded', subject: `run ${id}`, details });
        }
        const changes = readPlan(app.database, id, options.kind);
        if (format === 'csv') terminal.print(PLAN_CSV_HEAD);
        let count = 0;
        for await (const change of changes) {
          count += 1;
          if (format === 'ndjson') await terminal.write(`${JSON.stringify(planLine(change))}\n`);
          else if (format === 'csv')
            await terminal.write(
              planCsvLines(change)
                .map((line) => `${line}\n`)
                .join(''),
            );
          else {
            terminal.print(
              `${terminal.style(change.kind.padEnd(8), KIND_STYLE[change.kind])}${terminal.style(printable(change.username), 'bold')}`,
            );
            for (const field of fieldsOf(change)) await terminal.write(`        ${tableRow(field)}\n`);
          }
        }
        if (count > 0 || format !== 'table') return;
        // Planning notes the version of the directory that it saw.
        if (run.plannedVersion !== null) terminal.print('Nothing to change.');
        else terminal.print(`Run ${id} is ${run.status} and has no plan. \`user-sync log ${id}\` says more.`);
      });
    });
};

function tableRow({ name, before, after }: ChangedField): string {
  const old = before === undefined ? '' : `${printable(valueText(before))} → `;
  return `${name}: ${old}${after === undefined ? '(removed)' : printable(valueText(after))}`;
}
