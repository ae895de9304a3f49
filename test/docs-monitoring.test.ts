import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { packageRoot } from '../src/lib/package-root.js';
import { record } from './support/daemon-site.js';
import { tableRows } from './support/docs-markdown.js';
import { HttpSite } from './support/http-site.js';

const read = (name: string): string => readFileSync(join(packageRoot(), 'docs', 'monitoring', name), 'utf8');

/** The metric that a name in a query means: a histogram is asked for by its buckets. */
const metricOf = (name: string): string => name.replace(/_(bucket|sum|count)$/, '');

const namesIn = (text: string): string[] =>
  [...new Set(text.match(/\b(?:usersync|process|nodejs)_[a-z0-9_]+/g))].map(metricOf);

describe('docs/monitoring', () => {
  let existing: string[];

  before(async () => {
    await using http = await HttpSite.open({ default: { guards: { 'first-run': 'on' } } });
    await http.site.drop('users.json', [record('ada'), record('bob', { EMAIL: 'none' })]);
    await http.site.atRest(1, 'held');
    const text = await (await http.fetch('/metrics')).text();
    existing = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? '');
  });

  it('describes every metric of ours, and none that is not there', () => {
    const rows = tableRows(read('README.md')).get('Metrics') ?? [];
    const described = rows.map(([name = '']) => name.replaceAll('`', '')).sort();
    expect(described).to.deep.equal(existing.filter((name) => name.startsWith('usersync_')).sort());
  });

  it('alerts about metrics that there are', () => {
    const { groups } = parse(read('alerts.yml')) as { groups: { rules: { alert: string; expr: string }[] }[] };
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).to.be.greaterThan(5);
    for (const { alert, expr } of rules) {
      expect(namesIn(expr), alert).not.to.have.length(0);
      expect(existing, alert).to.include.members(namesIn(expr));
    }
  });

  it('has a dashboard of metrics that there are', () => {
    const { panels } = JSON.parse(read('grafana.json')) as { panels: { title: string; targets: { expr: string }[] }[] };
    expect(panels.length).to.be.greaterThan(8);
    for (const { title, targets } of panels) {
      expect(existing, title).to.include.members(targets.flatMap(({ expr }) => namesIn(expr)));
    }
  });
});
