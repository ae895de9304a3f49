/** Elements of HTML that have no end. */
const VOID = new Set(['br', 'hr', 'img', 'input', 'link', 'meta', 'source', 'wbr']);

const TAG = /<(\/?)([a-z][a-z0-9-]*)((?:\s+[a-zA-Z][\w:-]*(?:="[^"<]*")?)*)\s*(\/?)>/y;

/**
 * What is wrong with a page of ours: tags that do not fit, attributes without quotes, ids that are there twice, more or
 * less than one heading, anything that the content security policy forbids. Empty when nothing is.
 */
export function htmlProblems(page: string): string[] {
  const problems: string[] = [];
  const open: string[] = [];
  const ids = new Set<string>();
  const counts = new Map<string, number>();
  const start = /^<!doctype html>\s*/i.exec(page)?.[0].length;
  if (start === undefined) problems.push('does not begin with a doctype');
  for (let at = page.indexOf('<', start ?? 0); at >= 0; at = page.indexOf('<', at + 1)) {
    TAG.lastIndex = at;
    const [whole, slash, name = '', attributes = '', closed] = TAG.exec(page) ?? [];
    if (whole === undefined) {
      problems.push(`no tag: ${page.slice(at, at + 60)}`);
      continue;
    }
    if (slash === '/') {
      const expected = open.pop();
      if (expected !== name)
        problems.push(`</${name}> ends <${expected ?? 'nothing'}>: ${page.slice(at - 60, at + 20)}`);
      continue;
    }
    counts.set(name, (counts.get(name) ?? 0) + 1);
    if (!VOID.has(name) && closed !== '/') open.push(name);
    for (const [, attribute = '', value = ''] of attributes.matchAll(/\s([a-zA-Z][\w:-]*)(?:="([^"]*)")?/g)) {
      if (attribute === 'style' || attribute.startsWith('on')) problems.push(`inline ${attribute}: ${whole}`);
      if (attribute !== 'id') continue;
      if (ids.has(value)) problems.push(`the id ${value} is there twice`);
      ids.add(value);
    }
    if (name === 'script' && !attributes.includes('src="/assets/')) problems.push(`inline script: ${whole}`);
  }
  if (open.length > 0) problems.push(`not ended: ${open.join(', ')}`);
  if (counts.get('h1') !== 1) problems.push(`${counts.get('h1') ?? 0} h1`);
  if (!/<title>[^<]+ · User sync<\/title>/.test(page)) problems.push('no title');
  return problems;
}
