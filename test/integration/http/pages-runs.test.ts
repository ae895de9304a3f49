import { expect } from 'chai';
import { rm } from 'node:fs/promises';
import { listAudit } from '../../../src/db/audit.js';
import { runFiles } from '../../../src/db/runs.js';
import type { Role } from '../../../src/domain/access.js';
import { record } from '../../support/daemon-site.js';
import { htmlProblems } from '../../support/html-check.js';
import { HttpSite, type SignedIn } from '../../support/http-site.js';

describe('Pages about runs', () => {
  it('teach how to send the first batch while there is none', async () => {
    await using http = await HttpSite.open({ second: { control: undefined, guards: 'on' } });
    const ada = await http.signIn('viewer');
    const overview = await wellFormed(ada, '/');
    expect(overview).to.include(`${http.site.path}/var/drop/default`).and.include('users.json');
    expect(overview).to.include('Send the first batch of feed second').and.include('_control.json');
    expect(overview.match(/A first run is held/g)).to.have.lengthOf(1);
    expect(await wellFormed(ada, '/runs')).to.include('No runs yet');
    expect(await wellFormed(ada, '/runs?feed=second&status=held')).to.include('No runs like that');
  });

  it('show each role what it may see, and refuse the rest', async () => {
    await using http = await HttpSite.open();
    await http.site.drop('users.json', [record('ada'), record('bob', { EMAIL: 'secret-value' })]);
    await http.site.atRest(1, 'complete');
    const allowed: Readonly<Record<string, readonly Role[]>> = {
      '/': ['viewer', 'operator', 'admin'],
      '/runs': ['viewer', 'operator', 'admin'],
      '/runs?feed=default&status=complete': ['viewer', 'operator', 'admin'],
      '/runs/1': ['viewer', 'operator', 'admin'],
      '/runs/1/log': ['viewer', 'operator', 'admin'],
      '/runs/1/log?level=error': ['viewer', 'operator', 'admin'],
      '/runs/1/plan': ['operator', 'admin'],
      '/runs/1/plan?kind=block': ['operator', 'admin'],
      '/runs/1/plan.csv': ['operator', 'admin'],
      '/runs/1/files/users': ['admin'],
    };
    for (const role of ['viewer', 'operator', 'admin'] as const) {
      const somebody = await http.signIn(role);
      for (const [path, roles] of Object.entries(allowed)) {
        const response = await somebody.get(path);
        expect(response.status, `${role} ${path}`).to.equal(roles.includes(role) ? 200 : 403);
        const text = await response.text();
        if (response.headers.get('content-type')?.startsWith('text/html'))
          expect(htmlProblems(text), `${role} ${path}`).to.deep.equal([]);
      }
      const searched = await somebody.post('/runs/1/plan', { q: 'ada' });
      expect(searched.status).to.equal(role === 'viewer' ? 403 : 200);
      const log = await somebody.page('/runs/1/log');
      expect(log).to.include('invalid-email').and.include('bob');
      expect(log.includes('secret-value'), role).to.equal(role !== 'viewer');
      // A search must not tell what is not shown.
      const found = await (await somebody.post('/runs/1/log', { q: 'secret-value' })).text();
      expect(found).to.include('Nothing with');
      for (const path of ['/runs/99', '/runs/x', '/runs/99/log', '/runs/99999999999999999999', '/runs/0'])
        expect((await somebody.get(path)).status, path).to.equal(404);
    }
    expect((await http.fetch('/runs/1')).headers.get('location')).to.equal('/sign-in?to=%2Fruns%2F1');
  });

  it('show what a run did, with its files, guards, history and chart', async () => {
    await using http = await HttpSite.open({ default: { guards: { 'first-run': 'off' } } });
    await http.site.drop('users.monday.json', [record('ada'), record('bob')]);
    await http.site.atRest(1, 'complete');
    await http.site.drop('users.json', [record('ada', { LAST_NAME: 'Byron' }), record('cy')]);
    await http.site.atRest(2, 'complete');
    const admin = await http.signIn('admin');
    const run = await wellFormed(admin, '/runs/1');
    expect(run).to.include('users.monday.json').and.include('all within their limits').and.include('drop directory');
    expect(run).to.match(/<dt>added<\/dt>\s*<dd>2<\/dd>/);
    const plan = await wellFormed(admin, '/runs/2/plan');
    expect(plan).to.match(
      /user\/nameLast<\/code><\/td>\s*<td class="text"><del>ada<\/del><\/td>\s*<td class="text"><ins>Byron/,
    );
    expect(await wellFormed(admin, '/runs/2/plan?kind=block'))
      .to.include('bob')
      .and.not.include('Byron');
    const overview = await wellFormed(admin, '/');
    expect(overview)
      .to.include('Run 2: joined 1, changed 1, left 1')
      .and.match(/<svg[^>]+role="img"/);
    expect(overview).to.match(
      /<th scope="row">default<\/th>\s*<td class="number">2<\/td>\s*<td class="number">1<\/td>/,
    );
  });

  it('lead from each user of a plan or log to the person, for those who may see people', async () => {
    await using http = await HttpSite.open();
    await http.site.drop('users.json', [
      record('ada', { HOMEPAGE: 'no url at all' }),
      record('bob', { EMAIL: 'none' }),
    ]);
    await http.site.atRest(1, 'complete');
    const operator = await http.signIn('operator');
    for (const path of ['/runs/1/plan', '/runs/1/log']) {
      const [link] = /\/people\/\d+(?=">ada<)/.exec(await operator.page(path)) ?? [];
      expect(await operator.page(link ?? '/no-link'), path).to.include('ada@example.org');
    }
    const log = await operator.page('/runs/1/log');
    expect(log).to.match(/<td class="name">\s*bob\s*</, 'who was only ever rejected has no page');
    const viewer = await http.signIn('viewer');
    expect(await viewer.page('/runs/1/log'))
      .to.include('ada')
      .and.not.include('/people/');
  });

  it('escape whatever comes from outside', async () => {
    await using http = await HttpSite.open();
    const nasty = [
      '<script>alert(1)</script>',
      '"onmouseover="alert(2)',
      "'><img src=x onerror=alert(3)>",
      '\u001b[31mred\u202e',
      '=cmd|calc',
    ];
    const people = nasty.map((text, index) =>
      record(`u${index}${text}`, { LAST_NAME: text, JOB_TITLE: text, EMAIL: text }),
    );
    await http.site.drop('users."onmouseover="x".<script>.json', people);
    await http.site.atRest(1, 'complete');
    await http.site.drop(
      'users.json',
      nasty.map((text, index) => record(`u${index}${text}`, { LAST_NAME: `=${text}` })),
    );
    await http.site.atRest(2, 'complete');
    const admin = await http.signIn('admin');
    const paths = [
      '/',
      '/runs',
      '/runs/1',
      '/runs/1/log',
      '/runs/1/plan',
      '/runs/2/plan',
      '/runs/2/log',
      '/runs/1/reapply',
    ];
    for (const path of paths) expect(badly(await wellFormed(admin, path)), path).to.deep.equal([]);
    for (const text of [...nasty, '\0']) {
      for (const path of ['/runs/1/plan', '/runs/1/log']) {
        // The field shows what was typed, as it was typed.
        const found = (await (await admin.post(path, { q: text })).text()).replaceAll(/value="[^"]*"/g, '');
        expect([...htmlProblems(found), ...badly(found)], `${path} ${text}`).to.deep.equal([]);
      }
    }
    for (const query of [
      '/runs?feed=%22%3E%3Cscript%3E&status=x&before=y',
      '/runs?feed=%00',
      '/runs/1/plan?kind=%3Cscript%3E&after=-1',
    ])
      expect(badly(await wellFormed(admin, query)), query).to.deep.equal([]);
    const csv = await admin.page('/runs/2/plan.csv');
    const cells = csv.split('\r\n').flatMap((line) => line.split(/,(?=")|,/));
    expect(cells.filter((cell) => /^"?[=+@-]/.test(cell))).to.deep.equal([]);
    expect(csv).to.include(`"'=<script>alert(1)</script>`.slice(1)).and.not.include('\u001b');
  });

  it('reach every change, log entry and run once, page by page', async () => {
    await using http = await HttpSite.open();
    const people = Array.from({ length: 2000 }, (_, index) =>
      record(`user${index}`, index % 10 === 0 ? { EMAIL: 'no address' } : {}),
    );
    await http.site.drop('users.json', people);
    const [run] = await http.site.atRest(1, 'complete');
    const operator = await http.signIn('operator');
    const names = /<span class="name">(?:<a [^>]*>)?(user\d+)</g;
    const changed = await follow(operator, '/runs/1/plan', names);
    expect([new Set(changed).size, changed.length]).to.deep.equal([run!.counts.added, run!.counts.added]);
    expect(run!.counts.added).to.be.greaterThan(1500);
    const entries = /<code>([a-z-]+)<\/code>(?:(?!<\/tr>).)*<td class="name">\s*(?:<a [^>]*>)?(user\d+)\s*</gs;
    const logged = await follow(operator, '/runs/1/log?level=error', entries);
    expect([new Set(logged).size, logged.length]).to.deep.equal([run!.errors, run!.errors]);
    expect(run!.errors).to.be.at.least(200);
    const searched = await followForms(operator, '/runs/1/plan', { q: 'USER19' }, names);
    expect(searched).to.have.lengthOf(new Set(searched).size);
    expect(searched.every((name) => name.includes('user19'))).to.equal(true);
    expect(searched).to.have.lengthOf(changed.filter((name) => name.includes('user19')).length);
    const problems = await followForms(operator, '/runs/1/log', { q: 'invalid-email' }, entries);
    expect(problems.toSorted()).to.deep.equal(logged.filter((entry) => entry.startsWith('invalid-email')).toSorted());
    await http.app.database.query(
      `insert into sync.run (feed_id, source, status) select 1, 'test', 'cancelled' from generate_series(1, 130)`,
    );
    const runs = await follow(
      operator,
      '/runs?feed=default&status=cancelled',
      /<th scope="row">\s*<a href="\/runs\/(\d+)"/g,
    );
    expect([new Set(runs).size, runs.length]).to.deep.equal([130, 130]);
  });
});

describe('Downloads', () => {
  it('give an admin the bytes that came, as a file of no type, and are noted', async () => {
    await using http = await HttpSite.open();
    const content = JSON.stringify([record('ada')]);
    await http.site.drop('users.2026.json', content);
    await http.site.atRest(1, 'complete');
    const admin = await http.signIn('admin', 'Ada');
    const response = await admin.get('/runs/1/files/users');
    expect(response.status).to.equal(200);
    expect(response.headers.get('content-type')).to.equal('application/octet-stream');
    expect(response.headers.get('content-disposition')).to.equal('attachment; filename="run-1-users.json"');
    expect(response.headers.get('x-content-type-options')).to.equal('nosniff');
    expect(response.headers.get('cache-control')).to.equal('no-store');
    expect(await response.text()).to.equal(content);
    const csv = await admin.get('/runs/1/plan.csv?kind=add');
    expect(csv.headers.get('content-disposition')).to.equal('attachment; filename="run-1-plan.csv"');
    expect(await csv.text()).to.match(/^kind,username,applied,field,before,after\r\nadd,ada,true,/);
    const audit = await listAudit(http.app.database, { limit: 10, subject: 'run 1' });
    expect(audit.map(({ actor, action }) => [actor, action])).to.deep.equal([
      ['Ada', 'plan-downloaded'],
      ['Ada', 'file-downloaded'],
    ]);
    expect((await admin.get('/runs/1/files/other')).status).to.equal(404);
    expect((await admin.get('/runs/1/files/..%2F..%2Fx')).status).to.equal(404);
    const [file] = await runFiles(http.app.database, 1);
    await rm(http.app.sync.store.pathOf(file!.digest));
    const gone = await admin.get('/runs/1/files/users');
    expect([gone.status, await gone.text()].join()).to.match(/^404,.*not kept any more/s);
  });
});

async function wellFormed(somebody: SignedIn, path: string): Promise<string> {
  const page = await somebody.page(path);
  expect(htmlProblems(page), path).to.deep.equal([]);
  return page;
}

/** What would be obeyed rather than shown. */
function badly(page: string): string[] {
  const body = page.slice(page.indexOf('<body>'));
  return ['<script', '<img', '"onmouseover=', '\u001b', '\u202e', '\0'].filter((text) => body.includes(text));
}

/** What the pages of a list hold, following their links. */
async function follow(somebody: SignedIn, first: string, what: RegExp): Promise<string[]> {
  const found: string[] = [];
  for (let path: string | undefined = first; path !== undefined;) {
    const page: string = await wellFormed(somebody, path);
    found.push(...[...page.matchAll(what)].map(([, ...texts]) => texts.join(' ')));
    path = /<a rel="next" href="([^"]+)"/.exec(page)?.[1]?.replaceAll('&amp;', '&');
  }
  return found;
}

/** The same where somebody searches: the next page is a form. */
async function followForms(
  somebody: SignedIn,
  path: string,
  fields: Readonly<Record<string, string>>,
  what: RegExp,
): Promise<string[]> {
  const found: string[] = [];
  for (let next: Record<string, string> | undefined = { ...fields }; next !== undefined;) {
    const page: string = await (await somebody.post(path, next)).text();
    expect(htmlProblems(page)).to.deep.equal([]);
    found.push(...[...page.matchAll(what)].map(([, ...texts]) => texts.join(' ')));
    const more = [...page.matchAll(/<form[^>]*>((?:(?!<\/form>).)*>\s*Next\s*<\/button>)/gs)].at(-1)?.[1];
    const hidden = [...(more ?? '').matchAll(/name="([^"]+)"\s+value="([^"]*)"/g)];
    next =
      more === undefined ? undefined : Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value]));
  }
  return found;
}
