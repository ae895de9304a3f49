import ts from 'typescript';

/** The names of the tests in a file, as they are written there; `…` stands for what is put in. */
export function testNames(file: string, text: string): string[] {
  const names: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'it') {
      const [name] = node.arguments;
      if (name !== undefined) names.push(nameIn(name));
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return names;
}

function nameIn(name: ts.Expression): string {
  if (ts.isStringLiteralLike(name)) return name.text;
  if (!ts.isTemplateExpression(name)) return name.getText();
  return name.head.text + name.templateSpans.map(({ literal }) => `…${literal.text}`).join('');
}
