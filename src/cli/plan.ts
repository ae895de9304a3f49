import { Option, type Command } from 'commander';
import { readPlan } from '../db/changes.js';
import { findRun, unknownRun } from '../db/runs.js';
import {
  CHANGE_KINDS,
  type ChangeKind,
  type ChangeState,
  type DependentState,
  type PlannedChange,
} from '../domain/run.js';
import { parseRunId, type RegisterCommand } from './command.js';
import { csvLine } from './csv-output.js';
import { printable } from '../lib/printable.js';
import { type Style } from './terminal.js';
import { valueText } from './value-text.js';

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
        const changes = readPlan(app.database, id, options.kind);
        if (format === 'csv') terminal.print(csvLine(['kind', 'username', 'applied', 'field', 'before', 'after']));
        let count = 0;
        for await (const change of changes) {
          count += 1;
          if (format === 'ndjson') await terminal.write(`${JSON.stringify(asJson(change))}\n`);
          else if (format === 'csv')
            await terminal.write(
              fieldsOf(change)
                .map((field) => `${csvLine(csvRow(change, field))}\n`)
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

interface ChangedField {
  readonly name: string;
  readonly before: unknown;
  readonly after: unknown;
}

function fieldsOf(change: PlannedChange): ChangedField[] {
  const before = flatten(change.before);
  const after = flatten(change.after);
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return names.map((name) => ({ name, before: before.get(name), after: after.get(name) }));
}

/** `user/email`, `profile/std:attribute:url`, … to values. */
function flatten(state: ChangeState | null): Map<string, unknown> {
  const fields = new Map<string, unknown>();
  for (const [section, part] of Object.entries(state ?? {}) as [string, unknown][]) {
    if (Array.isArray(part) || typeof part !== 'object' || part === null) fields.set(section, part);
    else if (section === 'dependents') flattenObjects(part, fields);
    else for (const [name, value] of Object.entries(part)) fields.set(`${section}/${name}`, value);
  }
  return fields;
}

/** `example:appointment 12/std:attribute:date`: objects that belong to the user, by their ref. */
function flattenObjects(objects: object, fields: Map<string, unknown>): void {
  for (const [ref, object] of Object.entries(objects) as [string, DependentState][]) {
    for (const [name, value] of Object.entries(object.attributes ?? {})) {
      fields.set(`${object.destination} ${ref}/${name}`, value);
    }
  }
}

function asJson({ kind, username, before, after, applied }: PlannedChange): object {
  return { kind, username, applied, before, after };
}

function csvRow(change: PlannedChange, field: ChangedField): string[] {
  return [
    change.kind,
    change.username,
    String(change.applied),
    field.name,
    valueText(field.before),
    valueText(field.after),
  ];
}

function tableRow({ name, before, after }: ChangedField): string {
  const old = before === undefined ? '' : `${printable(valueText(before))} → `;
  return `${name}: ${old}${after === undefined ? '(removed)' : printable(valueText(after))}`;
}
