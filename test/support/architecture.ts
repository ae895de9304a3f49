import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';
import { packageRoot } from '../../src/lib/package-root.js';

/** The text of source files by their path in the repository (`src/lib/errors.ts`). */
export type Sources = ReadonlyMap<string, string>;

interface Architecture {
  /** Folders of src, or files at its top, from the bottom up: each may import what is below. */
  readonly layers: readonly (readonly string[])[];
  /** Exceptions: neighbours on one layer that a folder may import. */
  readonly sideways: Readonly<Record<string, readonly string[]>>;
  /** The one folder that uses a library. */
  readonly owners: Readonly<Record<string, string>>;
  /** The one file that uses a member of `process`. */
  readonly processMembers: Readonly<Record<string, string>>;
}

const MAX_LINES = 400;
const NAMES_THAT_SAY_NOTHING = /(?:^|[/.-])(?:utils?|helpers?|common|misc|types)(?:\/|\.ts$)/;

export function readArchitecture(): Architecture {
  const file = join(packageRoot(), 'test', 'support', 'layers.json');
  return JSON.parse(readFileSync(file, 'utf8')) as Architecture;
}

export function readSources(): Sources {
  const root = packageRoot();
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  return new Map(files.sort().map((name) => [posix.join('src', name), readFileSync(join(root, 'src', name), 'utf8')]));
}

/** Imports against the direction of the layers, and folders without a layer. */
export function wrongDirections(sources: Sources, { layers, sideways }: Architecture): string[] {
  const rankOf = (part: string): number => layers.findIndex((layer) => layer.includes(part));
  return [...sources].flatMap(([file, text]) => {
    const from = partOf(file);
    if (rankOf(from) < 0) return [`${file}: src/${from} has no layer in test/support/layers.json`];
    return importsOf(file, text)
      .filter((target) => target.startsWith('src/') && partOf(target) !== from)
      .filter((target) => {
        const to = partOf(target);
        return !(rankOf(to) >= 0 && rankOf(to) < rankOf(from)) && sideways[from]?.includes(to) !== true;
      })
      .map((target) => `${file} imports ${target}`);
  });
}

/** Import cycles, each once, as the files it runs through. */
export function cycles(sources: Sources): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) found.push([...way.slice(way.indexOf(file)), file].join(' → '));
    if (done.has(file) || way.includes(file)) return;
    for (const target of importsOf(file, sources.get(file) ?? '')) {
      if (sources.has(target)) visit(target, [...way, file]);
    }
    done.add(file);
  };
  for (const file of sources.keys()) visit(file, []);
  return found;
}

/** Libraries used outside the folder that owns them. */
export function strayLibraries(sources: Sources, { owners }: Architecture): string[] {
  return [...sources].flatMap(([file, text]) =>
    importsOf(file, text)
      .filter((target) => {
        const owner = owners[target.split('/')[0] ?? ''];
        return owner !== undefined && owner !== partOf(file);
      })
      .map((target) => `${file} imports ${target}`),
  );
}

/** Uses of `process.env`, `process.exit` and the like outside the file they belong to. */
export function strayProcessUses(sources: Sources, { processMembers }: Architecture): string[] {
  return [...sources].flatMap(([file, text]) => {
    const imported = importsOf(file, text).filter((target) => /^(?:node:)?process$/.test(target));
    const members = processMembersOf(file, text).filter((name) => (processMembers[name] ?? file) !== file);
    return [
      ...imported.map((name) => `${file} imports ${name}`),
      ...members.map((name) => `${file} uses process.${name}`),
    ];
  });
}

/** Files too long to be read in one go, and names that say nothing. */
export function shapelessFiles(sources: Sources): string[] {
  return [...sources].flatMap(([file, text]) => {
    const lines = text.split('\n').length - 1;
    return [
      ...(lines > MAX_LINES ? [`${file} has ${lines} lines`] : []),
      ...(NAMES_THAT_SAY_NOTHING.test(file) ? [`${file} is named after nothing in particular`] : []),
    ];
  });
}

/** `src/readers/json.ts` → `readers`, `src/app.ts` → `app` */
function partOf(file: string): string {
  return (file.split('/')[1] ?? '').replace(/\.ts$/, '');
}

/** What a file imports or re-exports: paths in the repository for its own files, names for packages. */
function importsOf(file: string, text: string): string[] {
  return ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) =>
      fileName.startsWith('.') ? posix.join(posix.dirname(file), fileName).replace(/\.js$/, '.ts') : fileName,
    );
}

function processMembersOf(file: string, text: string): string[] {
  const members: string[] = [];
  // Parsing is the slow part, and most files never speak of it.
  if (!text.includes('process')) return members;
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node) && isProcess(node.expression)) members.push(node.name.text);
    if (
      ts.isElementAccessExpression(node) &&
      isProcess(node.expression) &&
      ts.isStringLiteral(node.argumentExpression)
    ) {
      members.push(node.argumentExpression.text);
    }
    if (
      ts.isVariableDeclaration(node) &&
      node.initializer &&
      isProcess(node.initializer) &&
      ts.isObjectBindingPattern(node.name)
    ) {
      members.push(...node.name.elements.map((element) => (element.propertyName ?? element.name).getText()));
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return members;
}

/** `process`, `globalThis.process` */
function isProcess(node: ts.Node): boolean {
  return (
    (ts.isIdentifier(node) && node.text === 'process') ||
    (ts.isPropertyAccessExpression(node) && node.name.text === 'process' && node.expression.getText() === 'globalThis')
  );
}
