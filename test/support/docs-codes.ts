import ts from 'typescript';
import type { Sources } from './architecture.js';

/** A stable code as the source uses it. */
export interface UsedCode {
  readonly code: string;
  readonly file: string;
  /** What a command that throws it ends with; undefined for codes that are only logged. */
  readonly exit: 1 | 2 | undefined;
}

export interface CodeSearch {
  readonly codes: readonly UsedCode[];
  /** Places whose code could not be read from the source. */
  readonly unreadable: readonly string[];
}

const ROOTS = ['UserSyncError', 'ReadError', 'InvalidFileError'];

/** The codes of all errors thrown (`new UserSyncError('code', …)` and its kin), and those given to a run's log. */
export function codesIn(sources: Sources): CodeSearch {
  const files = [...sources].map(([file, text]) => ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  const constants = constantsIn(files);
  const codes: UsedCode[] = [];
  const unreadable: string[] = [];
  const take = (argument: ts.Expression | undefined, file: string, exit: 1 | 2 | undefined): void => {
    if (argument === undefined) return;
    const texts = literalsOf(argument, constants);
    if (texts === undefined) unreadable.push(`${file}: ${argument.getText()}`);
    else codes.push(...texts.map((code) => ({ code, file, exit })));
  };
  for (const source of files) {
    const visit = (node: ts.Node): void => {
      if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && ROOTS.includes(node.expression.text)) {
        take(node.arguments?.[0], source.fileName, exitOf(node.expression.text, node.arguments));
      } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.SuperKeyword) {
        const parent = parentClassOf(node);
        if (parent !== undefined && ROOTS.includes(parent)) {
          take(node.arguments[0], source.fileName, exitOf(parent, node.arguments));
        }
      } else if (ts.isCallExpression(node) && node.expression.getText() === 'logRun') {
        take(node.arguments[4], source.fileName, undefined);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return { codes, unreadable };
}

/** Every string literal of a file. */
export function stringsIn(file: string, text: string): string[] {
  const strings: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) strings.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return strings;
}

/** Undefined: unreadable. Empty: handed on from another error, or a class's own parameter. */
function literalsOf(argument: ts.Expression, constants: ReadonlyMap<string, string>): string[] | undefined {
  if (ts.isStringLiteral(argument)) return [argument.text];
  if (ts.isConditionalExpression(argument)) {
    const branches = [argument.whenTrue, argument.whenFalse].map((branch) => literalsOf(branch, constants));
    return branches.every((branch) => branch !== undefined) ? branches.flat() : undefined;
  }
  if (ts.isPropertyAccessExpression(argument) && argument.name.text === 'code') return [];
  if (!ts.isIdentifier(argument)) return undefined;
  const constant = constants.get(argument.text);
  if (constant !== undefined) return [constant];
  return argument.text === 'code' ? [] : undefined;
}

function constantsIn(files: readonly ts.SourceFile[]): ReadonlyMap<string, string> {
  const constants = new Map<string, string>();
  for (const file of files) {
    for (const statement of file.statements) {
      if (!ts.isVariableStatement(statement)) continue;
      for (const { name, initializer } of statement.declarationList.declarations) {
        if (ts.isIdentifier(name) && initializer !== undefined && ts.isStringLiteral(initializer)) {
          constants.set(name.text, initializer.text);
        }
      }
    }
  }
  return constants;
}

function exitOf(name: string, args: readonly ts.Expression[] | undefined): 1 | 2 {
  if (name === 'InvalidFileError') return 2;
  const isUsage = args?.some(
    (argument) =>
      ts.isObjectLiteralExpression(argument) &&
      argument.properties.some((property) => /^kind:\s*'usage'$/.test(property.getText())),
  );
  return isUsage === true ? 2 : 1;
}

/** `class X extends Y` around a node → Y */
function parentClassOf(node: ts.Node): string | undefined {
  let at: ts.Node | undefined = node;
  while (at !== undefined && !ts.isClassLike(at)) at = at.parent;
  const parent = at?.heritageClauses?.find((clause) => clause.token === ts.SyntaxKind.ExtendsKeyword)?.types[0];
  return parent?.expression.getText();
}
