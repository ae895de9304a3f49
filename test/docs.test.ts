import { Command } from 'commander';
import { expect } from 'chai';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { loadModel, sqlDirectory } from '../src/app.js';
import { CommandContext, type RegisterCommand } from '../src/cli/command.js';
import { Terminal } from '../src/cli/terminal.js';
import { Queries } from '../src/db/queries.js';
import { GUARD_NAMES } from '../src/domain/guard.js';
import { RECORD_ERROR_CODES, VALUE_ERROR_CODES } from '../src/domain/record.js';
import { INTAKE_WARNINGS } from '../src/intake/drop-handler.js';
import { QUARANTINE_REASONS } from '../src/intake/quarantine-record.js';
import { packageRoot } from '../src/lib/package-root.js';
import { ACTIONS, CONVERSION_KEYS } from '../src/mapping/actions.js';
import { BUILT_IN_FILTERS } from '../src/mapping/filters.js';
import { CONTROL_FILE_PROBLEMS } from '../src/mapping/problems.js';
import { MODEL_PROBLEMS } from '../src/model/problems.js';
import { DATA_TYPES } from '../src/model/schema.js';
import { READER_FORMATS } from '../src/readers/registry.js';
import { readSources } from './support/architecture.js';
import { Site } from './support/cli.js';
import { codesIn, stringsIn, type UsedCode } from './support/docs-codes.js';
import {
  examplesOf,
  expectShown,
  modelWith,
  problemCodes,
  readAll,
  runMapping,
  type Examples,
  type MappingExample,
} from './support/docs-examples.js';
import { comparable } from './support/tutorial.js';
import { anchorsOf, codeOf, fencesOf, localLinks, readDocuments, tableRows } from './support/docs-markdown.js';

const sources = readSources();
const documents = readDocuments();
const shippedModel = join(packageRoot(), 'config', 'model.json');

function documentOf(name: string): string {
  const text = documents.get(name);
  if (text === undefined) throw new Error(`there is no ${name}`);
  return text;
}

/** The code in the first cell of each row, such as `` `feed-busy` ``. */
function codesOf(rows: readonly (readonly string[])[] | undefined): string[] {
  return (rows ?? []).map((row) => row[0]?.replaceAll('`', '') ?? '').sort();
}

function distinct(values: Iterable<string>): string[] {
  return [...new Set(values)].sort();
}

describe('docs/errors.md', () => {
  const sections = tableRows(documentOf('docs/errors.md'));
  const { codes, unreadable } = codesIn(sources);
  const partOf = ({ file }: UsedCode): string => file.split('/')[1] ?? '';
  const inPart = (part: string): string[] => codes.filter((used) => partOf(used) === part).map(({ code }) => code);

  it('can be compared: every code thrown is a literal in the source', () => {
    expect(unreadable).to.deep.equal([]);
    expect(codes.length).to.be.greaterThan(40);
  });

  it('has every error of a record, and no other', () => {
    expect(codesOf(sections.get('Records'))).to.deep.equal([...RECORD_ERROR_CODES].sort());
  });

  it('says of the same errors as the program that they reject a record', () => {
    const rows = sections.get('Records') ?? [];
    expect(codesOf(rows.filter(([, effect]) => effect !== 'rejected'))).to.deep.equal([...VALUE_ERROR_CODES].sort());
  });

  it('has every error that fails the reading of a file, and no other', () => {
    expect(codesOf(sections.get('Files'))).to.deep.equal(distinct(inPart('readers')));
  });

  it('has every reason for quarantine and every warning about a drop directory, and no other', () => {
    expect(codesOf(sections.get('Quarantine'))).to.deep.equal([...QUARANTINE_REASONS].sort());
    expect(codesOf(sections.get('Drop directories'))).to.deep.equal([...INTAKE_WARNINGS].sort());
  });

  it('has every problem of a control file with its severity, and no other', () => {
    const rows = sections.get('Control files') ?? [];
    expect(codesOf(rows)).to.deep.equal(Object.keys(CONTROL_FILE_PROBLEMS).sort());
    const severities = Object.fromEntries(rows.map(([code = '', severity]) => [code.replaceAll('`', ''), severity]));
    for (const [code, [severity]] of Object.entries(CONTROL_FILE_PROBLEMS)) {
      expect(severities[code], code).to.equal(severity);
    }
  });

  it('has every problem of a model, and no other', () => {
    expect(codesOf(sections.get('The model'))).to.deep.equal(Object.keys(MODEL_PROBLEMS).sort());
  });

  it('has every problem of the configuration, and no other', () => {
    const literals = [...sources]
      .filter(([file]) => file.startsWith('src/config/'))
      .flatMap(([file, text]) => stringsIn(file, text))
      .filter((text) => /^config-[a-z-]+$/.test(text));
    expect(codesOf(sections.get('The configuration'))).to.deep.equal(distinct([...literals, ...inPart('config')]));
  });

  it('has every other error with the exit code it means, and no other', () => {
    const rows = [...(sections.get('Commands and runs') ?? []), ...(sections.get('Over HTTP') ?? [])];
    const others = codes.filter((used) => !['readers', 'config'].includes(partOf(used)));
    expect(codesOf(rows)).to.deep.equal(distinct(others.map(({ code }) => code)));
    for (const [cell = '', exit] of rows) {
      const code = cell.replaceAll('`', '');
      const exits = distinct(
        others.filter((used) => used.code === code && used.exit !== undefined).map((used) => String(used.exit)),
      );
      expect(exit, code).to.equal(exits.join(' or '));
    }
  });
});

describe('README.md', () => {
  const readme = documentOf('README.md');

  it('names every command with its arguments and options, and no command that does not exist', async () => {
    const commands = await registeredCommands();
    const rows = (tableRows(readme).get('Reference') ?? []).map((row) => row[0] ?? '');
    expect(commands.length).to.be.greaterThan(10);
    for (const [name, command] of leavesOf(commands)) {
      const row = rows.find((cell) => cell === `\`${name}\`` || cell.startsWith(`\`${name} `));
      expect(row, name).to.be.a('string');
      for (const { long } of command.options) expect(row, name).to.include(long);
      for (const argument of command.registeredArguments) expect(row, name).to.include(nameOf(argument));
    }
    const known = commands.map((command) => command.name());
    const used = codeOf(readme).flatMap((code) => [...code.matchAll(/(?:^|[$ ])user-sync ([a-z]+)/gm)]);
    const names = distinct(used.map(([, name]) => name ?? ''));
    expect(names).to.include.members(['demo', 'sync']);
    expect(names.filter((name) => !known.includes(name))).to.deep.equal([]);
  });

  it('names every guard', () => {
    const guards = (tableRows(readme).get('Operate') ?? []).map((row) => row[0]?.replaceAll('`', ''));
    expect(guards).to.include.members([...GUARD_NAMES]);
  });

  it('shows what its control file really makes of its file', async () => {
    const fences = fencesOf(readme);
    const textOf = (info: string): string => fences.find((fence) => fence.info === info)?.text ?? '';
    const model = await loadModel(shippedModel);
    const control = textOf('json control-file');
    expect(problemCodes(control, model)).to.deep.equal([]);
    const [record] = await readAll({ read: 'csv' }, textOf('csv people.csv'));
    const line = runMapping({ control, record: record as MappingExample['record'] }, model);
    const shown = JSON.parse(textOf('json preview')) as object;
    expect({ ...line, file: 'people', line: 2 }).to.deep.equal(shown);
    const second = await readAll({ read: 'csv' }, textOf('csv people-2.csv'));
    const accepted = second.map((one) => runMapping({ control, record: one as MappingExample['record'] }, model));
    expect(accepted.map((one) => one.accepted)).to.deep.equal([true, true, true, true, false]);
  });
});

describe('the examples of README.md', () => {
  const readme = documentOf('README.md');
  const fences = fencesOf(readme);
  const textOf = (info: string): string => fences.find((fence) => fence.info === info)?.text ?? '';
  const control = textOf('json control-file');

  it('print what it shows, one after the other', async () => {
    await using site = await Site.open({ control: JSON.parse(control) as object });
    for (const name of ['people.csv', 'people-2.csv']) await site.write(name, textOf(`csv ${name}`));
    let shown = 0;
    for (const { command, output } of examplesOfUse(readme)) {
      const { stdout, stderr, code } = await site.call(...argumentsOf(command));
      expect(code, `${command}\n${stderr}`).to.be.oneOf([0, 3]);
      if (output === undefined) continue;
      shown += 1;
      expect(comparable(stdout), command).to.equal(comparable(output));
    }
    expect(shown).to.be.greaterThan(4);
  });

  it('check a broken control file as it shows', async () => {
    await using site = await Site.open();
    const broken = control.replace('nameFirst', 'nameFrist').replace('"csv" }', '"csv", "charste": "utf-8" }');
    await site.write('broken.json', broken);
    const { stdout, code } = await site.call('check', 'broken.json');
    expect(code).to.equal(2);
    expect(readme).to.include(`\n${stdout}`);
  });

  it('demonstrate the main job as it shows', async () => {
    await using site = await Site.open({ database: 'embedded' });
    const shown = fences.find(({ text }) => text.startsWith('A feed of '))?.text ?? '';
    const { stdout, stderr, code } = await site.call('demo', '--exit');
    expect(code, stderr).to.equal(0);
    expect(comparable(stdout)).to.equal(comparable(shown));
  });
});

describe('docs/control-files.md', () => {
  const reference = documentOf('docs/control-files.md');
  const examples = examplesOf(fencesOf(reference));

  it('names every format, option, instruction, key, filter and data type', () => {
    const words: string[] = [
      ...READER_FORMATS.flatMap((format) => [format.name, ...format.options.map((option) => option.name)]),
      ...Object.entries(ACTIONS).flatMap(([action, keys]) => [action, ...keys.required]),
      ...CONVERSION_KEYS,
      ...BUILT_IN_FILTERS.keys(),
      ...DATA_TYPES,
    ];
    for (const word of distinct(words)) expect(reference, word).to.match(new RegExp(`[\`"]${word}[\`"]`));
  });

  it('has examples of each kind', () => {
    expect(examples.mappings.length).to.be.greaterThan(10);
    expect(examples.problems).to.have.length.greaterThan(0);
    expect(examples.formats).to.have.length.greaterThan(3);
  });

  describeExamples(examples);
});

describe('docs/moving-from-haplo.md', () => {
  const page = documentOf('docs/moving-from-haplo.md');
  const examples = examplesOf(fencesOf(page).filter((fence) => fence.info !== 'sh'));

  it('has examples of control files that run and of one that does not', () => {
    expect(examples.mappings.length).to.be.greaterThan(4);
    expect(examples.problems).to.have.length.greaterThan(0);
  });

  describeExamples(examples);

  it('names no command or option that does not exist', async () => {
    const commands = await registeredCommands();
    const calls = fencesOf(page)
      .filter((fence) => fence.info === 'sh')
      .flatMap(({ text }) => [...text.matchAll(/^user-sync ([a-z]+)(.*)$/gm)]);
    expect(calls).to.have.length.greaterThan(4);
    for (const [call, name, rest = ''] of calls) {
      const command = commands.find((one) => one.name() === name);
      const known = [...(command?.options ?? []).map(({ long }) => long), '--json', '--config'];
      expect(command, call).to.be.instanceOf(Command);
      expect(known, call).to.include.members(rest.match(/--[a-z-]+/g) ?? []);
    }
  });
});

describe('the documents', () => {
  for (const [name, text] of documents) {
    it(`have no link in ${name} that leads nowhere`, () => {
      const broken = localLinks(text).filter((link) => {
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? name : posix.join(posix.dirname(name), path);
        if (!existsSync(join(packageRoot(), target))) return true;
        const document = documents.get(target);
        return anchor !== undefined && document !== undefined && !anchorsOf(document).has(anchor);
      });
      expect(broken).to.deep.equal([]);
    });
  }
});

describe('the queries in sql/sync', () => {
  const names = Queries.load(join(sqlDirectory(), 'sync')).names;
  const files = readdirSync(join(sqlDirectory(), 'sync')).map((file) => file.replace(/\.sql$/, ''));
  const pattern = new RegExp(`^(?:${files.join('|')})/[a-z][a-z-]*$`);
  const used = [...sources].flatMap(([file, text]) => stringsIn(file, text)).filter((text) => pattern.test(text));

  it('are all used', () => {
    expect(names.filter((name) => !used.includes(name))).to.deep.equal([]);
  });

  it('exist wherever the source names one', () => {
    expect(distinct(used).filter((name) => !names.includes(name))).to.deep.equal([]);
    expect(names).to.have.length.greaterThan(20);
  });

  it('have different names within a file', () => {
    const headers = files.flatMap((file) => {
      const text = readFileSync(join(sqlDirectory(), 'sync', `${file}.sql`), 'utf8');
      return [...text.matchAll(/^-- name: *(\S+) *$/gm)].map(([, name]) => `${file}/${name}`);
    });
    expect(headers.sort()).to.deep.equal([...names].sort());
  });
});

/** A test for each example of a document: what it shows is what happens. */
function describeExamples({ mappings, problems, formats }: Examples): void {
  for (const { line, modelParts, control, record, existing, result } of mappings) {
    it(`shows what really becomes of the record before line ${line}`, () => {
      const model = modelWith(shippedModel, modelParts);
      expect(problemCodes(control, model)).to.deep.equal([]);
      expectShown(runMapping({ control, record, existing }, model), result);
    });
  }

  for (const { line, modelParts, control, problems: codes } of problems) {
    it(`names the problems of the control file before line ${line}`, () => {
      expect(problemCodes(control, modelWith(shippedModel, modelParts))).to.deep.equal(codes);
    });
  }

  for (const { line, format, text, records } of formats) {
    it(`shows the records of the file before line ${line}`, async () => {
      expect(await readAll(format, text)).to.deep.equal(records);
    });
  }
}

/** What src/main.ts registers: the exports of the modules of src/cli that it imports. */
async function registeredCommands(): Promise<readonly Command[]> {
  const main = sources.get('src/main.ts') ?? '';
  const modules = stringsIn('src/main.ts', main).filter((text) => text.startsWith('./cli/'));
  const context = new CommandContext(new Terminal(process), new AbortController().signal);
  const program = new Command();
  for (const module of modules) {
    const path = new URL(join(dirname('../src/main.js'), module), import.meta.url);
    const exported = (await import(path.href)) as Record<string, unknown>;
    for (const [name, value] of Object.entries(exported)) {
      if (name.startsWith('register') && main.includes(name)) (value as RegisterCommand)(program, context);
    }
  }
  return program.commands;
}

/** Commands that do something, with their whole names: `keys create`. */
function leavesOf(commands: readonly Command[], above = ''): [string, Command][] {
  return commands.flatMap((command): [string, Command][] => {
    const name = `${above}${command.name()}`;
    return command.commands.length === 0 ? [[name, command]] : leavesOf(command.commands, `${name} `);
  });
}

/** The commands below `## Use` in order, with the output that is shown of some. `init` only makes what a test's site has. */
function examplesOfUse(markdown: string): { command: string; output?: string }[] {
  const use = markdown.split(/^## /m).find((section) => section.startsWith('Use\n')) ?? '';
  return fencesOf(use).flatMap(({ text }) => {
    const [, command, output] = /^\$ user-sync (.*)\n([\s\S]*)$/.exec(text) ?? [];
    if (command !== undefined && output !== undefined) return [{ command, output }];
    const calls = [...text.matchAll(/^user-sync (.*)$/gm)].map(([, call]) => ({ command: call ?? '' }));
    return calls.filter((call) => !call.command.startsWith('init '));
  });
}

/** Words of a command line, without quotes and comment. */
function argumentsOf(command: string): string[] {
  return [...command.replace(/\s#.*$/, '').matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
}

/** `NAME=FILE...` → `NAME=FILE` */
function nameOf(argument: { name(): string }): string {
  return argument.name().replace(/\.+$/, '');
}
